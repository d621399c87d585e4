"""One line of a bill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from breakeven.core.units import HOURS_PER_MONTH, cents


@dataclass(frozen=True, kw_only=True)
class CostLine:
    """USD a month, rounded to cents; None where the price is unknown, which is never 0.

    `quantity` of `unit` a month at `usd_per_unit` is the
    arithmetic behind `detail`, where there is one price.
    """

    name: str
    monthly_usd: Decimal | None
    detail: str
    source: str
    checked: date | None = None
    quantity: Decimal | None = None
    unit: str = "month"
    usd_per_unit: Decimal | None = None

    @property
    def daily_usd(self) -> Decimal | None:
        """24 of the month's 730 hours, to the cent."""
        return None if self.monthly_usd is None else cents(self.monthly_usd * 24 / HOURS_PER_MONTH)

    @property
    def yearly_usd(self) -> Decimal | None:
        return None if self.monthly_usd is None else self.monthly_usd * 12
