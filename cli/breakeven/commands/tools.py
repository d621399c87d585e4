"""deploy tools"""

from __future__ import annotations

import click

from breakeven import options, terminal


@click.command(name="tools")
@click.option("--build", is_flag=True, help="Build what is missing, from the pinned Go modules.")
@click.option("--for-tests", is_flag=True, help="Also what only Breakeven's own tests need.")
@click.option("--path", "program", metavar="PROGRAM", help="Print the path of this program only.")
@options.output_option
def command(build: bool, for_tests: bool, program: str | None, output: str) -> None:
    """The pinned programs, and where each comes from: PATH, built into the cache, or still missing.

    \b
    Examples:
      deploy tools --build
      $(deploy tools --path kubectl) version --client
    """
    from breakeven.engine import tools
    from breakeven.output import tools as shown

    if build:
        tools.require(*tools.names(for_tests=for_tests), progress=terminal.on_progress)
    if program:
        click.echo(tools.path(program))
    else:
        click.echo(shown.render(output, tools.report(for_tests=for_tests)))
