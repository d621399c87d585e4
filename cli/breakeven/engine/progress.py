"""What the slow parts of the engine say while they work. They never print: they call an `OnProgress`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One moment of a step of a longer task; `elapsed_s` counts from the step's start.

    A step says "started" once, "running" about every second, and "done" once; "waiting" means that another
    process holds what it needs. `usual_s` is how long it takes on two cores with nothing cached; 0 = moments.
    """

    what: str
    state: Literal["waiting", "started", "running", "done"]
    step: int = 1
    steps: int = 1
    elapsed_s: float = 0.0
    usual_s: float = 0.0


OnProgress = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """The default: nobody listens."""
