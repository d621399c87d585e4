"""The JSON of `deploy recommend`, as docs/schemas/recommend.schema.json describes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final

from breakeven.convert import plain
from breakeven.core.cost import cost_range
from breakeven.core.latency import Figure
from breakeven.core.priced import Priced
from breakeven.core.recommend import Hosted, Recommendations
from breakeven.output import age, bill, offers
from breakeven.output.next_step import NextStep

SCHEMA: Final = "breakeven.recommend/1"


def data(found: Recommendations, unpriced: Sequence[str], step: Callable[[Priced], NextStep]) -> dict[str, Any]:
    """Money as decimal strings. Plans and APIs are one list, the cheapest first."""
    workload, slo = found.deployment.workload, found.deployment.slo
    return {
        "schema": SCHEMA,
        "prices_at": found.at.isoformat(),
        "workload": plain(workload),
        "slo": {"ttft_p99_ms": slo.ttft_p99_ms, "tpot_ms": slo.tpot_ms, "ttft_p99_validated": False},
        "max_usd": None if found.max_usd is None else str(found.max_usd),
        "models_interchangeable": found.interchangeable,
        "candidates": {
            "looked_at": found.looked_at,
            "fit": sum(search.fit for search in found.searches),
        },
        "unpriced_accelerators": list(unpriced),
        "recommended": [
            _plan(one, step(one), found.at) if isinstance(one, Priced) else _api(one, found.at) for one in found.ranked
        ],
        "misses": [{"model": miss.model, "reason": miss.reason, "next": miss.hint} for miss in found.misses],
    }


def _plan(one: Priced, step: NextStep, at: date) -> dict[str, Any]:
    plan, facts = one.plan, one.plan.facts
    return {
        "kind": "plan",
        "monthly_usd": str(one.monthly_usd),
        "model": facts.model.name,
        "profile": facts.profile.name,
        "profile_exists": one.shape.base is None,
        "accelerator": facts.accelerator.name,
        "gpus_per_node": facts.profile.gpus_per_node,
        "serverless": facts.profile.is_serverless,
        "nodes": plan.nodes,
        "replicas": plan.replicas,
        "tensor_parallel_size": plan.split.tensor_parallel_size,
        "pipeline_parallel_size": plan.split.pipeline_parallel_size,
        "precision": plan.split.precision,
        "offer": offers.data(facts.offer, at) if facts.offer else None,
        "self_hosted": bill.data(plan, one.projection, cost_range(plan), at),
        "requests_per_second": round(plan.requests_per_second, 4),
        "requests_per_month": plan.requests_per_month,
        "times_traffic": round(one.times_traffic, 4),
        "mean_load": {
            "request_s": round(one.request_s, 4),
            "ttft_p99_ms": _figure(one.mean_load.ttft_p99_ms),
            "tpot_ms": _figure(one.mean_load.tpot_ms),
        },
        "concessions": sorted(one.concessions),
        "next": {"command": step.command, "first": step.first},
    }


def _figure(figure: Figure) -> dict[str, float]:
    return {"estimate": round(figure.value, 4), "low": round(figure.low, 4), "high": round(figure.high, 4)}


def _api(one: Hosted, at: date) -> dict[str, Any]:
    return {
        "kind": "api",
        "monthly_usd": str(one.monthly_usd),
        "comparator": one.comparator,
        "same_weights_as": one.same_weights_as,
        "source": one.source,
        "checked": one.checked.isoformat(),
        **age.data(one.checked, max(at, one.checked)),
    }
