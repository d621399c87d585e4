"""One process at a time, across processes."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_POLL_S: Final = 1.0


@contextmanager
def held(path: Path, on_wait: Callable[[float], None]) -> Iterator[None]:
    """Hold the lock file `path`, which is made if needed. The kernel frees it when this process ends.

    `on_wait` is told about every second how many seconds it waits for another process.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    started = time.monotonic()
    while (descriptor := _try(path)) is None:
        on_wait(time.monotonic() - started)
        time.sleep(_POLL_S)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def holder(path: Path) -> str:
    """The process that holds `path`, for people: `process 4711`."""
    with suppress(OSError):
        return f"process {path.read_text(encoding='utf-8') or 'unknown'}"
    return "process unknown"


def _try(path: Path) -> int | None:
    """The descriptor of the locked file, or None while another process has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_same_file(descriptor, path):
            return descriptor
    os.close(descriptor)
    return None


def _is_same_file(descriptor: int, path: Path) -> bool:
    """The holder before us may have removed the file: a lock on a removed file excludes nobody."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
