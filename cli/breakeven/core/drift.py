"""The live cluster against the last apply: what differs in objects, and what that costs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from breakeven.core.cost import CostProjection, project
from breakeven.core.cost_diff import NOTHING, CostDiff, cost_diff
from breakeven.core.manifest_diff import step
from breakeven.core.manifests import Manifest
from breakeven.core.plan import Plan
from breakeven.core.pod_counts import as_asked, gpus_requested

# Their values are quantities: the API server writes 1024Gi as 1Ti.
_QUANTITIES: Final = re.compile(r"\.(limits|requests|capacity)\.|\.(limits|requests|capacity)\[|\.sizeLimit$")
_QUANTITY: Final = re.compile(r"(\d+(?:\.\d+)?)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")
_BINARY: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL: Final = {"m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_ABSENT: Final = "absent"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One property, as applied and as it is now, for people."""

    path: str
    applied: str
    live: str


@dataclass(frozen=True, kw_only=True)
class DriftedObject:
    """`differences` is empty where the object is gone."""

    kind: str
    name: str
    namespace: str
    differences: tuple[Difference, ...]

    @property
    def is_missing(self) -> bool:
        return not self.differences


@dataclass(frozen=True, kw_only=True)
class Drift:
    """`compared` counts the objects of the last apply. The bill is priced alike on both sides, at today's prices."""

    objects: tuple[DriftedObject, ...]
    compared: int
    gpus_applied: int
    gpus_live: int
    diff: CostDiff

    @property
    def is_none(self) -> bool:
        return not self.objects


def drift(plan: Plan, pairs: Iterable[tuple[Manifest, Manifest | None]]) -> Drift:
    """Of each applied object and what is live under its name."""
    found = tuple(pairs)
    applied = [before for before, _ in found]
    live = [as_asked(before, after) for before, after in found if after is not None]
    differing = (compare(before, after) for before, after in found)
    return Drift(
        objects=tuple(entry for entry in differing if entry),
        compared=len(found),
        gpus_applied=gpus_requested(applied),
        gpus_live=gpus_requested(live),
        diff=cost_diff(_bill(plan, gpus_requested(applied)), _bill(plan, gpus_requested(live))),
    )


def _bill(plan: Plan, gpus: int) -> CostProjection:
    """As the plan's, for as many GPUs. What is not there costs nothing, as in a preview."""
    if not gpus:
        return NOTHING
    whole, rest = divmod(gpus, plan.split.gpus)
    if not rest:
        return project(replace(plan, replicas=whole))
    one = replace(plan.split, tensor_parallel_size=1, pipeline_parallel_size=1, nodes=1)
    return project(replace(plan, split=one, replicas=gpus))


def compare(applied: Manifest, live: Manifest | None) -> DriftedObject | None:
    """None where all that was applied is as it was. What others added beside it is theirs."""
    differences = tuple(_differences(applied, live, "")) if live is not None else ()
    if live is not None and not differences:
        return None
    metadata = applied["metadata"]
    return DriftedObject(
        kind=applied["kind"],
        name=metadata["name"],
        namespace=metadata.get("namespace") or "",
        differences=differences,
    )


def _differences(applied: Any, live: Any, path: str) -> Iterator[Difference]:
    if isinstance(applied, Mapping) and isinstance(live, Mapping):
        for key, value in applied.items():
            yield from _differences(value, live.get(key), step(path, str(key)))
    elif isinstance(applied, list) and isinstance(live, list):
        if len(applied) != len(live):
            yield Difference(path=path, applied=_shown(applied), live=_shown(live))
        for index, (old, new) in enumerate(zip(applied, live, strict=False)):
            yield from _differences(old, new, f"{path}[{index}]")
    elif not _is_same(applied, live, path):
        yield Difference(path=path, applied=_shown(applied), live=_shown(live))


def _is_same(applied: Any, live: Any, path: str) -> bool:
    """The API server leaves out what is empty, zero or false."""
    if live is None:
        return not applied
    if isinstance(applied, Mapping | list) or isinstance(live, Mapping | list):
        return False
    if _QUANTITIES.search(path):
        return _quantity(applied) == _quantity(live)
    return str(applied) == str(live)


def _quantity(value: Any) -> Decimal | str:
    """A quantity as a number; anything else as it is."""
    found = _QUANTITY.fullmatch(str(value))
    if not found:
        return str(value)
    number, suffix = Decimal(found[1]), found[2] or ""
    return number * (Decimal(1024) ** _BINARY[suffix] if suffix in _BINARY else Decimal(1000) ** _DECIMAL[suffix])


def _shown(value: Any) -> str:
    if value is None:
        return _ABSENT
    if isinstance(value, list):
        return f"{len(value)} item{'' if len(value) == 1 else 's'}"
    return "a mapping" if isinstance(value, Mapping) else str(value)
