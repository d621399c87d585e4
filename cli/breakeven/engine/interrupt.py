"""Ctrl-C, or SIGTERM from a pipeline, while the engine works.

The terminal sends SIGINT to the engine as well: at the first it finishes its running steps, saves the state and
releases the lock; at the second it stops at once. SIGTERM comes to Python alone, so it is passed on as that SIGINT.
Python must only stay alive meanwhile: if it went first, the lock would stay and the program's own server would be
gone under the engine.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

from breakeven.engine import processes
from breakeven.errors import Interrupted

_BEGUN: Final = threading.Event()
_FIRST: Final = "Interrupted: running steps are finished first; press again to stop at once"
_AGAIN: Final = "Interrupted again: the engine stops at once"


@contextmanager
def finishing_steps(say: Callable[[str], None], left_behind: Callable[[], str]) -> Iterator[None]:
    """Raises Interrupted (exit 130) after the engine has ended, if there was a Ctrl-C or a SIGTERM.

    After a second one it may have been cut short: `left_behind` then says what may be left. Before the engine has
    begun there is nothing to be finished, and one would be forgotten by then: it ends the run at once.
    """
    interrupts = 0
    _BEGUN.clear()

    def note(signum: int, frame: FrameType | None) -> None:
        nonlocal interrupts
        if not _BEGUN.is_set():
            raise KeyboardInterrupt
        interrupts += 1
        say(_FIRST if interrupts == 1 else _AGAIN)
        if signum == signal.SIGTERM:
            stop_engine()

    former = {signum: signal.signal(signum, note) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except Exception as error:
        if interrupts:
            raise _interrupted(interrupts, left_behind) from error
        raise
    finally:
        for signum, handler in former.items():
            signal.signal(signum, handler)
    if interrupts:
        raise _interrupted(interrupts, left_behind)


def begin() -> None:
    """From here on there are steps to finish."""
    _BEGUN.set()


@contextmanager
def hearing_sigterm() -> Iterator[None]:
    """As a Ctrl-C: what a preview wrote is put back, and the exit code is 130. By itself it ends Python at once."""

    def stop(signum: int, frame: FrameType | None) -> None:
        stop_engine()
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


@contextmanager
def ignored() -> Iterator[None]:
    """For the moments of putting things back: an impatient second Ctrl-C would leave them half done."""
    former = {signum: signal.signal(signum, signal.SIG_IGN) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for signum, handler in former.items():
            signal.signal(signum, handler)


def stop_engine() -> None:
    """Ask it to finish its running steps, save the state and release the lock."""
    for pid in processes.children("pulumi"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)


def _interrupted(interrupts: int, left_behind: Callable[[], str]) -> Interrupted:
    if interrupts == 1:
        return Interrupted("interrupted; what was begun is in the state", hint="deploy up continues")
    return Interrupted(f"stopped at once; {left_behind()}", hint="deploy up continues")
