"""What a stack remembers of its last apply, so that the next preview can say what it cost before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

from breakeven.core.cost import CostProjection
from breakeven.core.cost_line import CostInput, CostLine
from breakeven.core.plan import Plan
from breakeven.core.served import served
from breakeven.core.split import Split
from breakeven.core.throughput import Capacity


def record_cost(projection: CostProjection) -> dict[str, Any]:
    """JSON-ready: money as decimal strings, dates as ISO 8601, unknown as null."""
    return {
        "monthly_usd": str(projection.monthly_usd),
        "lines": [_record_line(line) for line in projection.lines],
    }


def _record_line(line: CostLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "monthly_usd": None if line.monthly_usd is None else str(line.monthly_usd),
        "detail": line.detail,
        "source": line.source,
        "checked": None if line.checked is None else line.checked.isoformat(),
        "inputs": {one.name: one.value for one in line.inputs},
    }


def recorded_cost(record: Mapping[str, Any]) -> CostProjection:
    """The inverse of `record_cost`. Raises KeyError or ValueError for what this version did not write."""
    return CostProjection(lines=tuple(_recorded_line(line) for line in record["lines"]))


def _recorded_line(line: Mapping[str, Any]) -> CostLine:
    return CostLine(
        name=line["name"],
        monthly_usd=None if line["monthly_usd"] is None else Decimal(line["monthly_usd"]),
        detail=line["detail"],
        source=line["source"],
        checked=None if line["checked"] is None else date.fromisoformat(line["checked"]),
        # The first versions recorded none.
        inputs=tuple(CostInput(name=name, value=value) for name, value in line.get("inputs", {}).items()),
    )


def record_split(split: Split) -> dict[str, Any]:
    """By the names of vLLM's arguments."""
    return {
        "tensor_parallel_size": split.tensor_parallel_size,
        "pipeline_parallel_size": split.pipeline_parallel_size,
        "nodes_per_replica": split.nodes,
        "precision": split.precision,
        "kv_cache_dtype": split.kv_cache_dtype,
    }


def record_plan(plan: Plan) -> dict[str, Any]:
    """The plan's own figures, for people and for `deploy status`."""
    return {
        "profile": plan.facts.profile.name,
        "model": plan.facts.model.name,
        "replicas": plan.replicas,
        **record_split(plan.split),
        "gpus": plan.gpus,
        "nodes": plan.nodes,
        "max_model_len": plan.max_model_len,
        "release": plan.release,
        "namespace": plan.namespace,
        "serverless": plan.facts.profile.is_serverless,
        "serves": asdict(served(plan)),
        "capacity": _record_capacity(plan.capacity),
    }


def _record_capacity(capacity: Capacity) -> dict[str, Any]:
    """Of one replica."""
    return {
        "requests_per_second": round(capacity.requests_per_second, 4),
        "basis": capacity.basis,
        "source": capacity.source,
        "date": None if capacity.date is None else capacity.date.isoformat(),
    }
