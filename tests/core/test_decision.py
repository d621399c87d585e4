from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from breakeven.core.api_spend import ApiPrice
from breakeven.core.comparison import compare
from breakeven.core.decision import Decision
from breakeven.core.deployment import Weights
from breakeven.core.plan import Plan
from breakeven.core.workload import Workload

Planned = Callable[..., Plan]


def price(usd_per_request: str, comparator: str = "a/b") -> ApiPrice:
    return ApiPrice(comparator=comparator, usd_per_request=Decimal(usd_per_request), source="test")


def decision(plan: Plan, *prices: ApiPrice) -> Decision:
    return compare(plan, prices).decision


def of(planned: Planned, requests: int, profile: str = "4xa100") -> Plan:
    return planned(profile, workload=Workload(requests_per_month=requests))


def test_few_requests_go_to_the_api(planned: Planned) -> None:
    found = decision(of(planned, 99_999), price("100"))
    assert found.choice == "api"
    assert found.reasons == ("99,999 requests a month are below 100,000",)


@pytest.mark.parametrize(
    ("requests", "volume"),
    [
        (100_000, "100,000 requests a month are a middling volume: break-even decides"),
        (500_000, "500,000 requests a month are a middling volume: break-even decides"),
        (500_001, "500,001 requests a month are above 500,000: break-even decides"),
    ],
)
def test_volume_is_the_first_reason(planned: Planned, requests: int, volume: str) -> None:
    assert decision(of(planned, requests), price("0.000195")).reasons[0] == volume


def test_the_api_is_cheaper(planned: Planned) -> None:
    found = decision(of(planned, 1_000_000), price("0.000195", "openai/gpt-4o-mini"))
    assert found.choice == "api"
    assert found.reasons[1:] == (
        "openai/gpt-4o-mini costs $9,305.00 a month less than this plan",
        "break-even is at 48,717,949 requests a month; this plan cannot serve that many",
    )


def test_the_plan_is_cheaper(planned: Planned) -> None:
    # 1,000,000 × 0.02 = 20,000 against 9,500.
    found = decision(of(planned, 1_000_000), price("0.02"))
    assert found.choice == "self-host"
    assert found.reasons[1] == "this plan costs $10,500.00 a month less than a/b, the cheapest API compared"


def test_the_cheapest_api_speaks_for_all(planned: Planned) -> None:
    found = decision(of(planned, 1_000_000), price("0.02"), price("0.001", "cheap/one"))
    assert found.choice == "api"
    assert found.reasons[1] == "cheap/one costs $8,500.00 a month less than this plan"
    assert found.reasons[2].endswith("requests a month; this plan could serve that")


def test_at_the_same_price_the_api_spares_the_work(planned: Planned) -> None:
    assert decision(of(planned, 1_000_000), price("0.0095")).choice == "api"


def test_traffic_beyond_the_plan_cannot_be_self_hosted_by_it(planned: Planned) -> None:
    # 10,000,000 ÷ 2,628,000 × 2 = 7.61 a second; one replica serves 5.06.
    peaky = Workload(requests_per_month=10_000_000, peak_to_mean=2.0)
    found = decision(planned("4xa100", workload=peaky, replicas=1), price("1"))
    assert found.choice == "api"
    assert found.reasons[1] == (
        "the traffic peaks at 7.61 requests/s, this plan serves about 5.06 within TTFT p99 2,000 ms and TPOT 50 ms"
    )


def test_nothing_to_compare_with(planned: Planned) -> None:
    found = decision(of(planned, 1_000_000))
    assert (found.choice, found.reasons) == ("undecided", ("no API to compare with",))


def test_an_unknown_price_decides_nothing(planned: Planned) -> None:
    found = decision(planned("4xa100", weights=Weights(storage="pvc")), price("1"))
    assert (found.choice, found.reasons) == ("undecided", ("the price of Weights storage is unknown",))


def test_each_request_dearer_here_never_breaks_even(planned: Planned) -> None:
    found = decision(of(planned, 1_000_000, "serverless"), price("0.00001"))
    assert found.reasons[-1] == "it never breaks even: each request costs more here than there"
