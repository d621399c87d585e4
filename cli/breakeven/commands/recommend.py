"""deploy recommend"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from breakeven import load, options
from breakeven.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from breakeven.core.deployment import Deployment
    from breakeven.core.hardware import Accelerator
    from breakeven.core.plan import Plan
    from breakeven.core.search import Wanted

_ANY: Final = "any"


@click.command(name="recommend")
@options.traffic_options
@options.option(
    "-m",
    "--model",
    multiple=True,
    shell_complete=options.complete_model,
    help="A model that would do, see `deploy models`; may be repeated. By default each profile's own.",
)
@options.option(
    "--accelerator",
    multiple=True,
    shell_complete=options.complete_accelerator,
    help=f"Nodes of this GPU at every dated offer, or of `{_ANY}`, instead of the profiles; may be repeated.",
)
@options.option("--gpus", type=click.IntRange(1), help="GPUs of such a node; by default every size.")
@options.option("--max-usd", type=options.USD, help="The most that a month may cost.")
@options.compare_option
@options.output_option
def command(
    model: tuple[str, ...],
    accelerator: tuple[str, ...],
    gpus: int | None,
    max_usd: Decimal | None,
    compare_with: tuple[str, ...],
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

    asked = options.traffic(**inputs)
    models = model or ((asked.model,) if asked.model else ())
    wanted = _wanted(models, accelerator, gpus)
    hosted = (one.model.comparator for one in wanted)
    names = compare_with or (*load.comparators(), *(name for name in hosted if name))
    found = recommend(
        _open(asked),
        wanted,
        [price_book.price(name, asked.workload) for name in dict.fromkeys(names)],
        max_usd=max_usd,
        interchangeable=bool(models),
    )
    click.echo(recommend_output.render(output, found, lambda plan: options.flags(_typed(asked, plan))))


def _open(asked: Deployment) -> Deployment:
    """Without what is chosen here, if deploy.yaml says it."""
    from dataclasses import replace

    from breakeven.core.deployment import EngineChoice

    prices = replace(asked.prices, offer=None)
    return replace(asked, model=None, replicas=None, nodes=None, engine=EngineChoice(), prices=prices)


def _typed(asked: Deployment, plan: Plan) -> Deployment:
    """With what deploy.yaml says otherwise: the command that is typed next reads it, too."""
    from dataclasses import replace

    from breakeven.core.deployment import EngineChoice

    typed = plan.deployment
    if asked.replicas or asked.nodes:
        typed = replace(typed, replicas=plan.replicas)
    if asked.engine != EngineChoice():
        typed = replace(typed, engine=EngineChoice(**vars(plan.split)))
    return typed


def _wanted(models: tuple[str, ...], accelerators: tuple[str, ...], gpus: int | None) -> list[Wanted]:
    from breakeven.core.search import Wanted
    from breakeven.core.shape import of_accelerator, of_profile

    profiles = load.profiles().values()
    if not (accelerators or gpus):
        shapes = tuple(of_profile(one, load.accelerator_of(one), load.offers_of(one)) for one in profiles)
    elif not models:
        raise InputError("which models would do?", where="--accelerator", hint="name one or more with --model")
    else:
        offers = load.offers().values()
        shapes = tuple(shape for one in _named(accelerators) for shape in of_accelerator(one, gpus, offers, profiles))
    names = dict.fromkeys(models or (shape.profile.model for shape in shapes))
    return [
        Wanted(name=name, model=load.model(name), shapes=tuple(s for s in shapes if models or s.profile.model == name))
        for name in names
    ]


def _named(accelerators: tuple[str, ...]) -> Iterator[Accelerator]:
    if _ANY in accelerators or not accelerators:
        yield from load.accelerators().values()
    else:
        yield from (load.accelerator(name) for name in dict.fromkeys(accelerators))
