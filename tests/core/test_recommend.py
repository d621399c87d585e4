from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.dominance import dominates

from breakeven import load
from breakeven.core.api_rates import ApiPrice
from breakeven.core.cost import project
from breakeven.core.deployment import Deployment, Headroom
from breakeven.core.hardware import Offer
from breakeven.core.plan import plan
from breakeven.core.recommend import Recommendations, recommend
from breakeven.core.search import Wanted, search
from breakeven.core.shape import Shape, of_accelerator, of_profile
from breakeven.core.slo import Slo
from breakeven.core.workload import Workload
from breakeven.errors import InfeasibleError

PROFILES = load.profiles().values()
OFFERS = tuple(load.offers().values())
DAY = date(2026, 11, 24)
MODELS = ("Qwen/Qwen3-8B", "Qwen/Qwen3-32B")


def of_profiles() -> tuple[Shape, ...]:
    return tuple(of_profile(one, load.accelerator_of(one), load.offers_of(one)) for one in PROFILES)


def of_some(offers: Iterable[Offer] = OFFERS) -> tuple[Shape, ...]:
    """GPUs with and without fp8, and with and without a profile."""
    known, names = tuple(offers), ("a100-80gb", "h100-80gb", "l40s-48gb")
    return tuple(shape for one in names for shape in of_accelerator(load.accelerator(one), None, known, PROFILES))


def wanted(*models: str, shapes: tuple[Shape, ...] | None = None) -> list[Wanted]:
    nodes = of_profiles() if shapes is None else shapes
    return [Wanted(name=name, model=load.model(name), shapes=nodes) for name in models or MODELS]


def asked(**inputs: object) -> Deployment:
    return Deployment(profile="1xa100", **inputs)  # type: ignore[arg-type]


def hosted(usd_per_request: str) -> ApiPrice:
    return ApiPrice(comparator="openai/gpt-4o", usd_per_request=Decimal(usd_per_request), source="a test", checked=DAY)


traffic = st.builds(
    Workload,
    requests_per_month=st.integers(1, 300_000_000),
    input_tokens=st.integers(1, 4000),
    output_tokens=st.integers(1, 1000),
    peak_to_mean=st.floats(1, 5),
)
deployments = st.builds(
    asked,
    workload=traffic,
    slo=st.builds(Slo, ttft_p99_ms=st.floats(100, 5000), tpot_ms=st.floats(5, 100)),
    headroom=st.builds(Headroom, target_utilisation=st.floats(0.3, 1), spare_replicas=st.integers(0, 2)),
)


def recommended(deployment: Deployment, shapes: tuple[Shape, ...], max_usd: Decimal | None = None) -> Recommendations:
    """An API that is always within the budget: something is always found."""
    return recommend(deployment, wanted(shapes=shapes), [hosted("0")], DAY, max_usd=max_usd, interchangeable=True)


@given(deployments, st.integers(1500, 5000).map(Decimal))
@settings(max_examples=25, deadline=None)
def test_every_plan_keeps_the_objective_and_the_budget(deployment: Deployment, max_usd: Decimal) -> None:
    for one in recommended(deployment, of_some(), max_usd).best:
        assert one.monthly_usd <= max_usd
        assert one.plan.requests_per_month >= deployment.workload.requests_per_month
        assert deployment.slo.broken_by(one.mean_load) is None
        assert one.fastest_s <= one.request_s * (1 + 1e-9)


@given(deployments)
@settings(max_examples=10, deadline=None)
def test_no_plan_is_dominated(deployment: Deployment) -> None:
    best = recommended(deployment, of_some()).best
    everything = [one for each in wanted(shapes=of_some()) for one in search(deployment, each, DAY).priced]
    assert not [one for one in best for other in everything if dominates(other, one)]


@given(deployments, st.sets(st.sampled_from(OFFERS)), st.sampled_from(OFFERS))
@settings(max_examples=25, deadline=None)
def test_an_offer_more_never_makes_the_cheapest_dearer(deployment: Deployment, some: set[Offer], more: Offer) -> None:
    few = recommended(deployment, of_some(sorted(some, key=lambda one: one.name))).best
    many = recommended(deployment, of_some(sorted({*some, more}, key=lambda one: one.name))).best
    assert not few or many[0].monthly_usd <= few[0].monthly_usd


@given(deployments)
@settings(max_examples=25, deadline=None)
def test_a_plan_costs_what_the_other_verbs_price(deployment: Deployment) -> None:
    """Made anew from its inputs alone, as `deploy cost` does."""
    for one in recommended(deployment, of_profiles()).best:
        assert one.can_be_typed
        again = plan(one.plan.deployment, load.facts(one.plan.deployment))
        assert again == one.plan
        assert project(again) == one.projection


