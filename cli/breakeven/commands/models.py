"""deploy models"""

from __future__ import annotations

import click

from breakeven import load, option_types, options
from breakeven.output import models


@click.command(name="models")
@click.argument("name", required=False, shell_complete=option_types.complete_model)
@options.output_option
def command(name: str | None, output: str) -> None:
    """Models that can be chosen; with NAME all facts about one, and their source.

    \b
    Example:
      deploy models Qwen/Qwen3-8B
    """
    found = [load.model(name)] if name else list(load.models().values())
    click.echo(models.render(output, found, detailed=name is not None))
