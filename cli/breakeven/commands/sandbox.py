"""deploy sandbox"""

from __future__ import annotations

import click

from breakeven import load, option_types, options, terminal
from breakeven.core.local import MOST_SANDBOX_NODES


@click.group(name="sandbox")
def command() -> None:
    """The local rehearsal cluster.

    A real API server, scheduler and controllers, with simulated GPU nodes; it listens on 127.0.0.1 only.

    \b
    Example:
      deploy sandbox up --profile 8xh100 --nodes 2
    """


@command.command(name="up")
@click.option(
    "-p", "--profile", shell_complete=option_types.complete_profile, help="Nodes of this profile; of each by default."
)
@click.option(
    "--nodes", type=click.IntRange(1, MOST_SANDBOX_NODES), default=1, show_default=True, help="At least so many nodes."
)
@options.output_option
def up(profile: str | None, nodes: int, output: str) -> None:
    """Start it, and add missing nodes.

    \b
    Example:
      deploy sandbox up --profile 8xh100 --nodes 2
    """
    from breakeven.engine import sandbox
    from breakeven.output import sandbox as shown

    wanted = [load.profile(profile)] if profile else list(load.profiles().values())
    for hardware in wanted:
        accelerator = load.accelerators()[hardware.accelerator]
        sandbox.up(hardware, accelerator, nodes, progress=terminal.on_progress)
    click.echo(shown.render(output, sandbox.status()))


@command.command(name="down")
def down() -> None:
    """Stop it and remove all of it.

    The stacks that were applied to it go, too.

    \b
    Example:
      deploy sandbox down
    """
    from breakeven.engine import sandbox

    terminal.say("The sandbox is gone." if sandbox.down() else "There was no sandbox.")


@command.command(name="status")
@options.output_option
def status(output: str) -> None:
    """Whether the sandbox runs, and its nodes.

    \b
    Example:
      deploy sandbox status -o json
    """
    from breakeven.engine import sandbox
    from breakeven.output import sandbox as shown

    click.echo(shown.render(output, sandbox.status()))
