"""Processes of ours that outlive the command which started them: found by what they run, never by a stored pid.

A pid file that survived a reboot names somebody else's process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_GONE_S: Final = 10.0
_POLL_S: Final = 0.05


def running(directory: Path) -> dict[str, int]:
    """Program name → pid of the processes that were started as `directory`/PROGRAM."""
    found = ((pid, Path(program)) for pid, program in _all())
    return {program.name: pid for pid, program in found if program.parent == directory}


def kill(directory: Path) -> bool:
    """End these processes by force, for what they hold goes away with them. Whether all are gone."""
    for pid in running(directory).values():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return wait_for(lambda: not running(directory), _GONE_S)


def children(program: str) -> list[int]:
    """Processes of that name that this one started."""
    return [pid for pid, path in _all() if Path(path).name == program and _parent(pid) == os.getpid()]


def those_of(directory: Path) -> list[int]:
    """Processes whose temporary files lie there. Without /proc, on macOS, they cannot be told apart: none."""
    mark = b"TMPDIR=" + os.fsencode(directory)
    found = []
    for entry in _PROC.iterdir() if _PROC.is_dir() else ():
        # It may end while we look, or be another user's.
        with suppress(OSError):
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def end_those_of(directory: Path) -> None:
    """The same, by force."""
    for pid in those_of(directory):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """Whether there is such a process, whosever it is. One that has ended and that nobody has waited for is gone."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _status(pid)[0].startswith("Z")


def program(pid: int) -> str:
    """The name of the program that a process runs; empty where this user cannot see it."""
    return next((Path(path).name for number, path in _all() if number == pid), "")


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _all() -> Iterator[tuple[int, str]]:
    """(pid, argv[0]) of the live processes that this user can see."""
    if not (_PROC / "self" / "cmdline").exists():
        yield from _listed_by_ps()
        return
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            # It may end while we look. A zombie has no command line.
            with suppress(OSError):
                yield int(entry.name), os.fsdecode((entry / "cmdline").read_bytes().split(b"\0")[0])


def _parent(pid: int) -> int:
    """0 where it has just ended."""
    return _status(pid)[1]


def _status(pid: int) -> tuple[str, int]:
    """Its state, such as `S` or `Z`, and its parent; empty and 0 where it has just ended."""
    try:
        if (_PROC / "self" / "stat").exists():
            # The name, in parentheses, may hold blanks: `4711 (pulumi) S 4700 …`.
            state, parent = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[:2]
        else:
            command = ["ps", "-o", "stat=,ppid=", "-p", str(pid)]
            state, parent = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        return state, int(parent)
    except (OSError, subprocess.CalledProcessError):
        return "", 0


def _listed_by_ps() -> Iterator[tuple[int, str]]:
    """macOS has no /proc. Its ps does not separate arguments: what we start lies on a path without blanks."""
    listing = subprocess.run(["ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        pid, _, command = line.strip().partition(" ")
        yield int(pid), command.strip().split(" ")[0]
