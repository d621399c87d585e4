from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from breakeven.core.api_rates import ApiPrice
from breakeven.core.comparison import compare
from breakeven.core.decision import Decision
from breakeven.core.deployment import Weights
from breakeven.core.needs import Needs
from breakeven.core.plan import Plan
from breakeven.core.workload import Workload

Planned = Callable[..., Plan]


def price(usd_per_request: str, comparator: str = "a/b") -> ApiPrice:
    return ApiPrice(
        comparator=comparator, usd_per_request=Decimal(usd_per_request), source="test", checked=date(2026, 11, 10)
    )


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
        "break-even is at 48,717,949 requests a month: that is 18.54 requests/s, and this plan serves 5.04; "
        "no number of nodes breaks even",
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
    # 9,500 ÷ 0.001 = 9,500,000 a month, 3.61 a second of 5.04
    assert found.reasons[2] == "break-even is at 9,500,000 requests a month; this plan could serve that, 72 % busy"


def test_at_the_same_price_the_api_spares_the_work(planned: Planned) -> None:
    assert decision(of(planned, 1_000_000), price("0.0095")).choice == "api"


def test_traffic_beyond_the_plan_cannot_be_self_hosted_by_it(planned: Planned) -> None:
    # 10,000,000 ÷ 2,628,000 × 2 = 7.61 a second; one replica serves 5.04.
    peaky = Workload(requests_per_month=10_000_000, peak_to_mean=2.0)
    found = decision(planned("4xa100", workload=peaky, replicas=1), price("0.001"))
    assert (found.choice, found.self_hosted_share) == ("api", 0.0)
    assert found.reasons[1] == (
        "the traffic peaks at 7.61 requests/s, this plan serves about 5.04 within TTFT p99 2,000 ms and TPOT 50 ms"
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


def test_what_it_can_serve_of_more_traffic_may_pay(planned: Planned) -> None:
    # 5.04 ÷ 7.61 = 66 % of 10,000,000 × 0.002 are 13,252; less 9,500.
    peaky = Workload(requests_per_month=10_000_000, peak_to_mean=2.0)
    found = decision(planned("4xa100", workload=peaky, replicas=1), price("0.002"))
    assert found.choice == "hybrid"
    assert found.self_hosted_share == pytest.approx(0.663, abs=0.001)
    assert re.fullmatch(r"hybrid: it takes 66 % of the traffic and saves \$3,75\d\.\d\d of a/b", found.reasons[2])


@pytest.mark.parametrize(
    ("needs", "choice", "reason"),
    [
        (Needs(privacy=True), "self-host", "privacy: prompts must not leave your own machines"),
        (Needs(offline=True), "self-host", "offline: it must answer without the internet"),
        (Needs(fine_tuning=True), "self-host", "fine-tuning: weights of your own are served where you run them"),
        (Needs(latest_model=True), "api", "latest model: only an API has the newest proprietary ones"),
        (Needs(ml_team=False), "api", "no ML team: nobody runs and mends a model server"),
        # Privacy goes before everything, even before a volume that is too small.
        (Needs(privacy=True, latest_model=True, ml_team=False), "self-host", "privacy: prompts must not leave"),
    ],
)
def test_needs_go_before_price(planned: Planned, needs: Needs, choice: str, reason: str) -> None:
    few = Workload(requests_per_month=1_000 if needs.privacy else 1_000_000)
    found = decision(planned("4xa100", workload=few, needs=needs), price("0.000195"))
    assert found.choice == choice
    assert found.reasons[0].startswith(reason)


def test_the_newest_model_may_leave_a_share_to_move(planned: Planned) -> None:
    # 9,500 ÷ 0.0095 = 1,000,000 of 2,000,000.
    plan = planned("4xa100", workload=Workload(requests_per_month=2_000_000), needs=Needs(latest_model=True))
    assert decision(plan, price("0.0095")).reasons[1] == (
        "hybrid: this plan pays once 50 % of the traffic can do with Qwen/Qwen2.5-72B-Instruct"
    )


def test_thresholds_are_the_users(planned: Planned) -> None:
    needs = Needs(api_below_requests_per_month=2_000_000, break_even_above_requests_per_month=3_000_000)
    found = decision(planned("4xa100", needs=needs), price("100"))
    assert (found.choice, found.reasons) == ("api", ("1,000,000 requests a month are below 2,000,000",))
    with pytest.raises(ValueError, match="must be at most"):
        Needs(api_below_requests_per_month=600_000)
