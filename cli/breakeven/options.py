"""Options that several verbs share. What they make together is in `arguments`."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

from breakeven.option_types import DATE, MILLISECONDS, OBJECT, USD, complete_model, complete_profile

F = TypeVar("F", bound=Callable[..., Any])

_PREFIX: Final = "BREAKEVEN"


class _Option(click.Option):
    """Read from BREAKEVEN_<OPTION> too, for every verb: what is previewed is what is applied.

    BREAKEVEN_<VERB>_<OPTION>, which Click reads by itself, goes first.
    """

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        return super().resolve_envvar_value(ctx) or os.environ.get(_variables(self, ctx)[-1]) or None

    def get_error_hint(self, ctx: click.Context | None) -> str:
        return repr(origin(self, ctx)) if ctx else super().get_error_hint(ctx)


def _variables(option: click.Parameter, ctx: click.Context) -> tuple[str, str]:
    name = str(option.name).upper()
    return f"{ctx.auto_envvar_prefix}_{name}", f"{_PREFIX}_{name}"


def origin(option: click.Parameter, ctx: click.Context) -> str:
    """Where the value was given: the flag, or the variable."""
    if ctx.get_parameter_source(str(option.name)) is ParameterSource.ENVIRONMENT:
        return next(name for name in _variables(option, ctx) if os.environ.get(name))
    return f"--{str(option.name).replace('_', '-')}"


option: Final = partial(click.option, cls=_Option)

_FILE: Final = option(
    "-f",
    "--file",
    type=click.Path(path_type=Path),
    help="Deployment file; ./deploy.yaml is read where there is one.",
)

_STACK: Final = (
    _FILE,
    option("-p", "--profile", shell_complete=complete_profile, help="Hardware profile; see `deploy profiles`."),
    option("--name", help="Name of the stack; the profile's name by default."),
)

# The traffic, how fast it must be served, and how much is left free.
_TRAFFIC: Final = (
    option("--requests-per-month", type=int, help="Traffic; 1,000,000 by default."),
    option("--input-tokens", type=int, help="Input tokens of an average request; 500 by default."),
    option("--output-tokens", type=int, help="Output tokens of an average request; 200 by default."),
    option("--cached-share", type=float, help="Part of the input that a prefix cache holds already; 0 by default."),
    option("--peak-to-mean", type=float, help="Traffic of the busiest time ÷ its mean; 1 by default: level."),
    option("--ttft-p99-ms", type=MILLISECONDS, help="Objective for 99 of 100 first tokens; 2,000 by default."),
    option("--tpot-ms", type=MILLISECONDS, help="Objective for the median time per token; 50 by default."),
    option("--target-utilisation", type=float, help="Share of the capacity that the peak may take; 0.77 by default."),
    option("--spare-replicas", type=int, help="Replicas beyond what the peak needs; 0 by default."),
)

# Besides rent.
_PRICES: Final = (
    option("--ops-usd-per-month", type=USD, help="Operations; the profile's default without it."),
    option("--setup-usd-per-month", type=USD, help="Setup, amortised; the profile's default without it."),
    option("--storage-usd-per-gib-month", type=USD, help="Price of the weights' volume."),
)

_DEPLOYMENT: Final = (
    option(
        "-m",
        "--model",
        shell_complete=complete_model,
        help="Model, see `deploy models`, or a Hugging Face config.json; by default the profile's.",
    ),
    option("-n", "--namespace", help="Kubernetes namespace; llm-NAME by default."),
    option("--replicas", type=int, help="vLLM servers; by default as many as the peak needs, filling the nodes."),
    option("--nodes", type=int, help="Nodes of the profile, instead of --replicas."),
    option("--max-model-len", type=int, help="Longest sequence in tokens."),
    option("--hub-token-secret", help="Name of a Secret whose key `token` holds a Hugging Face token."),
    option(
        "--weights-storage",
        type=click.Choice(["emptyDir", "pvc", "ephemeral"]),
        help="Weights on the node's disk (emptyDir, the default), on a volume, or on one of each replica.",
    ),
    option("--storage-class", help="StorageClass of the weights' volume."),
    *_TRAFFIC,
    option("--tensor-parallel-size", type=int, help="GPUs that a replica is cut over; by default the best split."),
    option("--pipeline-parallel-size", type=int, help="Stages of a replica; by default 1 where that fits."),
    option(
        "--nodes-per-replica",
        type=int,
        help="Nodes that one replica spans, for a model that one node does not hold; 1 by default.",
    ),
    option(
        "--precision",
        type=click.Choice(["bf16", "fp8", "int8", "int4", "mxfp4", "nvfp4"]),
        help="Of the weights; other than the checkpoint's, they are quantised at the start.",
    ),
    option(
        "--kv-cache-dtype",
        type=click.Choice(["auto", "fp8"]),
        help="What the KV cache holds: as the activations (auto, the default), or fp8, which takes half.",
    ),
    option(
        "--measured",
        metavar="FILE",
        help="What a replica was measured to serve (YAML or JSON), instead of the estimate; see docs/cost.md.",
    ),
    option("--offer", help="Dated GPU offer instead of the reference rent; see `deploy profiles NAME`."),
    option("--usd-per-gpu-hour", type=USD, help="Your own price of one GPU, instead of --offer."),
    *_PRICES,
)

_BUDGET: Final = (
    option("--max-usd-per-month", type=USD, help="Refuse a bill above this."),
    option("--max-increase-usd", type=USD, help="Refuse a bill that rises by more than this a month."),
    option("--max-increase-percent", type=float, help="Refuse a bill that rises by more percent."),
    option("--max-usd-above-api", type=USD, help="Refuse a bill that exceeds the cheapest API by more than this."),
    option("--allow-unknown-prices", is_flag=True, default=None, help="Do not refuse a line that has no price."),
)

_COMPARE: Final = option(
    "--compare-with",
    multiple=True,
    metavar="PROVIDER/MODEL[@TIER]",
    help="API model to compare with, at its batch, flex or priority price if you say so (openai/gpt-4o@batch); may be "
    "repeated. By default the packaged ones and the same weights hosted.",
)


def _all(options: tuple[Callable[[F], F], ...], function: F) -> F:
    for option in reversed(options):
        function = option(function)
    return function


def stack_options(function: F) -> F:
    """--file, --profile, --name: which stack."""
    return _all(_STACK, function)


def deployment_options(function: F) -> F:
    """Everything that goes into a plan. Collect it with `deployment(**inputs)`."""
    return _all((*_STACK, *_DEPLOYMENT), function)


def budget_options(function: F) -> F:
    """What an apply must keep to. They go into the deployment: collect them with it."""
    return _all(_BUDGET, function)


def traffic_options(function: F) -> F:
    """What a plan is chosen for. Collect it with `traffic(**inputs)`."""
    return _all((_FILE, *_TRAFFIC, *_PRICES), function)


def compare_option(function: F) -> F:
    return _COMPARE(function)


def prices_at_option(function: F) -> F:
    """--prices-at, passed as `prices_at`: the only place where prices meet the clock."""
    return option(
        "--prices-at",
        type=DATE,
        callback=lambda ctx, param, value: value or date.today(),
        help="Day whose prices count, and from which their age is reckoned, such as 2026-11-24; today by default.",
    )(function)


def sandbox_option(function: F) -> F:
    """--sandbox of a verb that looks for a stack: its cluster is recorded."""
    return option("--sandbox", is_flag=True, help="A stack on the local rehearsal cluster.")(function)


def output_option(function: F) -> F:
    """-o table|json|markdown, passed as `output`."""
    choice = click.Choice(["table", "json", "markdown"])
    return click.option("-o", "--output", type=choice, default="table", show_default=True, help="Format.")(function)


def cluster_options(function: F) -> F:
    """--kubeconfig, --context, --sandbox: which cluster."""
    return _cluster("Use the local rehearsal cluster; starts it if needed.", function)


def examined_options(function: F) -> F:
    """The same, of a verb that only looks."""
    return _cluster("Look at the local rehearsal cluster.", function)


def _cluster(sandbox: str, function: F) -> F:
    options = (
        option("--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig file; KUBECONFIG by default."),
        option("--context", help="Context of the kubeconfig; its current one by default."),
        option("--sandbox", is_flag=True, help=sandbox),
    )
    return _all(options, function)


def adopt_option(function: F) -> F:
    """--adopt, passed as `adopt`: no variable that is set for good may take objects over."""
    return click.option(
        "--adopt",
        multiple=True,
        type=OBJECT,
        metavar="KIND/NAME",
        allow_from_autoenv=False,
        help="Take over this object of the stack, which exists and is not its own; may be repeated.",
    )(function)
