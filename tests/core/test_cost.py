from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven import load
from breakeven.core.cost import CostProjection, cost_range, offered_rents, project, usd_per_million_tokens
from breakeven.core.cost_line import CostLine
from breakeven.core.deployment import Deployment, FixedInfrastructure, Prices, Weights
from breakeven.core.plan import Plan, plan
from breakeven.core.scaling import Scaling

Planned = Callable[..., Plan]


def amounts(projection: CostProjection) -> dict[str, str]:
    return {line.name: str(line.monthly_usd) for line in projection.lines}


def test_the_briefs_example(planned: Planned) -> None:
    # 8,000 + 1,000 + 500
    found = project(planned("4xa100"))
    assert amounts(found) == {"GPU rent": "8000.00", "Operations": "1000.00", "Setup, amortised": "500.00"}
    assert str(found.monthly_usd) == "9500.00"
    assert found.lines[0].detail == "1 node × $8,000.00, reference row of 4xa100"
    assert found.lines[0].checked == date(2026, 11, 24)


@pytest.mark.parametrize(("profile", "usd"), [("1xa100", "2000.00"), ("4xa100", "8000.00"), ("8xh100", "30000.00")])
def test_reference_rents_are_the_briefs(planned: Planned, profile: str, usd: str) -> None:
    assert amounts(project(planned(profile)))["GPU rent"] == usd


def test_whole_nodes_are_rented(planned: Planned) -> None:
    # 5 replicas of one GPU need 2 nodes of 4.
    found = project(planned("4xa100", model="Qwen/Qwen3-8B", replicas=5))
    assert amounts(found)["GPU rent"] == "16000.00"


def test_a_dated_offer_replaces_the_reference(planned: Planned) -> None:
    # 55.04 ÷ 8 = 6.88 a GPU; × 8 × 730 = 40,179.20
    line = project(planned("8xh100", prices=Prices(offer="aws-p5"))).lines[0]
    assert line.monthly_usd == Decimal("40179.20")
    assert line.detail == (
        "1 node × 8 GPUs × $6.88/GPU-h × 730 h, offer aws-p5 (AWS p5.48xlarge, us-east-1, on-demand)"
    )
    assert (line.source, line.checked) == (
        "https://github.com/datareceipts/data-receipts/tree/main/109-gpu-pricing",
        date(2026, 11, 9),
    )


def test_every_offer_of_the_same_gpus(planned: Planned) -> None:
    # Per GPU-hour 1.19, 1.39, 1.79 and 3.673; × 4 × 730.
    found = planned("4xa100")
    rents = offered_rents(found, load.offers_of(found.facts.profile))
    assert [str(rent.monthly_usd) for rent in rents] == ["3474.80", "4058.80", "5226.80", "10725.16"]


def test_a_volume_without_a_price_is_unknown_and_not_nothing(planned: Planned) -> None:
    found = project(planned("4xa100", weights=Weights(storage="pvc")))
    assert found.unknown == ("Weights storage",)
    assert amounts(found)["Weights storage"] == "None"
    assert found.monthly_usd == Decimal("9500.00")


def test_fixed_infrastructure_is_priced_or_named(planned: Planned) -> None:
    assert project(planned("4xa100")).not_included == ("Control plane", "CPU nodes", "Load balancer", "Egress")
    prices = Prices(fixed=FixedInfrastructure(control_plane_usd_per_month=Decimal(73), egress_usd_per_month=Decimal(0)))
    found = project(planned("4xa100", prices=prices))
    assert found.not_included == ("CPU nodes", "Load balancer")
    # 0 is a price. 8,000 + 73 + 0 + 1,000 + 500
    assert (amounts(found)["Control plane"], amounts(found)["Egress"]) == ("73.00", "0.00")
    assert found.monthly_usd == Decimal("9573.00")
    assert found.lines[1].source == "prices.fixed.control_plane_usd_per_month"


def test_spot_takes_an_allowance_for_interruptions(planned: Planned) -> None:
    # A spot rent of 10.00 an hour for the node × 730 = 7,300.00; 15 % of it 1,095.00.
    spot = replace(load.offers()["runpod-secure-a100"], commitment="spot", usd_per_hour=Decimal("2.50"), gpu_count=1)
    silent = planned("4xa100")
    silent = replace(silent, facts=silent.facts.at(spot))
    assert "interruptions" in project(silent).not_included
    told = planned("4xa100", prices=Prices(spot_interruption_allowance=0.15))
    found = project(replace(told, facts=told.facts.at(spot)))
    assert (amounts(found)["GPU rent"], amounts(found)["Interruptions"]) == ("7300.00", "1095.00")
    assert "interruptions" not in found.not_included


