from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from breakeven.core.api_rates import ApiPrice
from breakeven.core.plan import Plan
from breakeven.core.sensitivity import Case, sensitivity
from breakeven.core.slo import Slo
from breakeven.core.workload import Workload

Planned = Callable[..., Plan]


def book(found: Plan) -> list[ApiPrice]:
    """$0.000001 a token."""
    usd = Decimal(found.workload.tokens_per_request) / 1_000_000
    return [ApiPrice(comparator="a/b", usd_per_request=usd, source="test", checked=date(2026, 11, 24))]


def by_name(cases: tuple[Case, ...]) -> dict[str, tuple[str | None, str | None]]:
    return {
        f"{case.changed} × {case.factor}": (
            str(case.projection.monthly_usd) if case.projection else None,
            str(case.equivalent.monthly_usd) if case.equivalent else None,
        )
        for case in cases
    }


def test_each_input_by_hand(planned: Planned) -> None:
    # 500 + 100, 500 + 400 tokens; half and twice the requests of 700; 8,000 × 0.75 + 1,500; 700 × 0.75.
    assert by_name(sensitivity(planned("4xa100"), book, "a/b")) == {
        "output tokens × 0.5": ("9500.00", "600.00"),
        "output tokens × 2": ("9500.00", "900.00"),
        "traffic × 0.5": ("9500.00", "350.00"),
        "traffic × 2": ("9500.00", "1400.00"),
        "GPU price × 0.75": ("7500.00", "700.00"),
        "GPU price × 1.25": ("11500.00", "700.00"),
        "API price × 0.75": ("9500.00", "525.00"),
        "API price × 1.25": ("9500.00", "875.00"),
    }


def test_more_traffic_takes_more_nodes(planned: Planned) -> None:
    # 9,000,000 fit one node (10,229,687); twice that takes two.
    found = by_name(sensitivity(planned("4xa100", workload=Workload(requests_per_month=9_000_000)), book, "a/b"))
    assert found["traffic × 2"][0] == "17500.00"


def test_what_cannot_be_served_says_so(planned: Planned) -> None:
    # 30,000 + 2 × 6,000 tokens exceed the model's 32,768.
    long = Workload(input_tokens=25_000, output_tokens=6_000)
    free = Slo(ttft_p99_ms=None, tpot_ms=None)
    found = by_name(sensitivity(planned("4xa100", workload=long, slo=free), book, "a/b"))
    assert found["output tokens × 2"] == (None, None)
