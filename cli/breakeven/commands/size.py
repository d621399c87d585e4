"""deploy size"""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from breakeven import arguments, load, options


@click.command(name="size")
@options.deployment_options
@options.prices_at_option
@options.output_option
def command(prices_at: date, output: str, **inputs: Any) -> None:
    """Does it fit: memory, KV cache, throughput and latency of the plan, and every other way to fill the node, ranked
    by what they serve within the latency objective for the same rent. Needs no cluster.

    \b
    Examples:
      deploy size --profile 4xa100
      deploy size --profile 8xh100 --model Qwen/Qwen3-32B --tpot-ms 30 -o json
    """
    from breakeven.core.sizing import near, size
    from breakeven.output import size as size_output

    wanted = arguments.deployment(**inputs)
    sizing = size(wanted, load.facts(wanted))
    runs = near(sizing, load.measured(), load.models(), load.accelerators())
    click.echo(size_output.render(output, sizing, runs, prices_at))
