"""Is there a StorageClass for the volume, and can it do what the volume asks?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from breakeven.core.live import Check
from breakeven.engine.preflight.subject import Object, Subject

_DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"
# Block devices, of which one node has one: no ReadWriteMany file system.
# https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes, and each driver's own documentation:
# https://github.com/kubernetes-sigs/aws-ebs-csi-driver, https://cloud.google.com/kubernetes-engine/docs/concepts/persistent-volumes,
# https://learn.microsoft.com/azure/aks/azure-csi-disk-storage-provision
_ONE_NODE_DRIVERS: Final = {"ebs.csi.aws.com", "pd.csi.storage.gke.io", "disk.csi.azure.com"}


def check(subject: Subject) -> Iterator[Check]:
    claims = [item for item in subject.objects if item.kind == "PersistentVolumeClaim"]
    # A claim that is there keeps the volume that it has.
    new = [claim for claim in claims if claim.live is None]
    if new:
        classes = subject.cluster.list("/apis/storage.k8s.io/v1/storageclasses")
        yield from (_class(claim, classes) for claim in new)


def _class(claim: Object, classes: Sequence[dict[str, Any]]) -> Check:
    name = claim.manifest["spec"].get("storageClassName")
    found = _named(name, classes) if name else _default(classes)
    if found is None:
        names = ", ".join(entry["metadata"]["name"] for entry in classes) or "none"
        detail = f"there is no StorageClass {name}" if name else f"{claim.title} names no StorageClass, none is default"
        fix = f"give --storage-class, or keep the weights on the nodes: --weights-storage emptyDir; there are: {names}"
        return Check(name="Storage", status="fail", detail=detail, fix=fix)
    detail = f"StorageClass {found['metadata']['name']} ({found['provisioner']})"
    modes = claim.manifest["spec"].get("accessModes", ())
    if "ReadWriteMany" in modes and found["provisioner"] in _ONE_NODE_DRIVERS:
        fix = "name the class of a shared file system with --storage-class; the volume would never be made"
        return Check(name="Storage", status="fail", detail=f"{detail} has no ReadWriteMany", fix=fix)
    return Check(name="Storage", status="pass", detail=detail)


def _named(name: str, classes: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    return next((entry for entry in classes if entry["metadata"]["name"] == name), None)


def _default(classes: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    return next(
        (entry for entry in classes if (entry["metadata"].get("annotations") or {}).get(_DEFAULT) == "true"), None
    )
