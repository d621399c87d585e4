"""Before → after → Δ per month, line by line, and what changed of each line.

Both sides are bills at the same prices. What prices alone did to the bill since it was recorded is a diff of its own:
`cost_diff(as recorded, the same at today's prices)`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from breakeven.core.cost import CostProjection
from breakeven.core.cost_line import CostLine

Kind = Literal["added", "changed", "removed", "unchanged"]


@dataclass(frozen=True, kw_only=True)
class InputChange:
    """One input of a line that differs; None on a side that has no such input."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, kw_only=True)
class DiffLine:
    """One line of both bills in USD a month. A side that lacks the line is 0; an unknown price is None.

    `detail` is the arithmetic of the figure after, or of the one before where the line goes.
    """

    name: str
    kind: Kind
    before_usd: Decimal | None
    after_usd: Decimal | None
    changes: tuple[InputChange, ...] = ()
    detail: str = ""

    @property
    def delta_usd(self) -> Decimal | None:
        """0 also where the same quantity has no price on either side."""
        if self.kind == "unchanged":
            return Decimal("0.00")
        if self.before_usd is None or self.after_usd is None:
            return None
        return self.after_usd - self.before_usd

    @property
    def delta_percent(self) -> Decimal | None:
        return _percent(self.delta_usd, self.before_usd)


@dataclass(frozen=True, kw_only=True)
class CostDiff:
    """`before_usd` and `after_usd` add up the lines that have a price: "at least" that where one has none."""

    lines: tuple[DiffLine, ...]

    @property
    def before_usd(self) -> Decimal:
        return _sum(line.before_usd for line in self.lines)

    @property
    def after_usd(self) -> Decimal:
        return _sum(line.after_usd for line in self.lines)

    @property
    def unknown_before(self) -> tuple[str, ...]:
        return tuple(line.name for line in self.lines if line.before_usd is None)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Lines without a price after."""
        return tuple(line.name for line in self.lines if line.after_usd is None)

    @property
    def delta_usd(self) -> Decimal | None:
        """None where a line that changes has no price."""
        return None if any(line.delta_usd is None for line in self.lines) else self.rise_usd

    @property
    def rise_usd(self) -> Decimal:
        """Of the lines that have a price after; what a line without one cost before is not taken as saved."""
        return _sum(line.after_usd - (line.before_usd or 0) for line in self.lines if line.after_usd is not None)

    @property
    def delta_percent(self) -> Decimal | None:
        return None if self.unknown_before else _percent(self.delta_usd, self.before_usd)

    @property
    def changed(self) -> tuple[DiffLine, ...]:
        return tuple(line for line in self.lines if line.kind != "unchanged")

    @property
    def unchanged(self) -> tuple[DiffLine, ...]:
        return tuple(line for line in self.lines if line.kind == "unchanged")


NOTHING = CostProjection(lines=())


def cost_diff(before: CostProjection, after: CostProjection) -> CostDiff:
    """Lines are matched by name, those of `after` first."""
    old, new = _by_name(before), _by_name(after)
    return CostDiff(lines=tuple(_line(name, old.get(name), new.get(name)) for name in {**new, **old}))


def _by_name(projection: CostProjection) -> dict[str, CostLine]:
    return {line.name: line for line in projection.lines}


def _line(name: str, old: CostLine | None, new: CostLine | None) -> DiffLine:
    shown = new or old
    changes = _changes(old, new)
    return DiffLine(
        name=name,
        kind=_kind(old, new, changes),
        before_usd=_usd(old),
        after_usd=_usd(new),
        changes=changes,
        detail=shown.detail if shown else "",
    )


def _kind(old: CostLine | None, new: CostLine | None, changes: tuple[InputChange, ...]) -> Kind:
    if old is None:
        return "added"
    if new is None:
        return "removed"
    return "changed" if changes or old.monthly_usd != new.monthly_usd else "unchanged"


def _changes(old: CostLine | None, new: CostLine | None) -> tuple[InputChange, ...]:
    """Of lines on both sides. One that an earlier version recorded has no inputs to compare."""
    if old is None or new is None or not (old.inputs and new.inputs):
        return ()
    before = {one.name: one.value for one in old.inputs}
    after = {one.name: one.value for one in new.inputs}
    return tuple(
        InputChange(name=name, before=before.get(name), after=after.get(name))
        for name in {**after, **before}
        if before.get(name) != after.get(name)
    )


def _usd(line: CostLine | None) -> Decimal | None:
    return Decimal("0.00") if line is None else line.monthly_usd


def _percent(delta: Decimal | None, before: Decimal | None) -> Decimal | None:
    """None where there is nothing to divide by."""
    return None if delta is None or not before else delta / before * 100


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((usd for usd in amounts if usd is not None), Decimal("0.00"))
