"""The API-equivalent of a plan: what the same traffic costs there, the break-even, the decision and its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from breakeven.core.api_spend import ApiEquivalent
from breakeven.core.comparison import Comparison
from breakeven.core.cost import usd_per_million_tokens
from breakeven.core.plan import Plan
from breakeven.core.recommend import Hosted
from breakeven.core.throughput import Capacity
from breakeven.core.units import count
from breakeven.output import age, money, plan_line, table

Api = ApiEquivalent | Hosted

# Input and output; what is paid for cached input follows.
_RATES: Final = "Price per 1M in/out"
_HEADERS: Final = ["API", "Per month", "Per 1M tokens", "Break-even requests a month", "Reachable", _RATES]
_CHOICES: Final = {"self-host": "self-host", "api": "use the API", "hybrid": "hybrid", "undecided": "undecided"}


def text(comparison: Comparison, at: date) -> str:
    """One row an API; below, what the plan can serve, and the decision."""
    rows = [_row(comparison.plan, api, at) for api in comparison.equivalents]
    reasons = "\n".join(f"  - {reason}" for reason in comparison.decision.reasons)
    parts = [
        table.text(_HEADERS, rows) if rows else "",
        "\n".join(sources(comparison.equivalents, at)),
        capacity(comparison.plan),
        f"Decision: {_CHOICES[comparison.decision.choice]}\n{reasons}",
    ]
    return "\n\n".join(part for part in parts if part)


def markdown(comparison: Comparison, at: date) -> str:
    rows = [_row(comparison.plan, api, at) for api in comparison.equivalents]
    reasons = "\n".join(f"- {reason}" for reason in comparison.decision.reasons)
    return "\n\n".join(
        [
            f"**Decision: {_CHOICES[comparison.decision.choice]}**",
            reasons,
            table.markdown(_HEADERS, rows),
            "\n".join(f"- {line}" for line in sources(comparison.equivalents, at)),
            capacity(comparison.plan),
        ]
    )


def sources(apis: Sequence[Api], at: date) -> list[str]:
    """Each source once; of several, whose prices it has."""
    found: dict[str, list[str]] = {}
    for api in apis:
        source, mark = api.source.rpartition(": ")[0], age.stale(api.checked, reckoned(api, at))
        found.setdefault(f"{source} ({mark})" if mark else source, []).append(api.comparator)
    if len(found) == 1:
        return [f"API prices: {source}" for source in found]
    return [f"API price of {', '.join(names)}: {source}" for source, names in found.items()]


def rates(api: Api) -> str:
    """`$0.15/$0.60`, with the price book's own name where it has another one."""
    return api.source.rpartition(": ")[2].replace(" per million tokens", "")


def data(comparison: Comparison, at: date) -> list[dict[str, Any]]:
    """JSON-ready; money as decimal strings."""
    return [_data(comparison.plan, api, at) for api in comparison.equivalents]


def _data(plan: Plan, api: ApiEquivalent, at: date) -> dict[str, Any]:
    found = api.break_even
    return {
        "comparator": api.comparator,
        "usd_per_request": f"{api.usd_per_request:f}",
        "monthly_usd": str(api.monthly_usd),
        "usd_per_million_tokens": f"{usd_per_million_tokens(plan, api.monthly_usd):.4f}",
        "break_even_requests_per_month": api.break_even_requests_per_month,
        "break_even_requests_per_second": round(found.peak_requests_per_second, 4) if found else None,
        "break_even_utilisation": round(found.utilisation, 4) if found else None,
        "break_even_nodes": found.nodes if found else None,
        "reachable": api.reachable,
        "source": api.source,
        "checked": api.checked.isoformat(),
        **age.data(api.checked, reckoned(api, at)),
    }


def decision_data(comparison: Comparison) -> dict[str, Any]:
    found = comparison.decision
    return {
        "choice": found.choice,
        "reasons": list(found.reasons),
        "self_hosted_share": None if found.self_hosted_share is None else round(found.self_hosted_share, 4),
    }


def capacity(plan: Plan) -> str:
    """What the plan serves of that shape, estimated or measured, and how busy the traffic keeps it."""
    headroom = plan.deployment.headroom
    network = f"\n{plan_line.NETWORK}" if plan.split.nodes > 1 else ""
    return (
        f"{_served(plan)}.\n"
        f"With {_percent(headroom.target_utilisation)} of that at the peak it carries {plan.requests_per_month:,} "
        f"requests a month; this traffic keeps it {_percent(plan.utilisation)} busy.{network}"
    )


def _served(plan: Plan) -> str:
    """With the band of an estimate, and with source and date of what is measured."""
    one = plan.capacity
    low, high, saturated = (
        plan.most_replicas * rate for rate in (one.low, one.high, one.saturated_requests_per_second)
    )
    within = f"within {plan.deployment.slo}"
    measured = f"measured {one.date}: {one.source}"
    if one.basis == "measured":
        also = "measured, too" if one.saturated_basis == "measured" else "estimated"
        served = f"This plan serves {plan.requests_per_second:,.2f} requests/s of that shape {within}, {measured}"
        return f"{served}; {saturated:,.2f} saturated, {also}"
    served = (
        f"This plan serves about {plan.requests_per_second:,.2f} requests/s of that shape ({low:,.2f} to {high:,.2f})"
    )
    if one.saturated_basis == "measured":
        return f"{served} {within}, estimated from {saturated:,.2f} saturated, {measured}"
    return f"{served} {within}; {saturated:,.2f} saturated"


def capacity_data(capacity: Capacity) -> dict[str, Any]:
    """Where `requests_per_second` and `saturated_requests_per_second` are from."""
    return {
        "basis": capacity.basis,
        "saturated_basis": capacity.saturated_basis,
        "source": capacity.source,
        "date": None if capacity.date is None else capacity.date.isoformat(),
    }


def _percent(share: float) -> str:
    return "under 1 %" if share < 0.01 else f"{100 * share:.0f} %"


def reckoned(api: Api, at: date) -> date:
    """A price book knows the days before it was published, too: nothing in it is older than itself."""
    return max(at, api.checked)


def reachable(plan: Plan, api: ApiEquivalent) -> str:
    """`yes`, `never`, `unknown`, or with how many nodes it would be: `from 3 nodes`."""
    if api.reachable is False and api.break_even and api.break_even.nodes:
        noun = "replica" if plan.facts.profile.is_serverless else "node"
        return f"from {count(api.break_even.nodes, noun)}"
    return {True: "yes", False: "never", None: "unknown"}[api.reachable]


def _row(plan: Plan, api: ApiEquivalent, at: date) -> list[str]:
    requests = api.break_even_requests_per_month
    return [
        api.comparator,
        money.usd(api.monthly_usd),
        money.usd(usd_per_million_tokens(plan, api.monthly_usd)),
        "-" if requests is None else f"{requests:,}",
        reachable(plan, api),
        rates(api),
    ]
