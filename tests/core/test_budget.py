from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.core.api_spend import ApiEquivalent
from breakeven.core.budget import Approval, Override, Ruling, Verdict, judge
from breakeven.core.cost import CostProjection
from breakeven.core.cost_diff import CostDiff, cost_diff
from breakeven.core.cost_line import CostLine
from breakeven.core.deployment import Budget
from breakeven.errors import GateError, InputError

OVERRIDE = Override(reason="launch week", at="2026-11-24T14:00:00Z")
REFUSED = Verdict(rulings=(Ruling(limit="max_usd_per_month", passes=False, detail="too dear"),))

USD = st.decimals(min_value=0, max_value=20_000, places=2)
LIMITS = st.builds(
    Budget,
    max_usd_per_month=st.none() | USD,
    max_increase_usd=st.none() | USD,
    max_increase_percent=st.none() | st.floats(0, 300),
    max_usd_above_api=st.none() | USD,
    allow_unknown_prices=st.booleans(),
)


def change(before: object, after: object, *, unknown: bool = False) -> CostDiff:
    """One line of rent on either side, and on request a volume without a price after."""
    volume = (line("Weights storage", None),) if unknown else ()
    sides = [(line("GPU rent", Decimal(str(usd))),) if usd else () for usd in (before, after)]
    return cost_diff(CostProjection(lines=sides[0]), CostProjection(lines=(*sides[1], *volume)))


def line(name: str, usd: Decimal | None) -> CostLine:
    return CostLine(name=name, monthly_usd=usd, detail="", source="")


def api(usd: object, comparator: str = "openai/gpt-4o") -> ApiEquivalent:
    return ApiEquivalent(
        comparator=comparator,
        usd_per_request=Decimal(0),
        monthly_usd=Decimal(str(usd)),
        break_even=None,
        reachable=None,
        source="",
        checked=date(2026, 11, 10),
    )


CASES: list[tuple[dict[str, object], CostDiff, list[ApiEquivalent], str]] = [
    ({"max_usd_per_month": 9500}, change(0, 9500), [], ""),
    (
        {"max_usd_per_month": 9499},
        change(0, 9500),
        [],
        "the bill is $9,500.00 a month, max_usd_per_month is $9,499.00",
    ),
    ({"max_increase_usd": 500}, change(9000, 9500), [], ""),
    (
        {"max_increase_usd": 499},
        change(9000, 9500),
        [],
        "the bill changes by $500.00 a month, max_increase_usd is $499.00",
    ),
    ({"max_increase_usd": 0}, change(9500, 9000), [], ""),
    (
        {"max_increase_usd": 9499},
        change(0, 9500),
        [],
        "the bill changes by $9,500.00 a month, max_increase_usd is $9,499",
    ),
    ({"max_increase_percent": 50.0}, change(2, 3), [], ""),
    # 1 of 3 is 33.33… %, and more than 33.33 %.
    ({"max_increase_percent": 33.33}, change(3, 4), [], "the bill changes by 33.34 %, max_increase_percent is 33.33"),
    ({"max_increase_percent": 0.0}, change(0, 9500), [], ""),
    ({"max_usd_above_api": 0}, change(0, 195), [api(195)], ""),
    (
        {"max_usd_above_api": 9304},
        change(0, 9500),
        [api(3250), api(195, "openai/gpt-4o-mini")],
        "the bill minus that of openai/gpt-4o-mini is $9,305.00 a month, max_usd_above_api is $9,304.00",
    ),
    ({"max_usd_above_api": 10**6}, change(0, 1), [], "there is no API to hold max_usd_above_api against"),
    ({}, change(0, 9500, unknown=True), [], "the price of Weights storage is unknown"),
    ({"allow_unknown_prices": True}, change(0, 9500, unknown=True), [], ""),
    (
        {"allow_unknown_prices": True, "max_usd_per_month": 9499},
        change(0, 9500, unknown=True),
        [],
        "the bill is $9,500.00 a month, max_usd_per_month is $9,499.00",
    ),
    ({}, change(0, 10**9), [], ""),
]


@pytest.mark.parametrize(("limits", "bill", "apis", "reason"), CASES)
def test_a_verdict_and_its_reason(
    limits: dict[str, object], bill: CostDiff, apis: list[ApiEquivalent], reason: str
) -> None:
    given_ = {key: Decimal(str(value)) if type(value) is int else value for key, value in limits.items()}
    found = judge(Budget(**given_), bill, apis)  # type: ignore[arg-type]
    assert found.passes == (reason == "")
    assert "; ".join(found.reasons).startswith(reason)


def test_every_limit_that_is_given_is_ruled_on() -> None:
    one = Decimal(1)
    limits = Budget(max_usd_per_month=one, max_increase_usd=one, max_increase_percent=1.0, max_usd_above_api=one)
    found = judge(limits, change(1, 2, unknown=True), [api(1)])
    assert [(ruling.limit, ruling.passes) for ruling in found.rulings] == [
        ("allow_unknown_prices", False),
        ("max_usd_per_month", False),
        ("max_increase_usd", True),
        ("max_increase_percent", False),
        ("max_usd_above_api", True),
    ]


@pytest.mark.parametrize("key", ["max_usd_per_month", "max_increase_usd", "max_usd_above_api"])
def test_a_limit_below_zero_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=f"{key} must be 0 or above"):
        Budget(**{key: Decimal(-1)})  # type: ignore[arg-type]


def test_an_approval_needs_a_verdict_that_passes_or_a_reason() -> None:
    with pytest.raises(GateError, match=r"^too dear; nothing was applied$") as caught:
        Approval(verdict=REFUSED)
    assert caught.value.exit_code == 6
    assert "--override-budget" in caught.value.hint
    assert Approval(verdict=REFUSED, override=OVERRIDE).overridden == {
        "reason": "launch week",
        "at": "2026-11-24T14:00:00Z",
        "exceeded": ["too dear"],
    }


def test_an_override_that_was_not_needed_is_not_recorded() -> None:
    assert Approval(verdict=Verdict(rulings=()), override=OVERRIDE).overridden is None


@pytest.mark.parametrize("reason", ["", "  ", "a\nb", "\x1b[31m", "x" * 501])
def test_a_reason_is_a_line_of_text(reason: str) -> None:
    with pytest.raises(InputError, match="--override-budget"):
        Override(reason=reason, at="")


@given(LIMITS, USD, USD, st.booleans(), st.lists(USD.map(api), max_size=3))
def test_a_dearer_bill_never_passes_where_a_cheaper_one_fails(
    budget: Budget, before: Decimal, after: Decimal, unknown: bool, apis: list[ApiEquivalent]
) -> None:
    judged = [judge(budget, change(before, usd, unknown=unknown), apis).passes for usd in (after, after + 1)]
    assert judged in ([True, True], [True, False], [False, False])


@given(LIMITS, USD, USD, st.lists(USD.map(api), min_size=1, max_size=3))
def test_without_the_limits_that_refuse_it_passes(
    budget: Budget, before: Decimal, after: Decimal, apis: list[ApiEquivalent]
) -> None:
    bill = change(before, after)
    refused = {ruling.limit for ruling in judge(budget, bill, apis).rulings if not ruling.passes}
    loose: dict[str, Any] = dict.fromkeys(refused)
    assert judge(replace(budget, **loose), bill, apis).passes
