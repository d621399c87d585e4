"""Months, bytes and money."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

# 365 × 24 ÷ 12, the month that cloud bills and Infracost use:
# https://github.com/infracost/infracost/blob/master/internal/schema/resource.go (HourToMonthUnitMultiplier)
HOURS_PER_MONTH: Final = Decimal(730)
SECONDS_PER_MONTH: Final = 2_628_000

GIB: Final = 2**30

# No figure of this domain reaches it: a typing error. (Not-a-number, too, is refused: it alone differs from itself.)
ABSURD: Final = 10**12


def count(number: int, noun: str) -> str:
    """`1 GPU`, `4 GPUs`, `1,000 nodes`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def cents(usd: Decimal) -> Decimal:
    """USD rounded half up to cents. Lines are rounded before they are summed, so that columns add up."""
    return usd.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def plain_usd(usd: Decimal) -> str:
    """At least two decimals, and as many as the price has: `$0.60`, `$0.035`."""
    exact = usd.normalize()
    return f"${exact:.2f}" if exact == round(exact, 2) else f"${exact:f}"


def require_positive(**values: float | Decimal | None) -> None:
    """Raise ValueError naming the first value that is given but not above zero, or absurd."""
    for name, value in values.items():
        if value is not None and not (value == value and 0 < value < ABSURD):
            raise ValueError(f"{name} must be above 0 and below {ABSURD:,}, got {value}")


def require_not_negative(**values: float | Decimal | None) -> None:
    """Raise ValueError naming the first value that is given but below zero, or absurd."""
    for name, value in values.items():
        if value is not None and not (value == value and 0 <= value < ABSURD):
            raise ValueError(f"{name} must be 0 or above and below {ABSURD:,}, got {value}")
