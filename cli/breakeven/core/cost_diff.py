"""Before → after → Δ per month, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from breakeven.core.cost import CostLine, CostProjection


@dataclass(frozen=True, kw_only=True)
class DiffLine:
    """One line of both bills in USD a month. A side that lacks the line is 0; an unknown price is None."""

    name: str
    before_usd: Decimal | None
    after_usd: Decimal | None

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
    lines: tuple[DiffLine, ...]
    total: DiffLine


NOTHING = CostProjection(lines=())


def cost_diff(before: CostProjection, after: CostProjection) -> CostDiff:
    """Lines are matched by name, those of `after` first."""
    old, new = _by_name(before), _by_name(after)
    lines = tuple(
        DiffLine(name=name, before_usd=_usd(old.get(name)), after_usd=_usd(new.get(name))) for name in {**new, **old}
    )
    return CostDiff(lines=lines, total=DiffLine(name="Total", before_usd=_total(before), after_usd=_total(after)))


def _by_name(projection: CostProjection) -> dict[str, CostLine]:
    return {line.name: line for line in projection.lines}


def _usd(line: CostLine | None) -> Decimal | None:
    return Decimal("0.00") if line is None else line.monthly_usd


def _total(projection: CostProjection) -> Decimal | None:
    return None if projection.unknown else projection.monthly_usd