def test_day_and_year_by_hand(planned: Planned) -> None:
    # 8,000 × 24 ÷ 730 = 263.01; 1,000: 32.88; 500: 16.44. Twelve months of 730 h are 8,760 h.
    found = project(planned("4xa100"))
    assert [str(line.daily_usd) for line in found.lines] == ["263.01", "32.88", "16.44"]
    assert (str(found.daily_usd), str(found.yearly_usd)) == ("312.33", "114000.00")


def test_a_million_tokens_at_the_declared_traffic(planned: Planned) -> None:
    # 9,500 ÷ (1,000,000 × 700) × 1,000,000 = 13.571
    found = planned("4xa100")
    assert usd_per_million_tokens(found, Decimal("9500.00")) == pytest.approx(Decimal("13.571"), abs=Decimal("0.001"))


def test_scaling_has_a_range(planned: Planned) -> None:
    assert cost_range(planned("4xa100")) is None
    scaled = planned("4xa100", model="Qwen/Qwen3-8B", scaling=Scaling(max_replicas=9))
    between = cost_range(scaled)
    # One node at the least; nine GPUs need three.
    assert between is not None
    assert (str(between.low.monthly_usd), str(between.high.monthly_usd)) == ("9500.00", "25500.00")


def test_a_volume_is_priced_by_size(planned: Planned) -> None:
    # 135.4 GiB × 1.2 = 162.5, rounded up to 163; × 0.17 = 27.71
    prices = Prices(storage_usd_per_gib_month=Decimal("0.17"))
    found = project(planned("4xa100", weights=Weights(storage="pvc"), prices=prices))
    assert amounts(found)["Weights storage"] == "27.71"
    assert found.unknown == ()


def test_flat_prices_are_taken_as_given_even_if_zero(planned: Planned) -> None:
    prices = Prices(ops_usd_per_month=Decimal(0), setup_usd_per_month=Decimal("99.995"))
    found = project(planned("1xa100", prices=prices))
    assert amounts(found) == {"GPU rent": "2000.00", "Operations": "0.00", "Setup, amortised": "100.00"}
    assert found.lines[1].source == "prices.ops_usd_per_month"


def test_a_profile_without_any_price_is_unknown(planned: Planned) -> None:
    found = planned("1xa100")
    profile = replace(found.facts.profile, reference=replace(found.facts.profile.reference, usd_per_month=None))
    assert project(replace(found, facts=replace(found.facts, profile=profile))).unknown == ("GPU rent",)


@pytest.mark.parametrize("profile", sorted(load.profiles()))
def test_every_price_has_a_source(planned: Planned, profile: str) -> None:
    for line in project(planned(profile)).lines:
        assert line.source
        assert line.detail


@given(st.sampled_from(["1xa100", "4xa100", "8xh100"]), st.integers(1, 40), st.integers(0, 10))
def test_more_replicas_never_cost_less(profile: str, replicas: int, more: int) -> None:
    def bill(count: int) -> Decimal:
        deployment = Deployment(profile=profile, replicas=count)
        return project(plan(deployment, load.facts(deployment))).monthly_usd

    assert bill(replicas) <= bill(replicas + more)


@given(st.lists(st.decimals(min_value=0, max_value=10**6, places=2) | st.none(), max_size=6))
def test_columns_add_up(usd: list[Decimal | None]) -> None:
    lines = tuple(CostLine(name=str(n), monthly_usd=amount, detail="", source="") for n, amount in enumerate(usd))
    found = CostProjection(lines=lines)
    assert found.monthly_usd == sum(amount for amount in usd if amount is not None)
    assert len(found.unknown) == usd.count(None)


@given(
    st.sampled_from(sorted(load.profiles())),
    st.decimals(min_value=0, max_value=10**6, places=5),
    st.decimals(min_value=0, max_value=10, places=5),
)
def test_lines_are_rounded_before_they_are_summed(profile: str, ops: Decimal, per_gib: Decimal) -> None:
    prices = Prices(ops_usd_per_month=ops, storage_usd_per_gib_month=per_gib)
    deployment = Deployment(profile=profile, prices=prices, weights=Weights(storage="pvc"))
    found = project(plan(deployment, load.facts(deployment)))
    assert found.monthly_usd == sum(Decimal(f"{line.monthly_usd:.2f}") for line in found.lines)
