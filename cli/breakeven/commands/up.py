"""deploy up"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from breakeven import options, terminal
from breakeven.errors import DeployError, InputError


@click.command(name="up")
@options.deployment_options
@options.compare_option
@options.prices_at_option
@options.cluster_options
@click.option("--rollback", is_flag=True, help="Return to the inputs of the last apply that succeeded with other ones.")
@click.option("-y", "--yes", is_flag=True, help="Apply without asking.")
def command(
    kubeconfig: Path | None,
    context: str | None,
    sandbox: bool,
    compare_with: tuple[str, ...],
    prices_at: date,
    rollback: bool,
    yes: bool,
    **inputs: Any,
) -> None:
    """Preview, confirm, apply, wait until ready, report.

    \b
    Examples:
      deploy up --profile 4xa100 --sandbox
      deploy up --profile 8xh100 --context prod --replicas 2
      deploy up --profile 8xh100 --rollback
    """
    if not yes and not sys.stdin.isatty():
        raise InputError("there is no terminal to ask on", hint="add --yes to apply without asking")
    from breakeven import price_book
    from breakeven.core.preview import refuse_unknown_price
    from breakeven.engine import interrupt, session
    from breakeven.output import preview, status

    where = session.Where(kubeconfig=kubeconfig, context=context, sandbox=sandbox)
    if rollback:
        apply, plan, where = session.rolling_back(options.stack_alone(**inputs), where, terminal.on_progress)
        terminal.say(f"Rolling back to the apply of {apply.started:%Y-%m-%d %H:%M} UTC, which succeeded")
    else:
        plan = options.make_servable_plan(**inputs)
    prices = price_book.prices(plan, compare_with, prices_at)
    with session.begin(plan, where, terminal.on_progress) as running:
        shown = running.preview()
        click.echo(preview.render("table", shown, prices, prices_at))
        refuse_unknown_price(shown)
        if not shown.is_empty:
            _confirm(yes)
        with interrupt.finishing_steps(terminal.say, running.left_behind):
            running.apply(terminal.on_step, terminal.on_wait)
        readiness = running.wait_until_ready(terminal.on_wait, plan.startup_budget_s)
    click.echo(f"\n{status.applied(plan, readiness, sandbox=sandbox)}")


def _confirm(yes: bool) -> None:
    if not yes and not click.confirm("\nApply this?", err=True):
        raise DeployError("not confirmed; nothing was applied")
