"""Runs `deploy` as its users do: as a process, with its own environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass


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
