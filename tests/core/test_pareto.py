from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.core.dominance import dominates

from breakeven.core.pareto import front


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A rival made up for the tests."""

    monthly_usd: Decimal = Decimal(1000)
    request_s: float = 10.0
    times_traffic: float = 2.0
    concessions: frozenset[str] = frozenset()
    model: str = "one"
    fastest_share: float = 1.0

    @property
    def fastest_s(self) -> float:
        return self.request_s * self.fastest_share

    @property
    def preference(self) -> tuple[object, ...]:
        return (self.model,)


def is_interchangeable(one: Plan, other: Plan) -> bool:
    return True


def is_same_model(one: Plan, other: Plan) -> bool:
    return one.model == other.model


BASE = Plan()

plans = st.builds(
    Plan,
    monthly_usd=st.integers(1, 5).map(Decimal),
    request_s=st.floats(0.5, 4),
    times_traffic=st.floats(1, 8),
    concessions=st.frozensets(st.sampled_from(["spot", "quantised"])),
    model=st.sampled_from(["one", "two"]),
    fastest_share=st.floats(0.1, 1),
)


def test_a_dearer_plan_has_to_be_better_by_the_band() -> None:
    dearer = replace(BASE, monthly_usd=Decimal(2000))
    # 10 s ÷ 1.3 = 7.69; 2 × 1.3 = 2.6.
    for same in (dearer, replace(dearer, request_s=7.7), replace(dearer, times_traffic=2.6)):
        assert front([same, BASE], is_interchangeable) == (BASE,)
    for better in (replace(dearer, request_s=7.6), replace(dearer, times_traffic=2.7)):
        assert front([better, BASE], is_interchangeable) == (BASE, better)


def test_of_equal_bills_the_one_that_stands_for_the_others() -> None:
    fast, roomy = replace(BASE, request_s=9.0), replace(BASE, times_traffic=9.0)
    assert front([fast, BASE, roomy], is_interchangeable) == (roomy,)


def test_a_concession_for_less_than_the_band_is_not_worth_a_look() -> None:
    conceded = replace(BASE, request_s=8.0, times_traffic=2.5, concessions=frozenset({"quantised"}))
    assert front([conceded, BASE], is_interchangeable) == (BASE,)


def test_what_asks_for_more_displaces_nothing() -> None:
    spot = replace(BASE, monthly_usd=Decimal(400), concessions=frozenset({"spot"}))
    quantised = replace(BASE, monthly_usd=Decimal(500), concessions=frozenset({"quantised"}))
    both = replace(BASE, monthly_usd=Decimal(600), concessions=frozenset({"spot", "quantised"}))
    assert front([BASE, both, quantised, spot], is_interchangeable) == (spot, quantised, BASE)


def test_models_that_are_no_substitutes_are_not_compared() -> None:
    other = replace(BASE, monthly_usd=Decimal(9000), model="two")
    assert front([other, BASE], is_same_model) == (BASE, other)
    assert front([other, BASE], is_interchangeable) == (BASE,)


@given(st.lists(plans, min_size=1, max_size=30))
def test_none_is_dominated_by_any_plan_that_there_was(rivals: list[Plan]) -> None:
    found = front(rivals, is_interchangeable)
    assert not [one for one in found for other in rivals if dominates(other, one)]
    assert found[0].monthly_usd == min(one.monthly_usd for one in rivals)
    assert list(found) == sorted(found, key=lambda one: one.monthly_usd)


@given(st.lists(plans, min_size=1, max_size=30))
def test_what_is_left_out_is_no_better_than_something_cheaper(rivals: list[Plan]) -> None:
    found = front(rivals, is_same_model)
    for one in rivals:
        assert one in found or any(
            other.model == one.model
            and other.concessions <= one.concessions
            and other.monthly_usd <= one.monthly_usd
            and other.request_s <= one.request_s * 1.3
            and other.times_traffic * 1.3 >= one.times_traffic
            for other in found
        )


@given(st.lists(plans, min_size=1, max_size=20), st.floats(0.1, 1))
def test_a_looser_bound_of_the_speed_changes_nothing(rivals: list[Plan], share: float) -> None:
    looser = [replace(one, fastest_share=one.fastest_share * share) for one in rivals]
    kept = [replace(one, fastest_share=1.0) for one in front(looser, is_interchangeable)]
    assert kept == [replace(one, fastest_share=1.0) for one in front(rivals, is_interchangeable)]


@given(st.lists(plans, min_size=1, max_size=20), plans)
def test_one_plan_more_never_makes_the_cheapest_dearer(rivals: list[Plan], more: Plan) -> None:
    assert front([*rivals, more], is_interchangeable)[0].monthly_usd <= front(rivals, is_interchangeable)[0].monthly_usd
