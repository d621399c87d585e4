"""The live cluster against the last apply, as text, Markdown or JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

from breakeven.core.drift import Drift, DriftedObject
from breakeven.core.live import Target
from breakeven.core.plan import Plan
from breakeven.core.units import count
from breakeven.output import diff, money, table

SCHEMA: Final = "breakeven.drift/1"

_HEADERS: Final = ["Object", "Property", "Applied", "Live"]


def render(output: str, plan: Plan, target: Target, drift: Drift) -> str:
    """By the value of `-o`."""
    if output == "json":
        return json.dumps(data(plan, target, drift), indent=2)
    return markdown(plan, drift) if output == "markdown" else text(plan, target, drift)


def text(plan: Plan, target: Target, drift: Drift) -> str:
    """Where, the verdict, each difference, and the bill where it differs."""
    parts = [
        f"Cluster  {target.server} (context {target.context})\nStack    {plan.stack} in namespace {plan.namespace}",
        f"Drift    {summary(drift)}",
    ]
    if not drift.is_none:
        parts += [table.text(_HEADERS, _rows(drift)), *([diff.text(drift.diff)] if _delta(drift) != 0 else [])]
        parts.append("`deploy up` puts it right, after it has shown the same as a preview.")
    return "\n\n".join(parts)


def markdown(plan: Plan, drift: Drift) -> str:
    """The verdict first."""
    parts = [f"### Drift of `{plan.stack}`: {summary(drift)}"]
    if not drift.is_none:
        parts += [table.markdown(_HEADERS, _rows(drift)), *([diff.markdown(drift.diff)] if _delta(drift) != 0 else [])]
    return "\n\n".join(parts)


def summary(drift: Drift) -> str:
    """`1 of 4 objects differs, scaled from 1 to 3 replicas: +$16,000.00 a month`"""
    if drift.is_none:
        return f"none: {count(drift.compared, 'object')} as last applied"
    verb = "differs" if len(drift.objects) == 1 else "differ"
    scaled = "".join(f", {words}" for entry in drift.objects if (words := _scaled(entry)))
    return f"{len(drift.objects)} of {count(drift.compared, 'object')} {verb}{scaled}: {_price(drift)}"


def _price(drift: Drift) -> str:
    delta = _delta(drift)
    if delta is None:
        return "a price is unknown"
    return f"{money.delta(delta)} a month" if delta else "the bill stays"


def _delta(drift: Drift) -> Decimal | None:
    return drift.diff.delta_usd


def _scaled(entry: DriftedObject) -> str:
    if entry.is_missing:
        return f"{entry.kind} {entry.name} is gone"
    found = (each for each in entry.differences if each.path == "spec.replicas")
    return next((f"scaled from {each.applied} to {each.live} replicas" for each in found), "")


def _rows(drift: Drift) -> list[list[str]]:
    rows = []
    for entry in drift.objects:
        name = f"{entry.kind} {entry.name}"
        if entry.is_missing:
            rows.append([name, "", "applied", "not in the cluster"])
        rows += [[name, each.path, each.applied, each.live] for each in entry.differences]
    return rows


def data(plan: Plan, target: Target, drift: Drift) -> dict[str, Any]:
    """JSON-ready; money as decimal strings."""
    return {
        "schema": SCHEMA,
        "stack": plan.stack,
        "namespace": plan.namespace,
        "cluster": {"server": target.server, "context": target.context},
        "drift": not drift.is_none,
        "summary": summary(drift),
        "compared": drift.compared,
        "objects": [_object_data(entry) for entry in drift.objects],
        "gpus": {"applied": drift.gpus_applied, "live": drift.gpus_live},
        "cost": diff.data(drift.diff),
    }


def _object_data(entry: DriftedObject) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "namespace": entry.namespace or None,
        "missing": entry.is_missing,
        "differences": [{"path": each.path, "applied": each.applied, "live": each.live} for each in entry.differences],
    }
