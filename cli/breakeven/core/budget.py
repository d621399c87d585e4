"""The verdict on a bill: does an apply keep to the budget. Nothing is applied without one that passes, or an override.

Where `allow_unknown_prices` lets an unknown price pass, the limits hold for what is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from breakeven.core.api_spend import ApiEquivalent
from breakeven.core.cost_diff import CostDiff
from breakeven.core.deployment import Budget
from breakeven.errors import GateError, InputError

_CENTI: Final = Decimal("0.01")
_LONGEST_REASON: Final = 500


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """One limit, by its key under `budget`, and how the bill stands to it."""

    limit: str
    passes: bool
    detail: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A ruling for each limit that is given, and for prices that are unknown."""

    rulings: tuple[Ruling, ...]

    @property
    def passes(self) -> bool:
        return all(ruling.passes for ruling in self.rulings)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it does not pass."""
        return tuple(ruling.detail for ruling in self.rulings if not ruling.passes)


@dataclass(frozen=True, kw_only=True)
class Override:
    """Somebody's reason to apply what the verdict refuses, and when; it is recorded with the stack."""

    reason: str
    at: str

    def __post_init__(self) -> None:
        if not self.reason.strip() or not self.reason.isprintable() or len(self.reason) > _LONGEST_REASON:
            raise InputError(
                f"expected a reason in one line of up to {_LONGEST_REASON} characters, got {self.reason!r:.60}",
                where="--override-budget",
            )


@dataclass(frozen=True, kw_only=True)
class Approval:
    """What an apply asks for. It cannot be made of a verdict that fails, unless there is an override."""

    verdict: Verdict
    override: Override | None = None

    def __post_init__(self) -> None:
        if not self.verdict.passes and self.override is None:
            raise GateError(
                f"{'; '.join(self.verdict.reasons)}; nothing was applied",
                hint='make the plan cheaper, raise the limit, or say why with `deploy up --override-budget "REASON"`',
            )

    @property
    def overridden(self) -> dict[str, object] | None:
        """What the stack remembers: None where the verdict passes by itself."""
        if self.verdict.passes or self.override is None:
            return None
        return {"reason": self.override.reason, "at": self.override.at, "exceeded": list(self.verdict.reasons)}


def judge(budget: Budget, bill: CostDiff, apis: Sequence[ApiEquivalent]) -> Verdict:
    """Rule on each limit. Where a price is unknown, figures are those of the known lines."""
    return Verdict(rulings=tuple(_rulings(budget, bill, apis)))


def _rulings(budget: Budget, bill: CostDiff, apis: Sequence[ApiEquivalent]) -> Iterator[Ruling]:
    if bill.unknown:
        yield _unknown(budget, bill)
    if budget.max_usd_per_month is not None:
        yield _at_most("max_usd_per_month", bill.after_usd, budget.max_usd_per_month, "the bill is {} a month")
    if budget.max_increase_usd is not None:
        yield _at_most("max_increase_usd", bill.rise_usd, budget.max_increase_usd, "the bill changes by {} a month")
    if budget.max_increase_percent is not None:
        yield _percent(bill, budget.max_increase_percent)
    if budget.max_usd_above_api is not None:
        yield _above_api(bill, apis, budget.max_usd_above_api)


def _unknown(budget: Budget, bill: CostDiff) -> Ruling:
    detail = f"the price of {', '.join(bill.unknown)} is unknown"
    return Ruling(limit="allow_unknown_prices", passes=budget.allow_unknown_prices, detail=detail)


def _at_most(limit: str, usd: Decimal, most: Decimal, sentence: str) -> Ruling:
    amount = f"{'-' if usd < 0 else ''}${abs(usd):,.2f}"
    detail = f"{sentence.format(amount)}, {limit} is ${most:,.2f}"
    return Ruling(limit=limit, passes=usd <= most, detail=detail)


def _percent(bill: CostDiff, most: float) -> Ruling:
    """From nothing there is no percentage; `max_increase_usd` holds for a first apply, too."""
    limit = "max_increase_percent"
    if not bill.before_usd:
        return Ruling(limit=limit, passes=True, detail=f"there is no bill to rise from, {limit} is {most:g}")
    # Multiplied out: a quotient would be rounded.
    passes = bill.rise_usd * 100 <= Decimal(repr(most)) * bill.before_usd
    # Rounded to the side of the limit that it lies on.
    percent = (bill.rise_usd / bill.before_usd * 100).quantize(_CENTI, ROUND_FLOOR if passes else ROUND_CEILING)
    return Ruling(limit=limit, passes=passes, detail=f"the bill changes by {percent:,} %, {limit} is {most:g}")


def _above_api(bill: CostDiff, apis: Sequence[ApiEquivalent], most: Decimal) -> Ruling:
    """The cheapest API compared speaks for all."""
    limit = "max_usd_above_api"
    if not apis:
        return Ruling(limit=limit, passes=False, detail=f"there is no API to hold {limit} against")
    cheapest = min(apis, key=lambda api: api.monthly_usd)
    sentence = f"the bill minus that of {cheapest.comparator} is {{}} a month"
    return _at_most(limit, bill.after_usd - cheapest.monthly_usd, most, sentence)
