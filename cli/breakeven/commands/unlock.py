"""deploy unlock"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from breakeven import arguments, options
from breakeven.errors import DeployError, InputError

if TYPE_CHECKING:
    from breakeven.core.live import Holder


@click.command(name="unlock")
@options.stack_options
@options.sandbox_option
@click.option("-y", "--yes", is_flag=True, help="Remove without asking.")
def command(file: Path | None, profile: str | None, name: str | None, sandbox: bool, yes: bool) -> None:
    """Show who holds a stack, and remove the lock of a process that is gone. A live one is never broken.

    \b
    Example:
      deploy unlock --profile 4xa100
    """
    from breakeven.engine import session
    from breakeven.output import holders

    stack = arguments.deployment(file, profile=profile, name=name).stack

    def confirm(found: Iterable[Holder]) -> None:
        click.echo(holders.text(found))
        if not yes and not sys.stdin.isatty():
            raise InputError("there is no terminal to ask on", hint="add --yes to remove the lock without asking")
        if not yes and not click.confirm("\nRemove it?", err=True):
            raise DeployError("not confirmed; nothing was removed")

    removed = session.unlock(stack, in_sandbox=sandbox, confirm=confirm)
    click.echo(holders.removed(stack) if removed else f"Nobody holds stack {stack}.")
