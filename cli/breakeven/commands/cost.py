"""deploy cost"""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from breakeven import arguments, load, options
from breakeven.errors import InputError

if TYPE_CHECKING:
    from breakeven.core.fleet_cost import Bill
    from breakeven.fleet import Member


@click.command(name="cost")
@click.argument("clusters", required=False, type=click.Path(path_type=Path))
@options.deployment_options
@options.compare_option
@options.prices_at_option
@click.option("--explain", is_flag=True, help="Arithmetic of each figure, sensitivity, and the cost of owning.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "markdown", "csv"]),
    default="table",
    show_default=True,
    help="Format; csv has the columns of FOCUS.",
)
def command(
    clusters: Path | None,
    compare_with: tuple[str, ...],
    prices_at: date,
    explain: bool,
    output: str,
    **inputs: Any,
) -> None:
    """The bill of a plan beside the same traffic at APIs; break-even and decision. Needs no cluster.

    With CLUSTERS, the bills of a fleet: of each deploy.yaml below it, by team, by environment and in total.

    \b
    Examples:
      deploy cost --profile 4xa100
      deploy cost --profile 1xa100 --requests-per-month 20000000 --compare-with openai/gpt-4o -o json
      deploy cost --profile 4xa100 --compare-with openai/gpt-4o --compare-with openai/gpt-4o@batch --explain
      deploy cost clusters/
    """
    if clusters is not None:
        arguments.refuse_inputs("a fleet takes its inputs from files", **inputs)
        if output == "csv" or explain:
            raise InputError("a fleet has neither csv nor --explain", hint="ask for one deployment: -f FILE")
        click.echo(_fleet(clusters, compare_with, prices_at, output))
        return
    import json

    from breakeven import price_book
    from breakeven.core.comparison import compare
    from breakeven.core.cost import offered_rents
    from breakeven.core.sensitivity import sensitivity
    from breakeven.output import cost, cost_csv, cost_data
    from breakeven.output import explain as explanation

    plan = arguments.make_plan(**inputs)
    comparison = compare(plan, price_book.prices(plan, compare_with, prices_at))
    if output == "csv":
        click.echo(cost_csv.render(comparison, prices_at))
        return
    offered = offered_rents(plan, load.offers_of(plan.facts.profile))
    against = comparison.cheapest.comparator if comparison.cheapest and (explain or output == "json") else None
    cases = (
        sensitivity(plan, partial(price_book.prices, compare_with=[against], at=prices_at), against) if against else ()
    )
    if output == "json":
        click.echo(json.dumps(cost_data.data(comparison, offered, cases, prices_at), indent=2))
        return
    click.echo(cost.render(output, comparison, offered, prices_at))
    if explain:
        click.echo(f"\n{explanation.render(output, comparison, cases, prices_at)}")


def _fleet(clusters: Path, compare_with: tuple[str, ...], at: date, output: str) -> str:
    import json

    from breakeven import fleet
    from breakeven.core.fleet_cost import over_budget
    from breakeven.output import fleet as fleet_output

    bills = [_bill(member, compare_with, at) for member in fleet.members(clusters)]
    over = over_budget(fleet.whole(clusters).budget, bills)
    if output == "json":
        return json.dumps(fleet_output.data(bills, over, at), indent=2)
    return fleet_output.render(output, bills, over, at)


def _bill(member: Member, compare_with: tuple[str, ...], at: date) -> Bill:
    from breakeven import fleet, price_book
    from breakeven.core.comparison import compare
    from breakeven.core.fleet_cost import bill
    from breakeven.core.plan import plan

    with fleet.named(member):
        found = plan(member.deployment, load.facts(member.deployment))
        return bill(member.folder, compare(found, price_book.prices(found, compare_with, at)))
