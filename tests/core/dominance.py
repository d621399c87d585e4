"""Whether a plan is worse than another in every way that counts."""

from __future__ import annotations

from breakeven.core.pareto import Rival


def dominates(one: Rival, other: Rival) -> bool:
    """Nowhere worse, and somewhere better."""
    nowhere_worse = (
        one.monthly_usd <= other.monthly_usd
        and one.request_s <= other.request_s
        and one.times_traffic >= other.times_traffic
        and one.concessions <= other.concessions
    )
    return nowhere_worse and _merits(one) != _merits(other)


def _merits(one: Rival) -> tuple[object, ...]:
    return one.monthly_usd, one.request_s, one.times_traffic, one.concessions
