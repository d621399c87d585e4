"""Ctrl-C while the engine works.

The terminal sends SIGINT to the engine as well: at the first it finishes its running steps, saves the state and
releases the lock; at the second it stops at once. Python must only stay alive meanwhile: if it went first, the lock
would stay and the program's own server would be gone under the engine.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from breakeven.errors import Interrupted


@contextmanager
def finishing_steps(say: Callable[[str], None]) -> Iterator[None]:
    """Raises Interrupted (exit 130) after the engine has ended, if there was a Ctrl-C."""
    interrupts = 0

    def note(signum: int, frame: FrameType | None) -> None:
        nonlocal interrupts
        interrupts += 1
        say("Interrupted: running steps are finished first; press again to stop at once")

    former = signal.signal(signal.SIGINT, note)
    try:
        yield
    except Exception as error:
        if interrupts:
            raise Interrupted("interrupted; what was begun is in the state", hint="deploy up continues") from error
        raise
    finally:
        signal.signal(signal.SIGINT, former)
    if interrupts:
        raise Interrupted("interrupted; what was begun is in the state", hint="deploy up continues")
