"""Objects that a stack takes over: what one should know before one says yes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from breakeven.core.adoption import Adopted


def lines(adopted: Sequence[Adopted]) -> Iterator[str]:
    if adopted:
        yield (
            "what is adopted is the stack's from then on: the bill counts it as new, though it may cost that already, "
            "and `deploy destroy` deletes it"
        )
    for whose in dict.fromkeys(whose for each in adopted for whose in each.in_charge):
        theirs = ", ".join(each.title.replace("/", " ") for each in adopted if whose in each.in_charge)
        yield f"{whose} has {theirs} too, and may change or delete what it has: take it out there"


def data(adopted: Iterable[Adopted]) -> list[dict[str, Any]]:
    """JSON-ready."""
    return [{"object": each.title, "in_charge": list(each.in_charge)} for each in adopted]
