"""What would change between two sets of manifests, as far as manifests alone can tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from breakeven.core.changes import Change, Changes
from breakeven.core.manifests import Manifest


def changes(before: Iterable[Manifest], after: Iterable[Manifest]) -> Changes:
    """A step for each object of either. Whether an update becomes a replacement only the cluster knows."""
    old = {_key(manifest): manifest for manifest in before}
    new = {_key(manifest): manifest for manifest in after}
    return Changes(steps=tuple(_change(key, old.get(key), new.get(key)) for key in {**old, **new}))


def _key(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return "::".join((manifest["apiVersion"], manifest["kind"], metadata.get("namespace", ""), metadata["name"]))


def _change(key: str, old: Manifest | None, new: Manifest | None) -> Change:
    paths = tuple(different(old, new)) if old and new else ()
    op = "create" if not old else "delete" if not new else "update" if paths else "same"
    return Change(op=op, urn=key, type=f"kubernetes:{key}", old=old, new=new, paths=paths)


def different(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """The paths that differ, written as the engine does: `spec.ports[0].port`, `metadata.annotations["a.b/c"]`."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({**old, **new}):
            yield from different(old.get(key), new.get(key), step(path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index, (one, other) in enumerate(zip_longest(old, new)):
            yield from different(one, other, f"{path}[{index}]")
    elif not _same(old, new):
        yield path


def _same(old: Any, new: Any) -> bool:
    """A state that was refreshed has the API server's spelling: it makes the text "4" of a GPU count of 4."""
    is_text = all(isinstance(value, str | int | float) for value in (old, new))
    return str(old) == str(new) if is_text else bool(old == new)


def step(path: str, key: str) -> str:
    """One key further down, as the engine writes it."""
    if not key.replace("-", "").replace("_", "").isalnum():
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key
