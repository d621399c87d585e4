"""The API-equivalent of a plan: what the same traffic costs there, the break-even, the decision and its reasons."""

from __future__ import annotations

from typing import Any, Final

from breakeven.core.api_spend import ApiEquivalent
from breakeven.core.comparison import Comparison
from breakeven.core.plan import Plan
from breakeven.output import money, table

_HEADERS: Final = ["API", "Per month", "Break-even requests a month", "Reachable", "Price"]
_REACHABLE: Final = {True: "yes", False: "never", None: "unknown"}
_CHOICES: Final = {"self-host": "self-host", "api": "use the API", "undecided": "undecided"}


def text(comparison: Comparison) -> str:
    """One row an API; below, what the plan can serve, and the decision."""
    rows = [_row(api) for api in comparison.equivalents]
    reasons = "\n".join(f"  - {reason}" for reason in comparison.decision.reasons)
    parts = [
        table.text(_HEADERS, rows) if rows else "",
        capacity(comparison.plan),
        f"Decision: {_CHOICES[comparison.decision.choice]}\n{reasons}",
    ]
    return "\n\n".join(part for part in parts if part)


def markdown(comparison: Comparison) -> str:
    rows = [_row(api) for api in comparison.equivalents]
    reasons = "\n".join(f"- {reason}" for reason in comparison.decision.reasons)
    return "\n\n".join(
        [
            f"**Decision: {_CHOICES[comparison.decision.choice]}**",
            reasons,
            table.markdown(_HEADERS, rows),
            capacity(comparison.plan),
        ]
    )


def data(comparison: Comparison) -> list[dict[str, Any]]:
    """JSON-ready; money as decimal strings."""
    return [
        {
            "comparator": api.comparator,
            "monthly_usd": str(api.monthly_usd),
            "break_even_requests_per_month": api.break_even_requests_per_month,
            "reachable": api.reachable,
            "source": api.source,
        }
        for api in comparison.equivalents
    ]


def decision_data(comparison: Comparison) -> dict[str, Any]:
    return {"choice": comparison.decision.choice, "reasons": list(comparison.decision.reasons)}


def traffic(plan: Plan) -> str:
    """`1,000,000 requests a month of 500 input and 200 output tokens`."""
    workload = plan.workload
    shape = f"{workload.input_tokens:,} input and {workload.output_tokens:,} output tokens"
    return f"{workload.requests_per_month:,} requests a month of {shape}"


def capacity(plan: Plan) -> str:
    """What the plan serves of that shape, with the estimate's band, and how busy the traffic keeps it."""
    one, headroom = plan.capacity, plan.deployment.headroom
    low, high, saturated = (plan.replicas * rate for rate in (one.low, one.high, one.saturated_requests_per_second))
    return (
        f"This plan serves about {plan.requests_per_second:,.2f} requests/s of that shape ({low:,.2f} to {high:,.2f}) "
        f"within {plan.deployment.slo}; {saturated:,.2f} saturated.\n"
        f"With {_percent(headroom.target_utilisation)} of that at the peak it carries {plan.requests_per_month:,} "
        f"requests a month; this traffic keeps it {_percent(plan.utilisation)} busy."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _row(api: ApiEquivalent) -> list[str]:
    requests = api.break_even_requests_per_month
    return [
        api.comparator,
        money.usd(api.monthly_usd),
        "-" if requests is None else f"{requests:,}",
        _REACHABLE[api.reachable],
        api.source,
    ]
