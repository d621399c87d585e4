"""Where the weights come from, and where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from breakeven.core.chart.fields import COUNT, NAME, Record, Text

_IMAGE: Final = Text(pattern=r"([a-z0-9][a-zA-Z0-9._:/@-]*)?", words="an image with a tag or digest")
_URI: Final = Text(pattern=r"((s3|gs|az)://[A-Za-z0-9._/-]+)?", words="s3://, gs:// or az:// with bucket and path")
_PATH: Final = Text(
    pattern=r"([A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*)?", words="a folder, without / at its ends"
)

Storage = Literal["emptyDir", "pvc", "ephemeral", "image", "bucket"]
AccessMode = Literal["", "ReadWriteOnce", "ReadWriteMany"]
# What each key is for.
KEYS: Final[dict[str, tuple[Storage, ...]]] = {
    "storage_class": ("pvc", "ephemeral"),
    "access_mode": ("pvc",),
    "claim": ("pvc",),
    "download": ("pvc",),
    "path": ("pvc", "image"),
    "image": ("image",),
    "uri": ("bucket",),
    "secret": ("bucket",),
}


@dataclass(frozen=True, kw_only=True)
class Weights(Record):
    storage: Annotated[
        Storage,
        "emptyDir: on the node's disk, as long as the pod; pvc: on a claim that outlives it, shared by the servers; "
        "ephemeral: on a claim of each server; image: an OCI image as a volume; bucket: streamed from object storage",
    ] = "emptyDir"
    storage_class: Annotated[str, "Storage class of the claim; the cluster's default if empty", NAME] = ""
    access_mode: Annotated[
        AccessMode, "Access mode of the claim; if empty ReadWriteOnce for one server, otherwise ReadWriteMany"
    ] = ""
    claim: Annotated[str, "Claim that exists already, with the hub's cache or a model; a new one if empty", NAME] = ""
    image: Annotated[str, "Image that holds the model, with storage image", _IMAGE] = ""
    uri: Annotated[str, "Model in object storage: s3://, gs:// or az://", _URI] = ""
    secret: Annotated[str, "Secret whose keys become the variables that the object storage asks for", NAME] = ""
    path: Annotated[str, "Folder of the model in the claim or image, which is then mounted read-only", _PATH] = ""
    download: Annotated[bool, "A Job downloads the weights to the claim once; the servers wait for it"] = False
    compile_cache_claim: Annotated[str, "Claim that keeps the compile cache where the weights' volume cannot", NAME] = (
        ""
    )
    offline: Annotated[bool, "Nothing is asked of the hub: the weights are there already"] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, storages in KEYS.items():
            if getattr(self, key) and self.storage not in storages:
                raise ValueError(
                    f"{key} must be left out with storage {self.storage}: it is for {' or '.join(storages)}"
                )
        self._require_source()

    def _require_source(self) -> None:
        if self.storage == "image" and not self.image:
            raise ValueError("image must be given with storage image")
        if self.storage == "bucket" and not self.uri:
            raise ValueError("uri must be given with storage bucket")
        if self.path and not (self.claim or self.image):
            raise ValueError("path must be a folder of an existing claim or image: a new claim is empty")
        if self.claim and self.storage_class:
            raise ValueError("storage_class must be left out with claim, which exists already")
        if self.download and self.path:
            raise ValueError("download must be left out with path, where the model is already")
        if self.offline and (self.download or not (self.claim or self.image or self.uri)):
            raise ValueError("offline must have weights that are there already: give claim, image or uri")

    @property
    def own_claim(self) -> bool:
        """A new claim, which this deployment pays for."""
        return self.storage == "pvc" and not self.claim

    @property
    def on_node(self) -> bool:
        """On the disk of the node, which the pod must then ask for."""
        return self.storage == "emptyDir"

    @property
    def from_hub(self) -> bool:
        """The servers themselves download from the Hugging Face hub."""
        return not (self.path or self.image or self.uri or self.download or self.offline)


@dataclass(frozen=True, kw_only=True)
class WeightsVolume(Weights):
    """The same with what the plan computes."""

    size_gib: Annotated[int, "Size of a claim that is made", COUNT] = 19