def test_the_cheapest_by_hand() -> None:
    # $1.39 × 730 h = $1,014.70, operations $1,000, setup $500. The A100 PCIe at $1.19 is another, slower GPU.
    found = recommend(asked(), wanted("Qwen/Qwen3-8B"), [hosted("0.003")], DAY, max_usd=Decimal(2600))
    firm = next(one for one in found.best if not one.concessions)
    assert (firm.plan.facts.profile.name, firm.monthly_usd) == ("1xa100", Decimal("2514.70"))
    # 1,000,000 × $0.003 is above the budget.
    assert found.hosted == ()
    assert found.misses == ()


def test_apis_stand_among_the_plans() -> None:
    cheap, dear = replace(hosted("0.0001"), comparator="openrouter/qwen/qwen3-8b"), hosted("0.01")
    found = recommend(asked(), wanted("Qwen/Qwen3-8B"), [dear, cheap], DAY)
    assert [one.monthly_usd for one in found.ranked] == sorted(one.monthly_usd for one in found.ranked)
    assert [one.monthly_usd for one in found.hosted] == [Decimal("100.00"), Decimal("10000.00")]
    assert [one.same_weights_as for one in found.hosted] == ["Qwen/Qwen3-8B", None]


def test_models_are_compared_only_where_each_would_do() -> None:
    def models(interchangeable: bool) -> set[str]:
        found = recommend(asked(), wanted(), [], DAY, interchangeable=interchangeable)
        return {one.plan.facts.model.name for one in found.best}

    assert models(False) == set(MODELS)
    assert models(True) == {"Qwen/Qwen3-8B"}


@pytest.mark.parametrize(
    ("model", "inputs", "max_usd", "reason", "hint"),
    [
        # Within the budget there is nothing: by how much the cheapest misses it.
        (
            "Qwen/Qwen3-8B",
            {},
            Decimal(1500),
            r"Qwen/Qwen3-8B on 1xa100, the cheapest, costs \$2,514\.70 a month, \$1,014\.70 more than the budget",
            "ask for --max-usd 2514.70 or more",
        ),
        (
            "Qwen/Qwen2.5-72B-Instruct",
            {"slo": Slo(tpot_ms=1)},
            None,
            r"Qwen/Qwen2.5-72B-Instruct on 8xh100 cannot keep TTFT p99 2,000 ms and TPOT 1 ms: even one request alone",
            "--tpot-ms above",
        ),
        (
            "moonshotai/Kimi-K2-Instruct",
            {},
            None,
            r"moonshotai/Kimi-K2-Instruct does not fit 8xh100, 8 × H100 80 GB SXM: needs [\d,.]+ GiB of weights",
            "choose a larger profile",
        ),
        (
            "Qwen/Qwen3-8B",
            {"workload": Workload(input_tokens=50_000)},
            None,
            r"a request of 50,200 tokens exceeds max_model_len 40,960 of Qwen/Qwen3-8B",
            "a model with a longer context",
        ),
    ],
)
def test_the_nearest_miss(
    model: str, inputs: dict[str, object], max_usd: Decimal | None, reason: str, hint: str
) -> None:
    with pytest.raises(InfeasibleError, match=f"no plan and no API will do; the nearest miss: {reason}") as raised:
        recommend(asked(**inputs), wanted(model), [], DAY, max_usd=max_usd)
    assert hint in raised.value.hint


def test_what_the_nearest_miss_asks_for_is_enough() -> None:
    with pytest.raises(InfeasibleError) as raised:
        recommend(asked(), wanted(), [], DAY, max_usd=Decimal(10))
    enough = Decimal(raised.value.hint.split()[3])
    assert recommend(asked(), wanted(), [], DAY, max_usd=enough).best[0].monthly_usd == enough


def test_a_model_without_a_plan_beside_one_that_has() -> None:
    found = recommend(asked(), wanted("Qwen/Qwen3-8B", "moonshotai/Kimi-K2-Instruct"), [], DAY)
    assert [miss.model for miss in found.misses] == ["moonshotai/Kimi-K2-Instruct"]
    assert {one.plan.facts.model.name for one in found.best} == {"Qwen/Qwen3-8B"}


def test_hardware_that_nothing_prices() -> None:
    with pytest.raises(InfeasibleError, match="no dated offer prices such a node"):
        recommend(asked(), wanted("Qwen/Qwen3-8B", shapes=()), [], DAY)


def test_spot_and_quantised_plans_stand_beside_firm_ones() -> None:
    offer = replace(load.offers()["runpod-secure-h100"], name="spot", commitment="spot", usd_per_hour=Decimal("0.5"))
    found = recommend(asked(), wanted("Qwen/Qwen3-32B", shapes=of_some([*OFFERS, offer])), [], DAY)
    by_concessions = {one.concessions: one for one in reversed(found.best)}
    assert by_concessions[frozenset({"spot"})].monthly_usd < by_concessions[frozenset()].monthly_usd
    assert frozenset({"spot", "quantised"}) in by_concessions or frozenset({"quantised"}) in by_concessions
