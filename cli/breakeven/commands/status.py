"""deploy status"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from breakeven import options, terminal


@click.command(name="status")
@options.stack_options
@options.sandbox_option
@options.prices_at_option
@options.output_option
def command(
    file: Path | None, profile: str | None, name: str | None, sandbox: bool, prices_at: date, output: str
) -> None:
    """Live state of a stack beside the plan and the price that were recorded when it was applied.

    \b
    Example:
      deploy status --profile 4xa100 --sandbox
    """
    from breakeven.engine import session
    from breakeven.output import status

    stack = options.deployment(file, profile=profile, name=name).stack
    found = session.recorded(stack, in_sandbox=sandbox, on_progress=terminal.on_progress)
    target, readiness, state = found.cluster.target, found.readiness(), found.state
    click.echo(status.render(output, found.plan, target, readiness, state.cost, prices_at, state.override))
