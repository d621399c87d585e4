"""Before → after → Δ per month, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from breakeven.core.cost import CostProjection
from breakeven.core.cost_line import CostLine


@dataclass(frozen=True, kw_only=True)
class DiffLine:
    """One line of both bills in USD a month. A side that lacks the line is 0; an unknown price is None.

    `detail` is the arithmetic of the figure after, or of the one before where the line goes.
    """

    name: str
    before_usd: Decimal | None
    after_usd: Decimal | None
    detail: str = ""

    @property
    def delta_usd(self) -> Decimal | None:
        if self.before_usd is None or self.after_usd is None:
            return None
        return self.after_usd - self.before_usd

    @property
    def delta_percent(self) -> Decimal | None:
        """None where there is nothing to divide by."""
        delta = self.delta_usd
        return None if delta is None or not self.before_usd else delta / self.before_usd * 100


@dataclass(frozen=True, kw_only=True)
class CostDiff:
    """`total` is None on a side with an unknown price; `known` adds up the lines that have one: "at least" that."""

    lines: tuple[DiffLine, ...]
    total: DiffLine
    known: DiffLine


NOTHING = CostProjection(lines=())


def cost_diff(before: CostProjection, after: CostProjection) -> CostDiff:
    """Lines are matched by name, those of `after` first."""
    old, new = _by_name(before), _by_name(after)
    return CostDiff(
        lines=tuple(_line(name, old.get(name), new.get(name)) for name in {**new, **old}),
        total=DiffLine(name="Total", before_usd=_total(before), after_usd=_total(after)),
        known=DiffLine(name="Known", before_usd=before.monthly_usd, after_usd=after.monthly_usd),
    )


def _by_name(projection: CostProjection) -> dict[str, CostLine]:
    return {line.name: line for line in projection.lines}


def _line(name: str, old: CostLine | None, new: CostLine | None) -> DiffLine:
    shown = new or old
    return DiffLine(name=name, before_usd=_usd(old), after_usd=_usd(new), detail=shown.detail if shown else "")


def _usd(line: CostLine | None) -> Decimal | None:
    return Decimal("0.00") if line is None else line.monthly_usd


def _total(projection: CostProjection) -> Decimal | None:
    return None if projection.unknown else projection.monthly_usd
