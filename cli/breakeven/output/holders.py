"""Who holds a stack, as text."""

from __future__ import annotations

from collections.abc import Iterable

from breakeven.core.live import Holder
from breakeven.output import table


def text(holders: Iterable[Holder]) -> str:
    """A row a lock."""
    rows = [[f"{found.user}@{found.host}", str(found.pid), found.since, found.process] for found in holders]
    return table.text(["Held by", "Process", "Since", "Which is"], rows)


def removed(stack: str) -> str:
    return f"Unlocked {stack}. What the run had begun is in its state; `deploy up` goes on with it"
