from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven import load
from breakeven.core.break_even import break_even
from breakeven.core.cost import project
from breakeven.core.deployment import Deployment
from breakeven.core.plan import Plan, plan
from breakeven.core.serverless import serving
from breakeven.core.workload import Workload

Planned = Callable[..., Plan]


def test_the_briefs_example(planned: Planned) -> None:
    # 9,500 ÷ 0.000195 = 48,717,948.7; ÷ 2,628,000 = 18.54 a second; ÷ 5.04 = 3.68
    found = planned("4xa100")
    meets = break_even(found, project(found), Decimal("0.000195"))
    assert meets is not None
    assert meets.requests_per_month == 48_717_949
    assert meets.peak_requests_per_second == pytest.approx(18.54, abs=0.01)
    assert meets.utilisation == pytest.approx(3.68, abs=0.01)
    # A node serves 10,200,000 for 8,000, and they cost 1,989 there: more nodes lose more.
    assert (meets.reachable, meets.nodes) == (False, None)


def test_more_nodes_share_what_is_fixed(planned: Planned) -> None:
    # 10,199,000 × 0.0008 = 8,159 a node, 159 more than its rent; 1,500 ÷ 159 = 9.4 nodes.
    found = planned("4xa100")
    meets = break_even(found, project(found), Decimal("0.0008"))
    assert meets is not None
    assert (meets.reachable, meets.nodes) == (False, 10)
    for nodes, enough in ((9, False), (10, True)):
        more = planned("4xa100", nodes=nodes)
        there = break_even(more, project(more), Decimal("0.0008"))
        assert there is not None and there.reachable is enough


def test_peaky_traffic_is_reached_later(planned: Planned) -> None:
    def reachable(peak_to_mean: float) -> bool:
        found = planned("4xa100", replicas=1, workload=Workload(peak_to_mean=peak_to_mean))
        meets = break_even(found, project(found), Decimal("0.00325"))
        return meets is not None and meets.reachable

    # 2,923,077 of 10,200,000 a month: up to 3.5 times the mean.
    assert reachable(3.4) and not reachable(3.6)


def test_a_serverless_bill_grows_with_the_traffic(planned: Planned) -> None:
    # At 0.00005 each further request costs less here than there only above 0.0000424: 1,500 ÷ 0.0000076.
    found = planned("serverless")
    meets = break_even(found, project(found), Decimal("0.00005"))
    assert meets is not None
    assert 190_000_000 < meets.requests_per_month < 205_000_000
    assert break_even(found, project(found), Decimal("0.00004")) is None


@given(st.sampled_from(sorted(load.profiles())), st.decimals(min_value="0.00001", max_value="0.1", places=6))
def test_break_even_times_the_price_is_the_bill(profile: str, usd_per_request: Decimal) -> None:
    deployment = Deployment(profile=profile)
    found = plan(deployment, load.facts(deployment))
    meets = break_even(found, project(found), usd_per_request)
    if meets is None:
        return
    # A start more or less is 0.22.
    bill = project(serving(found, meets.requests_per_month)).monthly_usd
    assert 0 <= meets.requests_per_month * usd_per_request - bill < usd_per_request + Decimal("0.50")
