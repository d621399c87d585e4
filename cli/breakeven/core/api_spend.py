"""What the same traffic costs at an API, and where the two bills meet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from breakeven.core.api_rates import ApiPrice
from breakeven.core.break_even import BreakEven, break_even
from breakeven.core.cost import CostProjection
from breakeven.core.plan import Plan
from breakeven.core.units import cents


@dataclass(frozen=True, kw_only=True)
class ApiEquivalent:
    """The workload at one API. No break-even (None) when each request costs more here than there.

    `reachable` says whether the plan's own capacity can serve the break-even traffic; None, and no break-even, where
    a price of the plan is unknown.
    """

    comparator: str
    usd_per_request: Decimal
    monthly_usd: Decimal
    break_even: BreakEven | None
    reachable: bool | None
    source: str
    checked: date

    @property
    def break_even_requests_per_month(self) -> int | None:
        return self.break_even.requests_per_month if self.break_even else None


def api_equivalent(plan: Plan, projection: CostProjection, price: ApiPrice) -> ApiEquivalent:
    """Price the plan's workload at one API and find the break-even."""
    found = break_even(plan, projection, price.usd_per_request)
    return ApiEquivalent(
        comparator=price.comparator,
        usd_per_request=price.usd_per_request,
        monthly_usd=cents(price.usd_per_request * plan.workload.requests_per_month),
        break_even=found,
        reachable=None if projection.unknown else found is not None and found.reachable,
        source=price.source,
        checked=price.checked,
    )


def cheapest(equivalents: tuple[ApiEquivalent, ...]) -> ApiEquivalent | None:
    """The one that speaks for the API."""
    return min(equivalents, key=lambda api: api.monthly_usd, default=None)
