"""One line of a bill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from breakeven.core.units import HOURS_PER_MONTH, cents


@dataclass(frozen=True, kw_only=True)
class CostInput:
    """One thing that a line's figure follows from: `nodes`, `2`. A cost diff names those that changed."""

    name: str
    value: str


def cost_inputs(**values: object) -> tuple[CostInput, ...]:
    """As text, so that they are recorded and compared as they are shown."""
    shown = {name: f"{value.normalize():f}" if isinstance(value, Decimal) else value for name, value in values.items()}
    return tuple(CostInput(name=name, value=str(value)) for name, value in shown.items())


@dataclass(frozen=True, kw_only=True)
class CostLine:
    """USD a month, rounded to cents; None where the price is unknown, which is never 0.

    `quantity` of `unit` a month at `usd_per_unit` is the arithmetic behind `detail`, where there is one price.
    """

    name: str
    monthly_usd: Decimal | None
    detail: str
    source: str
    checked: date | None = None
    quantity: Decimal | None = None
    unit: str = "month"
    usd_per_unit: Decimal | None = None
    inputs: tuple[CostInput, ...] = ()

    @property
    def daily_usd(self) -> Decimal | None:
        """24 of the month's 730 hours, to the cent."""
        return None if self.monthly_usd is None else cents(self.monthly_usd * 24 / HOURS_PER_MONTH)

    @property
    def yearly_usd(self) -> Decimal | None:
        return None if self.monthly_usd is None else self.monthly_usd * 12
