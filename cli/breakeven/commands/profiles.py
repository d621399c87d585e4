"""deploy profiles"""

from __future__ import annotations

from datetime import date

import click

from breakeven import load, option_types, options
from breakeven.output import profiles


@click.command(name="profiles")
@click.argument("name", required=False, shell_complete=option_types.complete_profile)
@options.prices_at_option
@options.output_option
def command(name: str | None, prices_at: date, output: str) -> None:
    """Hardware profiles; with NAME all about one: placement, reference row and dated offers, with sources.

    \b
    Example:
      deploy profiles 4xa100
    """
    if name is None:
        click.echo(profiles.render_all(output, list(load.profiles().values()), prices_at))
        return
    profile = load.profile(name)
    click.echo(profiles.render(output, profile, load.accelerator_of(profile), load.offers_of(profile), prices_at))
