from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.core.units import (
    HOURS_PER_MONTH,
    SECONDS_PER_MONTH,
    cents,
    require_not_negative,
    require_positive,
)

NOT_A_NUMBER = [float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity")]


def test_a_month_has_730_hours() -> None:
    # 365 × 24 ÷ 12 = 730; × 3,600 = 2,628,000.
    assert Decimal(365 * 24) / 12 == HOURS_PER_MONTH
    assert SECONDS_PER_MONTH == HOURS_PER_MONTH * 3600


@pytest.mark.parametrize(
    ("usd", "rounded"),
    [
        ("0.004", "0.00"),
        ("0.005", "0.01"),
        ("0.015", "0.02"),
        ("2.675", "2.68"),
        ("-0.005", "-0.01"),
        ("8000", "8000.00"),
    ],
)
def test_cents_round_half_up(usd: str, rounded: str) -> None:
    assert str(cents(Decimal(usd))) == rounded


@given(st.decimals(min_value=0, max_value=10**9, places=6))
def test_cents_are_off_by_half_a_cent_at_most(usd: Decimal) -> None:
    assert abs(cents(usd) - usd) <= Decimal("0.005")


@pytest.mark.parametrize("value", [0, -1, -0.5, Decimal(0), 10**12, *NOT_A_NUMBER])
def test_positive_is_required(value: float) -> None:
    with pytest.raises(ValueError, match=r"^gpus must be above 0 and below 1,000,000,000,000, got "):
        require_positive(replicas=1, gpus=value)


@pytest.mark.parametrize("value", [-1, Decimal("-0.01"), 10**12, *NOT_A_NUMBER])
def test_not_negative_is_required(value: float) -> None:
    with pytest.raises(ValueError, match=r"^usd must be 0 or above and below 1,000,000,000,000, got "):
        require_not_negative(usd=value)


def test_the_limits_themselves_pass() -> None:
    require_positive(small=1e-9, large=10**12 - 1, absent=None)
    require_not_negative(zero=0, money=Decimal(0), absent=None)
