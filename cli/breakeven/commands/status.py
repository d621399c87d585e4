"""deploy status"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import click

from breakeven import arguments, options, terminal
from breakeven.errors import ClusterError, InputError

_EVERY_S: Final = 5


@click.command(name="status")
@options.stack_options
@options.sandbox_option
@options.prices_at_option
@options.output_option
@click.option("--watch", is_flag=True, help=f"Look again every {_EVERY_S} s, until Ctrl-C.")
def command(
    file: Path | None,
    profile: str | None,
    name: str | None,
    sandbox: bool,
    prices_at: date,
    output: str,
    watch: bool,
) -> None:
    """Live state of a stack beside the plan and the price that were recorded when it was applied.

    \b
    Examples:
      deploy status --profile 4xa100 --sandbox
      deploy status --profile 8xh100 --watch
    """
    if watch and output != "table":
        raise InputError(f"--watch is for people: leave out -o {output}")
    from breakeven.engine import session
    from breakeven.engine.standing import standing
    from breakeven.output import status

    stack = arguments.deployment(file, profile=profile, name=name).stack

    def look() -> str:
        found = session.recorded(stack, in_sandbox=sandbox, on_progress=terminal.on_progress)
        return status.render(output, standing(found, datetime.now(UTC)), prices_at)

    if watch:
        _watch(look)
    else:
        click.echo(look())


def _watch(look: Callable[[], str]) -> None:
    """Ctrl-C is the way to end it, and no failure; nor is a cluster that does not answer for a while."""
    with suppress(KeyboardInterrupt):
        shown = look()
        while True:
            if sys.stdout.isatty():
                click.clear()
            click.echo(f"{shown}\n\n{datetime.now(UTC):%H:%M:%S} UTC, every {_EVERY_S} s; Ctrl-C ends it\n")
            time.sleep(_EVERY_S)
            try:
                shown = look()
            except ClusterError as error:
                shown = str(error)
