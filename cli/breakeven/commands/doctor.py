"""deploy doctor"""

from __future__ import annotations

from pathlib import Path

import click

from breakeven import options


@click.command(name="doctor")
@options.examined_options
@options.output_option
def command(kubeconfig: Path | None, context: str | None, sandbox: bool, output: str) -> None:
    """Check this machine and the cluster, and say how to fix what is missing. Changes and builds nothing.

    \b
    Example:
      deploy doctor --context prod
    """
    from breakeven.engine import doctor, session
    from breakeven.output import checks

    where = session.Where(kubeconfig=kubeconfig, context=context, sandbox=sandbox)
    found = doctor.examine(where)
    click.echo(checks.render(output, found))
    if any(check.status == "fail" for check in found):
        raise click.exceptions.Exit(1)
