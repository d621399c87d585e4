"""Measuring contestants against one another on a machine that is never quite idle.

Every round runs each contestant once, and every other round in the opposite order, so that a drift of the machine
falls on all of them. What counts is the ratio to the first contestant within a round, and its median over the rounds:
seconds are this machine's, ratios hold elsewhere too. Nothing here asserts anything about time.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Contestant = Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Result:
    """Seconds of one contestant, by round, and the ratio of each to the baseline's of the same round."""

    name: str
    seconds: tuple[float, ...]
    ratios: tuple[float, ...]


def timed(run: Callable[[], object]) -> float:
    """Seconds that it took."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def ordered(names: Sequence[str], round_: int) -> list[str]:
    """Forth in even rounds, back in odd ones."""
    return list(names) if round_ % 2 == 0 else list(reversed(names))


def race(contestants: Mapping[str, Contestant], *, rounds: int, warm_ups: int = 1) -> list[Result]:
    """Run all of them `rounds` times; the first is the baseline. Rounds of warming up are not counted."""
    names = list(contestants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for round_ in range(-warm_ups, rounds):
        for name in ordered(names, round_):
            elapsed = timed(contestants[name])
            if round_ >= 0:
                seconds[name].append(elapsed)
    return results(seconds)


def results(seconds: Mapping[str, Sequence[float]]) -> list[Result]:
    """The first is the baseline."""
    baseline = next(iter(seconds.values()))
    return [
        Result(
            name=name,
            seconds=tuple(mine),
            ratios=tuple(own / base for own, base in zip(mine, baseline, strict=True)),
        )
        for name, mine in seconds.items()
    ]


def table(title: str, shown: Sequence[Result]) -> str:
    """Medians, with the lowest and the highest of all rounds in brackets."""
    width = max(len(result.name) for result in shown)
    lines = [f"{title}: median of {len(shown[0].seconds)} rounds (lowest to highest)"]
    for result in shown:
        lines.append(
            f"  {result.name:<{width}}  {_spread(result.seconds, '{:.3f}')} s  {_spread(result.ratios, '{:.2f}')} ×"
        )
    return "\n".join(lines)


def machine() -> str:
    """What the seconds hold for."""
    return f"{os.cpu_count()} CPUs, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def _spread(values: Sequence[float], form: str) -> str:
    middle, low, high = (form.format(value) for value in (median(values), min(values), max(values)))
    return f"{middle:>7} ({low} to {high})"
