"""deploy drift"""

from __future__ import annotations

from pathlib import Path

import click

from breakeven import arguments, options, terminal
from breakeven.errors import Difference


@click.command(name="drift")
@options.stack_options
@options.sandbox_option
@options.output_option
@click.option("--exit-code", is_flag=True, help="Exit 7 if there is any drift, for pipelines.")
def command(
    file: Path | None, profile: str | None, name: str | None, sandbox: bool, output: str, exit_code: bool
) -> None:
    """Compare the live cluster with the last apply: objects, GPUs and dollars a month. Changes nothing.

    \b
    Examples:
      deploy drift --profile 4xa100 --sandbox
      deploy drift --profile 8xh100 --exit-code -o json
    """
    from breakeven.engine import drift, session
    from breakeven.output import drift as shown

    stack = arguments.deployment(file, profile=profile, name=name).stack
    recorded = session.recorded(stack, in_sandbox=sandbox, on_progress=terminal.on_progress)
    found = drift.find(recorded)
    click.echo(shown.render(output, recorded.plan, recorded.cluster.target, found))
    if exit_code and not found.is_none:
        raise Difference("the cluster differs from the last apply", hint="`deploy up` puts it right")
