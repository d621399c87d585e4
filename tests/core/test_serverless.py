from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven import load
from breakeven.core.cost import project
from breakeven.core.deployment import Deployment
from breakeven.core.plan import Plan, plan
from breakeven.core.scaling import Scaling
from breakeven.core.serverless import on_time, serverless_lines, serving
from breakeven.core.workload import Workload

Planned = Callable[..., Plan]


def lines(found: Plan) -> dict[str, Decimal | None]:
    return {line.name: line.monthly_usd for line in serverless_lines(found)}


def at(planned: Planned, requests: int, scaling: Scaling | None = None) -> Plan:
    return planned("serverless", workload=Workload(requests_per_month=requests), scaling=scaling)


def test_steady_traffic_keeps_a_replica_on(planned: Planned) -> None:
    # One request every 2.6 s, each of 2.1 s and 60 s longer: never off. 2.4984 ÷ 3,600 × 2,628,000 = 1,823.83
    found = at(planned, 1_000_000)
    assert on_time(found).mean_replicas == pytest.approx(1, abs=1e-6)
    assert lines(found) == {"GPU seconds": Decimal("1823.83")}


def test_rare_requests_start_a_replica_each_time_by_hand(planned: Planned) -> None:
    # 1,000 a month: λ = 0.00038052/s. T = 2.1 + 60 s, λT = 0.02362; busy for (e^λT − 1) ÷ λ = 62.8 s.
    # A cycle: 2,628 s without a request, 322.5 s to start, 62.8 s on: 3,013 s, so 872 a month.
    found = at(planned, 1_000)
    rate = 1_000 / 2_628_000
    on_s = (exp(rate * (found.capacity.request_s + 60)) - 1) / rate
    starts = 2_628_000 / (1 / rate + found.startup_s + on_s)
    assert starts == pytest.approx(872, abs=1)
    assert on_time(found).cold_starts == round(starts)
    assert on_time(found).mean_replicas == pytest.approx(starts * on_s / 2_628_000)
    # 872 × 322.5 s × 0.000694/s = 195.2
    assert float(lines(found)["Cold starts"] or 0) == pytest.approx(195.2, abs=0.3)


def test_cold_starts_may_be_told(planned: Planned) -> None:
    # 100 × 322.5 × 0.000694 = 22.38
    assert lines(at(planned, 1_000, Scaling(cold_starts_per_month=100)))["Cold starts"] == Decimal("22.38")
    assert "Cold starts" not in lines(at(planned, 1_000, Scaling(cold_starts_per_month=0)))


def test_what_is_kept_warm_starts_never_and_serves_first(planned: Planned) -> None:
    # Two for the whole month: 2 × 1,823.83 = 3,647.66; they serve all there is.
    found = lines(at(planned, 1_000, Scaling(min_replicas=2, max_replicas=3)))
    assert found == {"GPU seconds": Decimal("0.00"), "Kept warm": Decimal("3647.66")}


def test_a_crowd_pays_for_as_many_as_it_keeps_at_their_capacity(planned: Planned) -> None:
    # 100,000,000 a month: 38.05 a second ÷ 16.36 = 2.326 replicas
    found = at(planned, 100_000_000)
    assert on_time(found).mean_replicas == pytest.approx(38.052 / found.capacity.requests_per_second, rel=1e-3)


@given(st.integers(1, 10**9), st.integers(0, 10**9))
def test_more_traffic_never_costs_less(requests: int, more: int) -> None:
    deployment = Deployment(profile="serverless")
    found = plan(deployment, load.facts(deployment))

    def on(count: int) -> float:
        time = on_time(serving(found, count))
        return time.mean_replicas * 2_628_000 + time.cold_starts * found.startup_s

    # Whole starts: half of one, twice.
    assert on(requests) <= on(requests + more) + found.startup_s


@given(st.integers(1, 10**7))
def test_on_is_never_more_than_always_below_one_replicas_capacity(requests: int) -> None:
    deployment = Deployment(profile="serverless")
    found = serving(plan(deployment, load.facts(deployment)), requests)
    time = on_time(found)
    assert time.mean_replicas * 2_628_000 + time.cold_starts * found.startup_s <= 2_628_000 + found.startup_s
    assert project(found).unknown == ()
