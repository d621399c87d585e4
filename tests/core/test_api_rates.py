from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from breakeven.core.api_rates import ApiRates, rates_at
from breakeven.core.workload import Workload

RATES = ApiRates(
    comparator="together/some/model",
    usd_per_million_input_tokens=Decimal("1.04"),
    usd_per_million_output_tokens=Decimal("2"),
    usd_per_million_cached_tokens=Decimal("0.26"),
    source="https://example.com/prices",
    checked=date(2026, 11, 1),
)


def test_one_request() -> None:
    # 500 × 1.04 + 200 × 2 = 920 per million
    found = RATES.price(Workload(input_tokens=500, output_tokens=200))
    assert found.usd_per_request == Decimal("0.00092")
    assert found.source == "https://example.com/prices of 2026-11-01: $1.04/$2.00 per million tokens"
    assert found.checked == date(2026, 11, 1)


def test_one_request_with_cached_input() -> None:
    # 375 × 1.04 + 125 × 0.26 + 200 × 2 = 822.5
    found = RATES.price(Workload(input_tokens=500, output_tokens=200, cached_share=0.25))
    assert found.usd_per_request == Decimal("0.0008225")
    assert found.source.endswith(", $0.26 for the 25 % of input that is cached")


def test_cached_input_without_a_price_costs_as_much_as_other() -> None:
    rates = replace(RATES, usd_per_million_cached_tokens=None)
    shared = Workload(cached_share=0.5)
    assert rates.price(shared).usd_per_request == rates.price(Workload()).usd_per_request


def test_the_newest_record_by_that_day() -> None:
    newer = replace(RATES, checked=date(2026, 11, 20))
    records = [newer, RATES, replace(RATES, comparator="together/other", checked=date(2026, 11, 22))]
    assert rates_at(RATES.comparator, records, date(2026, 11, 24)) is newer
    assert rates_at(RATES.comparator, records, date(2026, 11, 19)) is RATES
    assert rates_at(RATES.comparator, records, date(2026, 10, 31)) is None


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("comparator", "gpt-4o", "comparator must be PROVIDER/MODEL or PROVIDER/MODEL@TIER, got 'gpt-4o'"),
        ("source", "", "source must say where the price can be read, got nothing"),
        ("usd_per_million_input_tokens", Decimal(0), "usd_per_million_input_tokens must be above 0"),
    ],
)
def test_what_is_no_price_is_refused(key: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        replace(RATES, **{key: value})
