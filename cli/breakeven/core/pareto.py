"""Which of several plans are worth a look: each is better than all cheaper ones in something that can be told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from breakeven.core.latency import RATE_BAND


class Rival(Protocol):
    """What plans are compared by. `concessions` is what one accepts with it, such as a node that may be taken away."""

    @property
    def rank(self) -> tuple[object, ...]: ...

    @property
    def request_s(self) -> float: ...

    @property
    def times_traffic(self) -> float: ...

    @property
    def concessions(self) -> frozenset[str]: ...


R = TypeVar("R", bound=Rival)


def front(rivals: Iterable[R], comparable: Callable[[R, R], bool]) -> tuple[R, ...]:
    """Cheapest first. No one of them is dominated by another: as cheap, as fast and as roomy, with no more conceded.

    A dearer plan must be better by the band of the estimates: below that, a difference is none.
    """
    kept: list[R] = []
    for one in sorted(rivals, key=lambda rival: rival.rank):  # type: ignore[arg-type, return-value]
        if not any(comparable(other, one) and _covers(other, one) for other in kept):
            kept.append(one)
    return tuple(kept)


def _covers(cheaper: Rival, one: Rival) -> bool:
    return (
        cheaper.concessions <= one.concessions
        and one.request_s * RATE_BAND >= cheaper.request_s
        and one.times_traffic <= cheaper.times_traffic * RATE_BAND
    )
