"""Which of several plans are worth a look: each is better than all cheaper ones in something that can be told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from itertools import groupby
from typing import Protocol, TypeVar

from breakeven.core.latency import RATE_BAND


class Rival(Protocol):
    """What plans are compared by. `concessions` is what one accepts with it, such as a node that may be taken away.

    `fastest_s` is no more than `request_s`, and quicker to have.
    """

    @property
    def monthly_usd(self) -> Decimal: ...

    @property
    def fastest_s(self) -> float: ...

    @property
    def request_s(self) -> float: ...

    @property
    def times_traffic(self) -> float: ...

    @property
    def concessions(self) -> frozenset[str]: ...

    @property
    def preference(self) -> tuple[object, ...]: ...


R = TypeVar("R", bound=Rival)


def front(rivals: Iterable[R], comparable: Callable[[R, R], bool]) -> tuple[R, ...]:
    """Cheapest first. None is dominated: another is nowhere worse, asks for no more concessions, and somewhere better.

    A dearer plan must be better by the band of the estimates: below that, a difference is none.
    """
    kept: list[R] = []

    def is_covered(one: R, request_s: float) -> bool:
        return any(comparable(other, one) and _covers(other, one, request_s) for other in kept)

    for _, equals in groupby(sorted(rivals, key=_usd), key=_usd):
        # How fast a plan is takes long to reckon, and most are out of the question however fast they may be.
        left = [one for one in equals if not is_covered(one, one.fastest_s)]
        for one in sorted(left, key=_order):
            if not is_covered(one, one.request_s):
                kept.append(one)
    return tuple(kept)


def _order(one: Rival) -> tuple[object, ...]:
    """Of equal bills: the least conceded, then the best in both, so that what dominates comes before the dominated."""
    balance = one.request_s / one.times_traffic
    return len(one.concessions), balance, one.request_s, one.preference


def _usd(one: Rival) -> Decimal:
    return one.monthly_usd


def _covers(cheaper: Rival, one: Rival, request_s: float) -> bool:
    return (
        cheaper.concessions <= one.concessions
        and one.times_traffic <= cheaper.times_traffic * RATE_BAND
        and request_s * RATE_BAND >= cheaper.request_s
    )
