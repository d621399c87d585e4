"""What the same traffic costs at an API, and where the two bills meet."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from breakeven.core.cost import CostProjection
from breakeven.core.plan import Plan
from breakeven.core.units import cents


@dataclass(frozen=True, kw_only=True)
class ApiPrice:
    """One average request of the workload at one API model, `provider/model`; never a month's tokens in one call."""

    comparator: str
    usd_per_request: Decimal
    source: str


@dataclass(frozen=True, kw_only=True)
class ApiEquivalent:
    """The workload at one API. No break-even (None) when each request costs more here than there.

    `reachable` says whether the plan's own capacity can serve the break-even traffic; None, and no break-even, where
    a price of the plan is unknown.
    """

    comparator: str
    monthly_usd: Decimal
    break_even_requests_per_month: int | None
    reachable: bool | None
    source: str


def api_equivalent(plan: Plan, projection: CostProjection, price: ApiPrice) -> ApiEquivalent:
    """Price the plan's workload at one API and find the break-even."""
    break_even = _break_even(projection, price.usd_per_request)
    return ApiEquivalent(
        comparator=price.comparator,
        monthly_usd=cents(price.usd_per_request * plan.workload.requests_per_month),
        break_even_requests_per_month=break_even,
        reachable=None if projection.unknown else _can_serve(plan, break_even),
        source=price.source,
    )


def _break_even(projection: CostProjection, usd_per_request: Decimal) -> int | None:
    """Smallest number of requests a month at which the API costs at least as much."""
    saved = usd_per_request - projection.usd_per_request
    if saved <= 0 or projection.unknown:
        return None
    return int((projection.fixed_monthly_usd / saved).to_integral_value(rounding=ROUND_CEILING))


def _can_serve(plan: Plan, requests_per_month: int | None) -> bool:
    return requests_per_month is not None and requests_per_month <= plan.requests_per_month
