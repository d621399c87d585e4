"""deploy cost"""

from __future__ import annotations

from typing import Any

import click

from breakeven import load, options


@click.command(name="cost")
@options.deployment_options
@options.compare_option
@options.output_option
def command(compare_with: tuple[str, ...], output: str, **inputs: Any) -> None:
    """The monthly bill of a plan beside the same traffic at an API; break-even and decision. Needs no cluster.

    \b
    Examples:
      deploy cost --profile 4xa100
      deploy cost --profile 1xa100 --requests-per-month 20000000 --compare-with openai/gpt-4o -o json
    """
    from breakeven import price_book
    from breakeven.core.comparison import compare
    from breakeven.core.cost import offered_rents
    from breakeven.output import cost

    plan = options.make_plan(**inputs)
    comparison = compare(plan, price_book.prices(plan, compare_with))
    offered = offered_rents(plan, load.offers_of(plan.facts.profile))
    click.echo(cost.render(output, comparison, offered))
