"""What people see while something takes long: progress on stderr, results elsewhere."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from breakeven.core.live import Readiness
    from breakeven.engine.progress import Progress

_LINES_EVERY_S = 30


def say(message: str) -> None:
    """One line for people."""
    click.echo(message, err=True)


def now() -> str:
    """The moment of a record: `2026-11-24T14:00:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def paint(text: str, colour: str) -> str:
    """Text of that colour; `click.echo` takes it away where the output is no terminal, or colour is not wanted."""
    return click.style(text, fg=colour)


def on_progress(progress: Progress) -> None:
    """A line that counts up on a terminal; in a log, a line at the start, each half minute and at the end.

    Waiting for another process has no end of its own, so it is told as in a log.
    """
    if sys.stderr.isatty() and progress.state != "waiting":
        end = "\n" if progress.state == "done" else ""
        click.echo(f"\r\033[K{_line(progress)}", err=True, nl=False)
        click.echo(end, err=True, nl=False)
    elif progress.state in ("started", "done") or round(progress.elapsed_s) % _LINES_EVERY_S == 0:
        say(_line(progress))


def _line(progress: Progress) -> str:
    count = f"[{progress.step}/{progress.steps}] " if progress.steps > 1 else ""
    usual = f" of about {progress.usual_s:.0f} s" if progress.usual_s and progress.state != "done" else ""
    seconds = f"{progress.elapsed_s:.0f} s"
    endings = {"started": "", "running": f" {seconds}{usual}", "waiting": f" {seconds}", "done": f" done in {seconds}"}
    return f"{count}{progress.what} …{endings[progress.state]}"


def on_step(op: str, urn: str) -> None:
    """A step of the engine has begun."""
    kind, name = urn.split("::")[-2].rsplit("$", 1)[-1], urn.rsplit("::", 1)[-1]
    if op != "same" and kind.startswith("kubernetes:") and kind != "kubernetes:helm.sh/v4:Chart":
        say(f"  {op} {kind.rsplit(':', 1)[-1]} {name.rsplit(':', 1)[-1]} …")


def on_wait(readiness: Readiness) -> None:
    """Why it is not ready yet, in the cluster's own words."""
    reason = f", {readiness.reason}" if readiness.reason else ""
    say(f"  waiting: {readiness.ready} of {readiness.wanted} ready{reason}")
