"""Where the bill of a plan and that of an API meet, and whether a plan of that kind can serve so much."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from math import ceil
from typing import Final

from breakeven.core.cost import CostProjection, project
from breakeven.core.plan import Plan
from breakeven.core.rent import rent_lines
from breakeven.core.serverless import serving
from breakeven.core.units import SECONDS_PER_MONTH

# 38,000 requests a second. Who gets here does not break even.
_MOST_REQUESTS: Final = 10**11


@dataclass(frozen=True, kw_only=True)
class BreakEven:
    """The smallest traffic at which the API costs at least as much.

    `utilisation` is that traffic's mean ÷ the plan's capacity. `reachable` holds its peak, with the headroom that was
    asked for, against the capacity; where it is False, `nodes` of the profile (serverless: replicas) would reach a
    break-even of their own, or none would (None).
    """

    requests_per_month: int
    peak_requests_per_second: float
    utilisation: float
    reachable: bool
    nodes: int | None


def break_even(plan: Plan, projection: CostProjection, usd_per_request: Decimal) -> BreakEven | None:
    """None where the API never costs as much, or a price of the plan is unknown."""
    if projection.unknown or usd_per_request <= 0:
        return None
    requests = _requests(plan, projection, usd_per_request)
    if requests is None:
        return None
    mean = requests / SECONDS_PER_MONTH
    reachable = requests <= plan.requests_per_month
    return BreakEven(
        requests_per_month=requests,
        peak_requests_per_second=mean * plan.workload.peak_to_mean,
        utilisation=mean / plan.requests_per_second,
        reachable=reachable,
        nodes=None if reachable else _nodes(plan, projection, usd_per_request, requests),
    )


def _requests(plan: Plan, projection: CostProjection, usd_per_request: Decimal) -> int | None:
    """Rented nodes cost the same whatever they serve; a serverless bill grows with the traffic, and is searched."""
    if plan.facts.profile.is_serverless:
        return _search(plan, usd_per_request)
    return int((projection.monthly_usd / usd_per_request).to_integral_value(rounding=ROUND_CEILING))


def _search(plan: Plan, usd_per_request: Decimal) -> int | None:
    """The first traffic at which the API is dearer: it is never where each further request costs more here."""

    def is_dearer(requests: int) -> bool:
        return usd_per_request * requests >= project(serving(plan, requests)).monthly_usd

    low, high = 0, 1
    while not is_dearer(high):
        low, high = high, 2 * high
        if high > _MOST_REQUESTS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_dearer(middle) else (middle, high)
    return high


def _nodes(plan: Plan, projection: CostProjection, usd_per_request: Decimal, requests: int) -> int | None:
    """The fewest full nodes whose own traffic would cost as much at the API as they do; those of a replica together.

    n nodes cost n × rent + the rest, and serve n × capacity: n ≥ rest ÷ (capacity × price − rent). Serverless replicas
    cost nothing but what they serve.
    """
    if plan.facts.profile.is_serverless:
        return ceil(requests / plan.at(1).requests_per_month)
    together = plan.split.nodes
    rented = sum((line.monthly_usd or Decimal(0) for line in rent_lines(plan)), Decimal(0))
    full = plan.at(together * plan.facts.profile.gpus_per_node // plan.split.gpus)
    earned = full.requests_per_month * usd_per_request - rented / plan.nodes * together
    rest = projection.monthly_usd - rented
    return together * max(1, ceil(rest / earned)) if earned > 0 else None
