"""deploy up"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from breakeven import arguments, options, terminal
from breakeven.errors import DeployError, InputError

if TYPE_CHECKING:
    from breakeven.core.budget import Override


@click.command(name="up")
@options.deployment_options
@options.budget_options
@options.compare_option
@options.prices_at_option
@options.cluster_options
@options.adopt_option
@click.option("--override-budget", metavar="REASON", help="Apply although over budget; the reason is recorded.")
@click.option(
    "--plan",
    "plan_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Apply what `deploy preview --save FILE` showed, and nothing else; its inputs are the default.",
)
@click.option("--rollback", is_flag=True, help="Return to the inputs of the last apply that succeeded with other ones.")
@click.option("-y", "--yes", is_flag=True, help="Apply without asking.")
def command(
    kubeconfig: Path | None,
    context: str | None,
    sandbox: bool,
    adopt: tuple[str, ...],
    compare_with: tuple[str, ...],
    prices_at: date,
    override_budget: str | None,
    plan_path: Path | None,
    rollback: bool,
    yes: bool,
    **inputs: Any,
) -> None:
    """Preview, confirm, apply, wait until ready, report.

    \b
    Examples:
      deploy up --profile 4xa100 --sandbox
      deploy up --profile 8xh100 --context prod --replicas 2
      deploy up --plan plan.json --yes
      deploy up --profile 8xh100 --adopt Deployment/llm-8xh100
      deploy up --profile 8xh100 --rollback
    """
    if not yes and not sys.stdin.isatty():
        raise InputError("there is no terminal to ask on", hint="add --yes to apply without asking")
    if rollback and plan_path:
        raise InputError("--rollback takes its inputs from the last good apply: leave out --plan")
    override = _override(override_budget)
    from breakeven import plan_file, price_book
    from breakeven.core.budget import Approval, judge
    from breakeven.core.comparison import compare
    from breakeven.core.saved_plan import refuse_another_cluster, refuse_moved, saved_plan
    from breakeven.engine import interrupt, session
    from breakeven.output import preview, status

    saved = plan_file.read(plan_path) if plan_path else None
    where = session.Where(kubeconfig=kubeconfig, context=context, sandbox=sandbox)
    if rollback:
        apply, plan, where = session.rolling_back(arguments.stack_alone(**inputs), where, terminal.on_progress)
        terminal.say(f"Rolling back to the apply of {apply.started:%Y-%m-%d %H:%M} UTC, which succeeded")
    else:
        plan = arguments.make_servable_plan(**inputs, saved=saved.deployment if saved else None)
    prices = price_book.prices(plan, compare_with or (saved.comparators if saved else ()), prices_at)
    adopt = adopt or (saved.adopt if saved else ())
    with session.begin(plan, where, terminal.on_progress, adopt) as running:
        if saved:
            refuse_another_cluster(saved, running.target)
        shown = running.preview()
        comparison = compare(plan, prices)
        verdict = judge(plan.deployment.budget, shown.diff, comparison.equivalents)
        click.echo(preview.render("table", shown, comparison, verdict, prices_at, terminal.paint))
        if saved:
            refuse_moved(saved, saved_plan(shown, verdict, prices, session.versions(), terminal.now()))
        approval = Approval(verdict=verdict, override=override)
        if not shown.is_empty:
            _confirm(yes)
        with interrupt.finishing_steps(terminal.say, running.left_behind):
            running.apply(approval, terminal.on_step, terminal.on_wait)
        readiness = running.wait_until_ready(terminal.on_wait, plan.startup_budget_s)
    click.echo(f"\n{status.applied(plan, readiness, sandbox=sandbox)}")


def _override(reason: str | None) -> Override | None:
    from breakeven.core.budget import Override

    return None if reason is None else Override(reason=reason, at=terminal.now())


def _confirm(yes: bool) -> None:
    if not yes and not click.confirm("\nApply this?", err=True):
        raise DeployError("not confirmed; nothing was applied")
