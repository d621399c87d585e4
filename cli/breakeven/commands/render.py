"""deploy render"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from breakeven import options, terminal


@click.command(name="render")
@click.argument("out", type=click.Path(path_type=Path))
@options.deployment_options
def command(out: Path, **inputs: Any) -> None:
    """Write Helm values and manifests to the directory OUT, the same for the same inputs. Needs no cluster.

    \b
    Example:
      deploy render build/ --profile 4xa100
    """
    from breakeven import render
    from breakeven.engine import tools

    plan = options.make_servable_plan(**inputs)
    tools.require("helm", progress=terminal.on_progress)
    for path in render.write(plan, tools.path("helm"), out):
        click.echo(path)
