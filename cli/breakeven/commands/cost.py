"""deploy cost"""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from breakeven import load, options


@click.command(name="cost")
@options.deployment_options
@options.compare_option
@options.prices_at_option
@options.output_option
def command(compare_with: tuple[str, ...], prices_at: date, output: str, **inputs: Any) -> None:
    """The monthly bill of a plan beside the same traffic at an API; break-even and decision. Needs no cluster.

    \b
    Examples:
      deploy cost --profile 4xa100
      deploy cost --profile 1xa100 --requests-per-month 20000000 --compare-with openai/gpt-4o -o json
      deploy cost --profile 4xa100 --compare-with openai/gpt-4o --compare-with openai/gpt-4o@batch
    """
    from breakeven import price_book
    from breakeven.core.comparison import compare
    from breakeven.core.cost import offered_rents
    from breakeven.output import cost

    plan = options.make_plan(**inputs)
    comparison = compare(plan, price_book.prices(plan, compare_with, prices_at))
    offered = offered_rents(plan, load.offers_of(plan.facts.profile))
    click.echo(cost.render(output, comparison, offered, prices_at))
