"""deploy recommend"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from breakeven import arguments, load, option_types, options
from breakeven.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from breakeven.core.deployment import Deployment
    from breakeven.core.hardware import Accelerator
    from breakeven.core.plan import Plan
    from breakeven.core.search import Wanted
    from breakeven.core.shape import Shape

_ANY: Final = "any"


@click.command(name="recommend")
@options.traffic_options
@options.option(
    "-m",
    "--model",
    multiple=True,
    shell_complete=option_types.complete_model,
    help="A model that would do, see `deploy models`; may be repeated. By default each profile's own.",
)
@options.option(
    "--accelerator",
    multiple=True,
    shell_complete=option_types.complete_accelerator,
    help=f"Nodes of this GPU at every dated offer, or of `{_ANY}`, instead of the profiles; may be repeated.",
)
@options.option("--gpus", type=click.IntRange(1), help="GPUs of such a node; by default every size.")
@options.option(
    "--max-usd", type=option_types.USD, callback=option_types.above_0, help="The most that a month may cost."
)
@options.compare_option
@options.prices_at_option
@options.output_option
def command(
    model: tuple[str, ...],
    accelerator: tuple[str, ...],
    gpus: int | None,
    max_usd: Decimal | None,
    compare_with: tuple[str, ...],
    prices_at: date,
    output: str,
    **inputs: Any,
) -> None:
    """The cheapest plans that keep the latency objective, beside the same traffic at APIs: over all profiles, or all
    nodes that dated offers price, in each precision and parallelism. Needs no cluster.

    \b
    Examples:
      deploy recommend --requests-per-month 20000000 --input-tokens 800 --output-tokens 300
      deploy recommend -m Qwen/Qwen3-32B -m openai/gpt-oss-120b --accelerator any --max-usd 10000
    """
    from breakeven import price_book
    from breakeven.core.recommend import recommend
    from breakeven.output import recommend as recommend_output

    asked = arguments.traffic(**inputs)
    models = model or ((asked.model,) if asked.model else ())
    gpu_models = _accelerators(accelerator, gpus)
    if gpu_models and not models:
        raise InputError("which models would do?", where="--model", hint="name one or more; `deploy models` lists them")
    shapes = _nodes(gpu_models, gpus) if gpu_models else _profiles()
    wanted = _wanted(models, _dated(shapes) if _has_price(asked) else shapes)
    hosted = price_book.prices_beside((one.model for one in wanted), asked, compare_with, prices_at)
    found = recommend(_open(asked), wanted, hosted, prices_at, max_usd=max_usd, interchangeable=bool(models))
    priced = {shape.accelerator.name for shape in shapes if shape.prices}
    unpriced = [one.title for one in gpu_models if one.name not in priced]
    click.echo(recommend_output.render(output, found, unpriced, lambda plan: _flags(asked, plan, inputs["file"])))


def _open(asked: Deployment) -> Deployment:
    """Without what is chosen here, if deploy.yaml says it."""
    from dataclasses import replace

    from breakeven.core.deployment import EngineChoice

    prices = replace(asked.prices, offer=None, usd_per_gpu_hour=None)
    return replace(asked, model=None, replicas=None, nodes=None, engine=EngineChoice(), measured=None, prices=prices)


def _flags(asked: Deployment, plan: Plan, file: Path | None) -> list[str]:
    """The command that is typed next reads the same deploy.yaml: what it says otherwise is overruled."""
    from dataclasses import replace

    from breakeven.core.deployment import EngineChoice

    typed = plan.deployment
    if asked.replicas or asked.nodes:
        typed = replace(typed, replicas=plan.replicas)
    if asked.engine != EngineChoice():
        split = plan.split
        engine = EngineChoice(
            tensor_parallel_size=split.tensor_parallel_size,
            pipeline_parallel_size=split.pipeline_parallel_size,
            nodes_per_replica=split.nodes if asked.engine.nodes_per_replica else None,
            precision=split.precision,
            kv_cache_dtype=split.kv_cache_dtype,
        )
        typed = replace(typed, engine=engine)
    return [*(("--file", str(file)) if file else ()), *arguments.flags(typed)]


def _accelerators(names: tuple[str, ...], gpus: int | None) -> list[Accelerator]:
    """None where the profiles are looked at."""
    if _ANY in names or (gpus and not names):
        return list(load.accelerators().values())
    return [load.accelerator(name) for name in dict.fromkeys(names)]


def _profiles() -> list[Shape]:
    from breakeven.core.shape import of_profile

    return [of_profile(one, load.accelerator_of(one), load.offers_of(one)) for one in load.profiles().values()]


def _nodes(accelerators: list[Accelerator], gpus: int | None) -> list[Shape]:
    from breakeven.core.shape import of_accelerator

    offers, profiles = load.offers().values(), load.profiles().values()
    return [shape for one in accelerators for shape in of_accelerator(one, gpus, offers, profiles)]


def _has_price(asked: Deployment) -> bool:
    return asked.prices.offer is not None or asked.prices.usd_per_gpu_hour is not None


def _dated(shapes: list[Shape]) -> list[Shape]:
    """Without reference rents: nothing that is typed next could take back the price of deploy.yaml for one."""
    from dataclasses import replace

    return [replace(shape, prices=tuple(offer for offer in shape.prices if offer)) for shape in shapes]


def _wanted(models: tuple[str, ...], shapes: list[Shape]) -> list[Wanted]:
    """Each model on each node; or each profile with its own."""
    from breakeven.core.search import Wanted

    own = dict.fromkeys(shape.profile.model for shape in shapes)
    return [
        Wanted(
            name=name,
            model=load.model(name),
            shapes=tuple(shape for shape in shapes if models or shape.profile.model == name),
        )
        for name in dict.fromkeys(models) or own
    ]
