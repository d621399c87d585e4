"""deploy size"""

from __future__ import annotations

from typing import Any

import click

from breakeven import load, options


class _Milliseconds(click.ParamType[float]):
    name = "ms"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number of milliseconds", param, ctx)
        if not 0 < number < 1e12:
            self.fail(f"must be above 0 and below 1,000,000,000,000, got {value}", param, ctx)
        return number


@click.command(name="size")
@options.deployment_options
@options.option("--ttft-p99-ms", type=_Milliseconds(), help="Objective for 99 of 100 first tokens; 2,000 by default.")
@options.option("--tpot-ms", type=_Milliseconds(), help="Objective for the median time per token; 50 by default.")
@options.output_option
def command(ttft_p99_ms: float | None, tpot_ms: float | None, output: str, **inputs: Any) -> None:
    """Does it fit: memory, KV cache, throughput and latency of the plan, and every other way to fill the node, ranked
    by what they serve within the latency objective for the same rent. Needs no cluster.

    \b
    Examples:
      deploy size --profile 4xa100
      deploy size --profile 8xh100 --model Qwen/Qwen3-32B --tpot-ms 30 -o json
    """
    from breakeven.core.sizing import near, size
    from breakeven.core.slo import TPOT_MS, TTFT_P99_MS, Slo
    from breakeven.output import size as size_output

    wanted = options.deployment(**inputs)
    slo = Slo(ttft_p99_ms=ttft_p99_ms or TTFT_P99_MS, tpot_ms=tpot_ms or TPOT_MS)
    sizing = size(wanted, load.facts(wanted), slo)
    runs = near(sizing, load.measured(), load.models(), load.accelerators())
    click.echo(size_output.render(output, sizing, runs))
