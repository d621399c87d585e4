"""The JSON of `deploy size`, as docs/schemas/size.schema.json describes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from breakeven.convert import plain
from breakeven.core.candidates import Candidate, Length
from breakeven.core.latency import Estimate, Figure
from breakeven.core.measured import Near
from breakeven.core.memory import MemoryFit
from breakeven.core.record import record_split
from breakeven.core.rent_price import RentPrice, rent_price
from breakeven.core.sizing import Planned, Sizing
from breakeven.core.throughput import untested
from breakeven.core.units import cents
from breakeven.output import age, api, measured

SCHEMA: Final = "breakeven.size/1"


def data(sizing: Sizing, near: Sequence[Near], at: date) -> dict[str, Any]:
    """Money as decimal strings, unknown as null; `requests_per_second` of a candidate are those of what it fills."""
    facts, rent = sizing.facts, node_usd_per_month(sizing)
    return {
        "schema": SCHEMA,
        "prices_at": at.isoformat(),
        "profile": facts.profile.name,
        "model": facts.model.name,
        "accelerator": facts.accelerator.name,
        "workload": plain(sizing.deployment.workload),
        "slo": {
            "ttft_p99_ms": sizing.deployment.slo.ttft_p99_ms,
            "tpot_ms": sizing.deployment.slo.tpot_ms,
            "ttft_p99_validated": False,
        },
        "plan": _plan(sizing.planned) if sizing.planned else None,
        "untested": untested(sizing.planned.plan.split.precision) if sizing.planned else None,
        "measured_near": [measured.data(one) for one in near],
        "refused": sizing.refused,
        "node_usd_per_month": None if rent is None else str(rent),
        "rent_price": _rent_price(rent_price(facts), at),
        "candidates": [_candidate(sizing, one) for one in sizing.candidates.ranked],
        "dropped": [{**record_split(one.split), "reason": one.reason} for one in sizing.candidates.dropped],
    }


def _rent_price(price: RentPrice, at: date) -> dict[str, Any]:
    """Where the rent is from; without a date where the user gave it."""
    checked = price.checked.isoformat() if price.checked else None
    return {"detail": price.words, "source": price.source, "checked": checked, **age.data(price.checked, at)}


def node_usd_per_month(sizing: Sizing) -> Decimal | None:
    """To the cent."""
    rent = sizing.facts.node_usd_per_month
    return None if rent is None else cents(rent)


def _plan(planned: Planned) -> dict[str, Any]:
    plan, load = planned.plan, planned.mean_load
    return {
        **record_split(plan.split),
        "replicas": plan.replicas,
        "nodes": plan.nodes,
        "memory": _memory(plan.memory),
        "saturated": _rates(planned.saturated, plan.replicas),
        "slo_requests_per_second": round(plan.requests_per_second, 4),
        "bound": plan.capacity.bound,
        "capacity": api.capacity_data(plan.capacity),
        "utilisation": round(plan.utilisation, 4),
        "requests_per_month": plan.requests_per_month,
        "mean_load": _load(load) if load else None,
    }


def _memory(memory: MemoryFit) -> dict[str, Any]:
    """Of the tightest GPU."""
    return {
        "usable_gib": round(memory.usable_gib, 3),
        "weights_gib": round(memory.weights_gib, 3),
        "adapters_gib": round(memory.adapters_gib, 3),
        "non_torch_gib": round(memory.non_torch_gib, 3),
        "activation_gib": round(memory.activation_gib, 3),
        "cuda_graph_gib": round(memory.cuda_graph_gib, 3),
        "kv_gib": round(memory.kv_gib, 3),
        "kv_tokens": memory.kv_tokens,
        "max_model_len": memory.max_model_len,
        "concurrency": round(memory.concurrency, 2),
    }


def _rates(found: Estimate, replicas: int) -> dict[str, Any]:
    return {
        "requests_per_second": _figure(found.requests_per_second, replicas),
        "output_tokens_per_second": _figure(found.output_tokens_per_second, replicas),
        "total_tokens_per_second": _figure(found.total_tokens_per_second, replicas),
    }


def _load(found: Estimate) -> dict[str, Any]:
    return {
        "concurrency_per_replica": round(found.concurrency, 2),
        "ttft_ms": _figure(found.ttft_ms),
        "ttft_p99_ms": _figure(found.ttft_p99_ms),
        "tpot_ms": _figure(found.tpot_ms),
    }


def _figure(figure: Figure, times: int = 1) -> dict[str, float]:
    return {
        "estimate": round(times * figure.value, 4),
        "low": round(times * figure.low, 4),
        "high": round(times * figure.high, 4),
    }


def _length(length: Length) -> dict[str, Any]:
    return {
        "max_model_len": length.max_model_len,
        "fits": length.fits,
        "concurrency": round(length.concurrency, 2),
    }


def _candidate(sizing: Sizing, candidate: Candidate) -> dict[str, Any]:
    usd = candidate.usd_per_million_requests
    return {
        **record_split(candidate.split),
        "chosen_by_up": sizing.is_chosen(candidate),
        "replicas_per_node": candidate.replicas,
        "memory": _memory(candidate.memory),
        "max_model_lens": [_length(one) for one in candidate.lengths],
        "saturated": _rates(candidate.saturated, candidate.replicas),
        "slo_requests_per_second": round(candidate.slo_requests_per_second, 4),
        "bound": candidate.under_slo.bound,
        "usd_per_million_requests": None if usd is None else str(cents(usd)),
    }
