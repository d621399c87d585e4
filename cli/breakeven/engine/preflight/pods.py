"""What pods take up of a node or of a quota."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal

from breakeven.core.manifests import Manifest
from breakeven.engine.cluster import quantity

Amounts = Mapping[str, Decimal]
Column = Literal["requests", "limits"]


def amounts(spec: Manifest, column: Column = "requests") -> dict[str, Decimal]:
    """What one pod asks for, as the scheduler counts it.

    Init containers run before the others, one at a time, except those that go on (sidecars).
    """
    stay = [*spec.get("containers", ()), *(entry for entry in spec.get("initContainers", ()) if _stays(entry))]
    pass_by = [_of_container(entry, column) for entry in spec.get("initContainers", ()) if not _stays(entry)]
    total = add(_of_container(entry, column) for entry in stay)
    most = {name: max(each.get(name, Decimal(0)) for each in [total, *pass_by]) for name in _names([total, *pass_by])}
    return add([most, _numbers(spec.get("overhead") or {})])


def add(several: Iterable[Amounts]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = defaultdict(Decimal)
    for each in several:
        for name, value in each.items():
            total[name] += value
    return dict(total)


def running(pods: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Those that have not ended: what ended holds nothing."""
    return (pod for pod in pods if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"))


def _stays(init_container: Manifest) -> bool:
    return bool(init_container.get("restartPolicy") == "Always")


def _of_container(container: Manifest, column: Column) -> dict[str, Decimal]:
    """The API server fills a request in from its limit."""
    resources = container.get("resources") or {}
    limits = _numbers(resources.get("limits") or {})
    return limits if column == "limits" else limits | _numbers(resources.get("requests") or {})


def _numbers(found: Mapping[str, object]) -> dict[str, Decimal]:
    return {name: quantity(value) for name, value in found.items()}


def _names(several: Iterable[Amounts]) -> set[str]:
    return {name for each in several for name in each}
