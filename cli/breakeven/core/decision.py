"""Self-host or API: the brief's flowchart, volume first, then break-even."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from breakeven.core.api_spend import ApiEquivalent
from breakeven.core.cost import CostProjection
from breakeven.core.plan import Plan

# The brief's thresholds, in requests a month.
API_BELOW_REQUESTS: Final = 100_000
BREAK_EVEN_ABOVE_REQUESTS: Final = 500_000


@dataclass(frozen=True, kw_only=True)
class Decision:
    """`reasons` are sentences in the order of the flowchart."""

    choice: Literal["self-host", "api", "undecided"]
    reasons: tuple[str, ...]


def decide(plan: Plan, projection: CostProjection, equivalents: tuple[ApiEquivalent, ...]) -> Decision:
    """The cheaper side for this traffic. The cheapest comparator speaks for the API."""
    requests = plan.workload.requests_per_month
    if requests < API_BELOW_REQUESTS:
        return Decision(choice="api", reasons=(f"{requests:,} requests a month are below {API_BELOW_REQUESTS:,}",))
    if not equivalents:
        return Decision(choice="undecided", reasons=("no API to compare with",))
    if projection.unknown:
        return Decision(choice="undecided", reasons=(f"the price of {', '.join(projection.unknown)} is unknown",))
    volume = _volume_reason(requests)
    if plan.workload.peak_requests_per_second > plan.requests_per_second:
        return Decision(choice="api", reasons=(volume, _too_small_reason(plan)))
    cheapest = min(equivalents, key=lambda api: api.monthly_usd)
    return _by_price(projection, cheapest, volume)


def _by_price(projection: CostProjection, cheapest: ApiEquivalent, volume: str) -> Decision:
    difference = projection.monthly_usd - cheapest.monthly_usd
    if difference >= 0:
        reason = f"{cheapest.comparator} costs ${difference:,.2f} a month less than this plan"
        return Decision(choice="api", reasons=(volume, reason, _break_even_reason(cheapest)))
    reason = f"this plan costs ${-difference:,.2f} a month less than {cheapest.comparator}, the cheapest API compared"
    return Decision(choice="self-host", reasons=(volume, reason))


def _volume_reason(requests: int) -> str:
    if requests > BREAK_EVEN_ABOVE_REQUESTS:
        return f"{requests:,} requests a month are above {BREAK_EVEN_ABOVE_REQUESTS:,}: break-even decides"
    return f"{requests:,} requests a month are a middling volume: break-even decides"


def _too_small_reason(plan: Plan) -> str:
    return (
        f"the traffic peaks at {plan.workload.peak_requests_per_second:,.2f} requests/s, "
        f"this plan serves about {plan.requests_per_second:,.2f} within {plan.deployment.slo}"
    )


def _break_even_reason(cheapest: ApiEquivalent) -> str:
    if cheapest.break_even_requests_per_month is None:
        return "it never breaks even: each request costs more here than there"
    reach = "this plan could serve that" if cheapest.reachable else "this plan cannot serve that many"
    return f"break-even is at {cheapest.break_even_requests_per_month:,} requests a month; {reach}"
