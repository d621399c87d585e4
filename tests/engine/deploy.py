"""Runs `deploy` as its users do: as a process, with its own environment."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

# A background process of a shell inherits an ignored SIGINT, and would pass for the wrong reason: so it is reset on the
# way. Not by `preexec_fn`, with which Python forks (https://github.com/grpc/grpc/issues/43055): where gRPC has run in
# this process, in a test of the engine, its fork handlers start a poller in the child, Python closes the poller's
# descriptor before it executes the program, and about one start in a hundred ends with nothing but gRPC's "epoll_wait
# error: Bad file descriptor". Without it Python uses vfork, which runs no handlers; so does `deploy` with its engine.
_HEAR_SIGINT = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL)"
HEAR_SIGINT = (sys.executable, "-c", f"{_HEAR_SIGINT}; os.execv(sys.argv[1], sys.argv[1:])")
_LOG_IN = (sys.executable, "-c", f"{_HEAR_SIGINT}; os.login_tty(0); os.execv(sys.argv[1], sys.argv[1:])")


@dataclass(frozen=True, kw_only=True)
class Result:
    code: int
    out: str
    err: str


def deploy(*arguments: str, env: Mapping[str, str] | None = None, timeout_s: int = 300) -> Result:
    """Exit code, stdout and stderr of `deploy ARGUMENTS…`, without a terminal."""
    finished = subprocess.run(
        [sys.executable, "-m", "breakeven", *arguments],
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )
    return Result(code=finished.returncode, out=finished.stdout, err=finished.stderr)


def succeed(*arguments: str, env: Mapping[str, str] | None = None) -> str:
    """Stdout of a run that must exit 0."""
    result = deploy(*arguments, env=env)
    assert result.code == 0, f"deploy {' '.join(arguments)}: exit {result.code}\n{result.out}\n{result.err}"
    return result.out


def refuse(code: int, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """Stderr of a run that must exit with `code`, with one message and no traceback."""
    result = deploy(*arguments, env=env)
    assert result.code == code, f"exit {result.code}\n{result.out}\n{result.err}"
    assert "Traceback" not in result.err
    assert result.err.count("Error: ") == 1, result.err
    return result.err


def start(*arguments: str, env: dict[str, str], start_new_session: bool = False) -> subprocess.Popen[str]:
    """In the background, without a terminal."""
    return subprocess.Popen(
        [*HEAR_SIGINT, sys.executable, "-m", "breakeven", *arguments],
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=start_new_session,
    )


def on_a_terminal(*arguments: str, env: dict[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    """The process and its terminal, so that it asks, and hears Ctrl-C and Ctrl-D."""
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        [*_LOG_IN, sys.executable, "-m", "breakeven", *arguments],
        env={**os.environ, **env},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    return process, screen


def read_until(process: subprocess.Popen[str], awaited: str) -> str:
    """What the process says on stderr, up to the line with `awaited`."""
    assert process.stderr
    said = ""
    while awaited not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    return said


def read_screen(screen: int, awaited: str) -> str:
    """What is on the terminal, up to `awaited`."""
    shown = ""
    while awaited not in shown:
        try:
            shown += re.sub(r"\r|\x1b\[K", "", os.read(screen, 4096).decode(errors="replace"))
        except OSError:  # Linux says so when the process has ended
            raise AssertionError(shown) from None
    return shown
