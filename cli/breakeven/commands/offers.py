"""deploy offers"""

from __future__ import annotations

from datetime import date

import click

from breakeven import load, option_types, options
from breakeven.output import offer_list


@click.command(name="offers")
@options.option(
    "--accelerator", shell_complete=option_types.complete_accelerator, help="Only those of this GPU, such as h100-80gb."
)
@options.option(
    "--sort",
    type=click.Choice(list(offer_list.KEYS)),
    default="price",
    show_default=True,
    help="By the price of one GPU, by the day it was checked (newest first), or by provider.",
)
@options.prices_at_option
@options.output_option
def command(accelerator: str | None, sort: str, prices_at: date, output: str) -> None:
    """Dated prices of rentable GPUs, with source and age. `deploy profiles NAME` says which fit a profile's --offer.

    \b
    Examples:
      deploy offers --accelerator h100-80gb
      deploy offers --sort checked -o json
    """
    if accelerator is not None:
        load.accelerator(accelerator)
    found = [offer for offer in load.offers().values() if accelerator in (None, offer.accelerator)]
    click.echo(offer_list.render(output, found, sort, prices_at))
