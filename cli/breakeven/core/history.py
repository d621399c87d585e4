"""The applies of a stack: which one was good, and what they have cost this month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from breakeven.core.cost import CostProjection
from breakeven.core.units import HOURS_PER_MONTH, cents


@dataclass(frozen=True, kw_only=True)
class Apply:
    """One `up` as the engine recorded it, with its inputs. `ended` is None while it runs, or if it was killed."""

    started: datetime
    ended: datetime | None
    succeeded: bool
    deployment: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Span:
    """What ran from one good apply to the next."""

    start: datetime
    end: datetime
    deployment: Mapping[str, Any]

    @property
    def hours(self) -> Decimal:
        return Decimal((self.end - self.start).total_seconds()) / 3600


@dataclass(frozen=True, kw_only=True)
class Spent:
    """USD since `since`: this month's beginning, or the first apply in it. `at_least`: a price was unknown."""

    usd: Decimal
    since: datetime
    hours: Decimal
    at_least: bool


def last_good(applies: Iterable[Apply], current: Mapping[str, Any]) -> Apply | None:
    """The newest apply that succeeded with other inputs than the current ones. A budget alone makes no other plan."""
    good = (apply for apply in applies if apply.succeeded and _planned(apply.deployment) != _planned(current))
    return max(good, key=lambda apply: apply.started, default=None)


def latest(applies: Iterable[Apply], current: Mapping[str, Any]) -> Apply | None:
    """The newest; None where one with the current inputs was begun after it, which the engine records at its end."""
    last = max(applies, key=lambda apply: apply.started, default=None)
    return last if last and last.deployment == current else None


def _planned(deployment: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in deployment.items() if key != "budget"}


def spans(applies: Iterable[Apply], now: datetime) -> tuple[Span, ...]:
    """This month's part of each good apply's reign, oldest first. A failed apply ends none."""
    good = sorted((apply for apply in applies if apply.succeeded), key=lambda apply: apply.started)
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    ends = [*(apply.started for apply in good[1:]), now][: len(good)]
    reigns = (
        Span(start=max(apply.started, month), end=end, deployment=apply.deployment)
        for apply, end in zip(good, ends, strict=True)
    )
    return tuple(reign for reign in reigns if reign.end > reign.start)


def spent(reigns: Sequence[Span], bills: Sequence[CostProjection | None]) -> Spent | None:
    """The bill of the hours so far; None where nothing ran. A bill a span; None where it cannot be priced."""
    if not reigns:
        return None
    known = [
        bill.monthly_usd * reign.hours / HOURS_PER_MONTH for reign, bill in zip(reigns, bills, strict=True) if bill
    ]
    return Spent(
        usd=cents(sum(known, Decimal(0))),
        since=reigns[0].start,
        hours=sum((reign.hours for reign in reigns), Decimal(0)),
        at_least=any(bill is None or bill.unknown for bill in bills),
    )
