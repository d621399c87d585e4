from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven import load
from breakeven.core.api_rates import ApiPrice
from breakeven.core.api_spend import api_equivalent
from breakeven.core.cost import CostProjection, project
from breakeven.core.cost_line import CostLine
from breakeven.core.deployment import Deployment, Headroom, Weights
from breakeven.core.plan import Plan, plan
from breakeven.core.workload import Workload

Planned = Callable[..., Plan]

CHECKED = date(2026, 11, 10)

# 500 × 0.15 ÷ 1e6 + 200 × 0.60 ÷ 1e6
GPT_4O_MINI = ApiPrice(
    comparator="openai/gpt-4o-mini", usd_per_request=Decimal("0.000195"), source="test", checked=CHECKED
)


def fixed(usd: str) -> CostProjection:
    return CostProjection(lines=(CostLine(name="Rent", monthly_usd=Decimal(usd), detail="", source=""),))


def test_the_briefs_example(planned: Planned) -> None:
    # 1,000,000 × 0.000195 = 195.00; 9,500 ÷ 0.000195 = 48,717,948.7, so 48,717,949 requests.
    found = planned("4xa100")
    api = api_equivalent(found, project(found), GPT_4O_MINI)
    assert str(api.monthly_usd) == "195.00"
    assert api.break_even_requests_per_month == 48_717_949
    # 7.19 requests/s × 2,628,000 s = 18.9 million.
    assert api.reachable is False


def test_break_even_is_exact_where_it_divides(planned: Planned) -> None:
    # 195 ÷ 0.000195 = 1,000,000
    found = planned("4xa100")
    assert api_equivalent(found, fixed("195.00"), GPT_4O_MINI).break_even_requests_per_month == 1_000_000
    assert api_equivalent(found, fixed("195.01"), GPT_4O_MINI).break_even_requests_per_month == 1_000_052


def test_reachable_up_to_the_plans_capacity(planned: Planned) -> None:
    found = planned("4xa100", headroom=Headroom(target_utilisation=1.0))
    one_a_second = replace(found, capacity=replace(found.capacity, requests_per_second=1.0))
    # 2,628,000 s × 0.001 = 2,628.00
    price = ApiPrice(comparator="a/b", usd_per_request=Decimal("0.001"), source="", checked=CHECKED)
    assert api_equivalent(one_a_second, fixed("2628.00"), price).reachable is True
    assert api_equivalent(one_a_second, fixed("2628.01"), price).reachable is False


def test_serverless_breaks_even_over_what_each_request_saves(planned: Planned) -> None:
    # One replica is always on at such traffic, 1,823.83, and 1,500 besides: 3,323.83 ÷ 0.000195 = 17,045,282.
    found = planned("serverless")
    meets = api_equivalent(found, project(found), GPT_4O_MINI).break_even_requests_per_month
    assert meets == pytest.approx(17_045_282, abs=1)


def test_never_where_each_request_costs_more_here(planned: Planned) -> None:
    found = planned("serverless")
    cheap = replace(GPT_4O_MINI, usd_per_request=Decimal("0.00001"))
    api = api_equivalent(found, project(found), cheap)
    assert (api.break_even_requests_per_month, api.reachable) == (None, False)


def test_unknown_where_a_price_is_unknown(planned: Planned) -> None:
    found = planned("4xa100", weights=Weights(storage="pvc"))
    api = api_equivalent(found, project(found), GPT_4O_MINI)
    assert (api.break_even_requests_per_month, api.reachable) == (None, None)
    assert str(api.monthly_usd) == "195.00"


@given(
    st.decimals(min_value="0.01", max_value="1000000", places=2),
    st.decimals(min_value="0.000001", max_value="1", places=7),
)
def test_break_even_is_the_first_that_is_not_cheaper(usd: Decimal, per_request: Decimal) -> None:
    deployment = Deployment(profile="4xa100", workload=Workload())
    price = ApiPrice(comparator="a/b", usd_per_request=per_request, source="", checked=CHECKED)
    found = plan(deployment, load.facts(deployment))
    requests = api_equivalent(found, fixed(str(usd)), price).break_even_requests_per_month
    assert requests is not None
    assert requests * per_request >= usd > (requests - 1) * per_request
