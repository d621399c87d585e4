"""Existing objects that a stack takes over because somebody named them, and what that does to them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from breakeven.core.changes import Change, Changes
from breakeven.core.manifest_diff import different, step
from breakeven.core.manifests import Manifest
from breakeven.core.plaintext import plaintext_secrets
from breakeven.core.pod_counts import as_asked
from breakeven.errors import InputError

# What the API server itself writes.
_ITS_OWN: Final = {"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp"}
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
# Maps to whose keys the API server adds none.
_FREE: Final = {"nodeSelector", "limits", "requests"}
# The marks of those that would go on to change or delete an object, or make it again.
_IN_CHARGE: Final = {
    "meta.helm.sh/release-name": "Helm's release",
    "argocd.argoproj.io/tracking-id": "Argo CD's",
    "kustomize.toolkit.fluxcd.io/name": "Flux's Kustomization",
    "helm.toolkit.fluxcd.io/name": "Flux's HelmRelease",
}


def title(manifest: Manifest) -> str:
    """`Deployment/llm-4xa100`, as kubectl writes an object of the namespace at hand."""
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def chosen(names: Iterable[str], manifests: Sequence[Manifest]) -> tuple[Manifest, ...]:
    """The objects of the stack that are named, each once. Raises InputError for what is none of them."""
    return tuple({title(found): found for name in names for found in [_named(name, manifests)]}.values())


def _named(name: str, manifests: Sequence[Manifest]) -> Manifest:
    kind, _, rest = name.partition("/")
    if kind.casefold() in ("namespace", "namespaces", "ns"):
        raise InputError(
            f"a namespace that exists is used and kept, never adopted, got {name!r}",
            where="--adopt",
            hint="leave it out: `deploy destroy` would delete all that is in it",
        )
    for manifest in manifests:
        if (str(manifest["kind"]).casefold(), manifest["metadata"]["name"]) == (kind.casefold(), rest):
            return manifest
    own = ", ".join(title(manifest) for manifest in manifests if manifest["kind"] != "Namespace")
    raise InputError(f"{name} is no object of this stack", where="--adopt", hint=f"it has {own}")


@dataclass(frozen=True, kw_only=True)
class Adopted:
    """One object: as the stack wants it, as it is, and as the API server would make it of both."""

    manifest: Manifest
    live: Manifest
    result: Manifest

    @property
    def title(self) -> str:
        return title(self.manifest)

    @property
    def besides(self) -> tuple[str, ...]:
        """What others set in it, labels and annotations excepted. An apply leaves it as it is."""
        return tuple(_besides(self.manifest.get("spec") or {}, self.result.get("spec") or {}, "spec"))

    @property
    def in_charge(self) -> tuple[str, ...]:
        """Who else counts it as theirs."""
        metadata = self.live["metadata"]
        marks = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
        owners = [f"{owner['kind']} {owner['name']}" for owner in metadata.get("ownerReferences") or ()]
        return (*owners, *(f"{whose} {marks[mark]}" for mark, whose in _IN_CHARGE.items() if mark in marks))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Paths of secrets in plain text, which the engine would keep in the stack's state."""
        found = [path for manifest in (self.live, self.result) for path in plaintext_secrets(manifest)]
        return tuple(dict.fromkeys([*found, *_last_applied_secrets(self.live)]))


def _last_applied_secrets(live: Manifest) -> Iterator[str]:
    """kubectl keeps a copy of what was applied in an annotation, as text."""
    text = (live["metadata"].get("annotations") or {}).get(_LAST_APPLIED, "")
    try:
        copy = json.loads(text)
    except ValueError:
        return
    if isinstance(copy, Mapping) and any(plaintext_secrets(copy)):
        yield f'metadata.annotations["{_LAST_APPLIED}"]'


def stored(manifest: Manifest) -> Manifest:
    """Without what the API server keeps for itself."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in _ITS_OWN}
    return {**{key: value for key, value in manifest.items() if key != "status"}, "metadata": metadata}


def _besides(wanted: Manifest, found: Manifest, path: str) -> Iterator[str]:
    """Keys of free maps, and named entries of lists: everything else may be a default of the API server."""
    for key, value in found.items():
        own, here = wanted.get(key), step(path, key)
        if isinstance(value, Mapping):
            extra = sorted({*value} - {*(own or {})}) if key in _FREE else []
            yield from (step(here, name) for name in extra)
            yield from _besides(own if isinstance(own, Mapping) else {}, value, here)
        elif isinstance(value, list):
            ours = _by_name(own)
            for name, entry in _by_name(value).items():
                yield from _besides(ours[name], entry, step(here, name)) if name in ours else [step(here, name)]


def _by_name(entries: Any) -> dict[str, Manifest]:
    return {str(entry["name"]): entry for entry in entries or () if isinstance(entry, Mapping) and "name" in entry}


def shown(changes: Changes, adopted: Collection[Adopted]) -> Changes:
    """To the engine an adoption is a creation; here it is what becomes of the object."""
    by_title = {each.title: each for each in adopted}
    return Changes(steps=tuple(_shown(change, by_title) for change in changes.steps))


def _shown(change: Change, by_title: Mapping[str, Adopted]) -> Change:
    found = by_title.get(title(change.manifest)) if change.op == "create" and change.is_kubernetes_object else None
    if found is None:
        return change
    result = as_asked(found.manifest, found.result) or found.result
    paths = tuple(different(found.live, found.result))
    return replace(change, op="adopt", old=found.live, new=result, paths=paths)
