"""The JSON of `deploy cost`, as docs/schemas/cost.schema.json describes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from breakeven.convert import plain
from breakeven.core.comparison import Comparison
from breakeven.core.cost import OfferedRent, cost_range
from breakeven.core.record import record_split
from breakeven.core.sensitivity import Case
from breakeven.core.tco import tco
from breakeven.output import api, bill

SCHEMA: Final = "breakeven.cost/1"


def data(comparison: Comparison, offered: Sequence[OfferedRent], cases: Sequence[Case], at: date) -> dict[str, Any]:
    """Money as decimal strings, unknown as null."""
    plan = comparison.plan
    return {
        "schema": SCHEMA,
        "prices_at": at.isoformat(),
        "profile": plan.facts.profile.name,
        "model": plan.facts.model.name,
        "serverless": plan.facts.profile.is_serverless,
        "replicas": plan.replicas,
        "replicas_range": list(plan.replicas_range),
        **record_split(plan.split),
        "gpus": plan.gpus,
        "gpus_unused": plan.gpus_unused,
        "nodes": plan.nodes,
        "workload": plain(plan.workload),
        "requests_per_second": {
            "estimate": round(plan.requests_per_second, 4),
            "low": round(plan.most_replicas * plan.capacity.low, 4),
            "high": round(plan.most_replicas * plan.capacity.high, 4),
        },
        "capacity": api.capacity_data(plan.capacity),
        "slo": {"ttft_p99_ms": plan.deployment.slo.ttft_p99_ms, "tpot_ms": plan.deployment.slo.tpot_ms},
        "saturated_requests_per_second": round(plan.most_replicas * plan.capacity.saturated_requests_per_second, 4),
        "requests_per_month": plan.requests_per_month,
        "utilisation": round(plan.utilisation, 4),
        "self_hosted": bill.data(plan, comparison.projection, cost_range(plan), at),
        "offers": [bill.offered_data(rent, at) for rent in offered],
        "api": api.data(comparison, at),
        "decision": api.decision_data(comparison),
        "sensitivity": [_case(case) for case in cases],
        "tco": [plain(factor) for factor in tco(plan, comparison.projection, comparison.cheapest)],
    }


def _case(case: Case) -> dict[str, Any]:
    """Nulls where the case cannot be served."""
    bill_of, api_of = case.projection, case.equivalent
    return {
        "changed": case.changed,
        "factor": str(case.factor),
        "self_hosted_monthly_usd": None if bill_of is None else str(bill_of.monthly_usd),
        "comparator": None if api_of is None else api_of.comparator,
        "api_monthly_usd": None if api_of is None else str(api_of.monthly_usd),
        "break_even_requests_per_month": None if api_of is None else api_of.break_even_requests_per_month,
        "reachable": None if api_of is None else api_of.reachable,
    }
