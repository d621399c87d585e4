from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from breakeven.core.api_rates import ApiPrice
from breakeven.core.comparison import compare
from breakeven.core.plan import Plan
from breakeven.core.tco import TcoFactor, tco

Planned = Callable[..., Plan]


def factors(plan: Plan) -> tuple[TcoFactor, ...]:
    price = ApiPrice(comparator="a/b", usd_per_request=Decimal("0.000195"), source="test", checked=date(2026, 11, 24))
    found = compare(plan, [price])
    return tco(plan, found.projection, found.cheapest)


def test_both_sides_have_all_kinds(planned: Planned) -> None:
    kinds = {(one.side, one.kind) for one in factors(planned("4xa100"))}
    assert kinds == {(side, kind) for side in ("self-host", "api") for kind in ("direct", "hidden", "saved")}


def test_idle_capacity_is_the_rent_that_serves_nobody(planned: Planned) -> None:
    # 0.3805 of 5.0427 requests/s: 92.45 % of 8,000.
    plan = planned("4xa100")
    (idle,) = [one for one in factors(plan) if one.name == "idle capacity"]
    assert idle.monthly_usd == Decimal("7396.34")
    assert idle.part_of == "GPU rent"
    assert "idle capacity" not in {one.name for one in factors(planned("serverless"))}


def test_what_one_side_spends_the_other_saves(planned: Planned) -> None:
    found = {(one.side, one.kind, one.name): one.monthly_usd for one in factors(planned("4xa100"))}
    assert found["self-host", "saved", "a/b"] == found["api", "direct", "a/b"] == Decimal("195.00")
    assert found["api", "saved", "Operations"] == found["self-host", "direct", "Operations"] == Decimal("1000.00")
