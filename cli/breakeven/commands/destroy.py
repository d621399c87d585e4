"""deploy destroy"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from breakeven import arguments, options, terminal
from breakeven.errors import InputError


@click.command(name="destroy")
@options.stack_options
@options.sandbox_option
@click.option("--confirm", metavar="NAME", help="The stack's name, instead of typing it.")
def command(file: Path | None, profile: str | None, name: str | None, sandbox: bool, confirm: str | None) -> None:
    """Remove a stack and all that it made or adopted, after its name was typed.

    \b
    Example:
      deploy destroy --profile 4xa100 --sandbox --confirm 4xa100
    """
    if confirm is None and not sys.stdin.isatty():
        raise InputError("there is no terminal to type the name on", hint="add --confirm NAME")
    from breakeven.engine import interrupt, session
    from breakeven.output import status

    stack = arguments.deployment(file, profile=profile, name=name).stack
    found = session.recorded(stack, in_sandbox=sandbox, on_progress=terminal.on_progress)
    plan, target, adopted = found.plan, found.cluster.target, found.stack.adopted
    kept = found.keeps_namespace
    click.echo(status.removal(plan, target, found.state.cost, adopted, keeps_namespace=kept))
    typed = click.prompt(f"\nType {stack} to remove it", err=True) if confirm is None else confirm
    if typed != stack:
        raise InputError(f"{typed!r} is not {stack!r}; nothing was removed")
    with interrupt.finishing_steps(terminal.say, found.left_behind):
        found.destroy(terminal.on_step, terminal.on_progress)
    click.echo(status.removed(found.plan, found.state.cost))
