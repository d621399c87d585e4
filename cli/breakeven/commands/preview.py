"""deploy preview"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from breakeven import options, terminal
from breakeven.errors import InputError


@click.command(name="preview")
@options.deployment_options
@options.compare_option
@options.prices_at_option
@options.cluster_options
@click.option("--offline", is_flag=True, help="Ask no cluster: compare with what the last apply recorded.")
@options.output_option
def command(
    kubeconfig: Path | None,
    context: str | None,
    sandbox: bool,
    offline: bool,
    compare_with: tuple[str, ...],
    prices_at: date,
    output: str,
    **inputs: Any,
) -> None:
    """Show what would change in the cluster, and what it would cost. Changes nothing.

    \b
    Example:
      deploy preview --profile 4xa100 --replicas 2 -o markdown
    """
    if offline and (kubeconfig or context):
        raise InputError("--offline asks no cluster: leave out --kubeconfig and --context")
    from breakeven import price_book
    from breakeven.engine import session
    from breakeven.output import preview

    plan = options.make_servable_plan(**inputs)
    prices = price_book.prices(plan, compare_with, prices_at)
    if offline:
        shown = session.offline(plan, in_sandbox=sandbox, on_progress=terminal.on_progress)
        click.echo(preview.render(output, shown, prices, prices_at))
        return
    where = session.Where(kubeconfig=kubeconfig, context=context, sandbox=sandbox)
    with session.begin(plan, where, terminal.on_progress) as rollout:
        click.echo(preview.render(output, rollout.preview(), prices, prices_at))
