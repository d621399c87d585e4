"""deploy preview"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from breakeven import arguments, options, terminal
from breakeven.errors import InputError


@click.command(name="preview")
@options.deployment_options
@options.budget_options
@options.compare_option
@options.prices_at_option
@options.cluster_options
@options.adopt_option
@click.option(
    "--save", metavar="FILE", type=click.Path(path_type=Path), help="Save it as a plan, for `deploy up --plan FILE`."
)
@click.option("--offline", is_flag=True, help="Ask no cluster: compare with what the last apply recorded.")
@options.output_option
def command(
    kubeconfig: Path | None,
    context: str | None,
    sandbox: bool,
    offline: bool,
    adopt: tuple[str, ...],
    compare_with: tuple[str, ...],
    prices_at: date,
    save: Path | None,
    output: str,
    **inputs: Any,
) -> None:
    """Show what would change in the cluster, and what it would cost. Changes nothing.

    A bill that is over budget ends in exit code 6, after all was shown.

    \b
    Examples:
      deploy preview --profile 4xa100 --replicas 2 -o markdown
      deploy preview --profile 4xa100 --max-increase-percent 50 --save plan.json
      deploy preview --profile 4xa100 --adopt Deployment/llm-4xa100
    """
    if offline and (kubeconfig or context):
        raise InputError("--offline asks no cluster: leave out --kubeconfig and --context")
    if offline and save:
        raise InputError("--save needs the cluster that the plan is for: leave out --offline")
    if offline and adopt:
        raise InputError("--adopt needs the cluster that the object is in: leave out --offline")
    from breakeven import plan_file, price_book
    from breakeven.core.budget import Approval, judge
    from breakeven.core.comparison import compare
    from breakeven.core.saved_plan import saved_plan
    from breakeven.engine import session
    from breakeven.output import preview

    plan = arguments.make_servable_plan(**inputs)
    prices = price_book.prices(plan, compare_with, prices_at)
    if offline:
        shown = session.offline(plan, in_sandbox=sandbox, on_progress=terminal.on_progress)
    else:
        where = session.Where(kubeconfig=kubeconfig, context=context, sandbox=sandbox)
        with session.begin(plan, where, terminal.on_progress, adopt) as rollout:
            shown = rollout.preview()
    comparison = compare(plan, prices)
    verdict = judge(plan.deployment.budget, shown.diff, comparison.equivalents)
    click.echo(preview.render(output, shown, comparison, verdict, prices_at, terminal.paint))
    if save:
        plan_file.write(save, saved_plan(shown, verdict, prices, session.versions(), terminal.now()))
        apply = f"deploy up --plan {save}{' --sandbox' if sandbox else ''}"
        terminal.say(f"\nSaved to {save}; `{apply}` applies it, unless something has moved by then")
    Approval(verdict=verdict)
