"""Options that several verbs share, and what they make together."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.core import ParameterSource

from breakeven import load
from breakeven.errors import InputError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from breakeven.convert import KeyPath
    from breakeven.core.deployment import Deployment
    from breakeven.core.plan import Plan

F = TypeVar("F", bound=Callable[..., Any])

DEPLOY_YAML: Final = Path("deploy.yaml")

_PREFIX: Final = "BREAKEVEN"

# `owner/name`, as the Hugging Face hub spells it; a path begins with "/" or ".".
_HUB_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class _Usd(click.ParamType[Decimal]):
    name = "usd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            return Decimal(value)
        except ArithmeticError:
            self.fail(f"{value!r} is not an amount of USD", param, ctx)


USD: Final = _Usd()


def above_0(ctx: click.Context, param: click.Parameter, usd: Decimal | None) -> Decimal | None:
    """Callback of an amount that no file says: those in deploy.yaml are looked at where it is read."""
    if usd is not None and not (usd.is_finite() and usd > 0):
        raise click.BadParameter(f"must be an amount above 0, got {usd}", ctx, param)
    return usd


class _Date(click.ParamType[date]):
    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date such as 2026-11-24", param, ctx)


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


def complete_profile(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _complete(load.profiles(), incomplete)


def complete_accelerator(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _complete(load.accelerators(), incomplete)


def complete_model(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _complete(load.models(), incomplete)


def _complete(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """Completion from packaged data only: never the network, never the cluster."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


# parameter → key path in deploy.yaml
_KEYS: Final[dict[str, KeyPath]] = {
    "profile": ("profile",),
    "name": ("name",),
    "model": ("model",),
    "namespace": ("namespace",),
    "replicas": ("replicas",),
    "nodes": ("nodes",),
    "max_model_len": ("max_model_len",),
    "hub_token_secret": ("hub_token_secret",),
    "requests_per_month": ("workload", "requests_per_month"),
    "input_tokens": ("workload", "input_tokens"),
    "output_tokens": ("workload", "output_tokens"),
    "cached_share": ("workload", "cached_share"),
    "peak_to_mean": ("workload", "peak_to_mean"),
    "ttft_p99_ms": ("slo", "ttft_p99_ms"),
    "tpot_ms": ("slo", "tpot_ms"),
    "target_utilisation": ("headroom", "target_utilisation"),
    "spare_replicas": ("headroom", "spare_replicas"),
    "tensor_parallel_size": ("engine", "tensor_parallel_size"),
    "pipeline_parallel_size": ("engine", "pipeline_parallel_size"),
    "precision": ("engine", "precision"),
    "kv_cache_dtype": ("engine", "kv_cache_dtype"),
    "measured": ("measured",),
    "weights_storage": ("weights", "storage"),
    "storage_class": ("weights", "storage_class"),
    "offer": ("prices", "offer"),
    "usd_per_gpu_hour": ("prices", "usd_per_gpu_hour"),
    "ops_usd_per_month": ("prices", "ops_usd_per_month"),
    "setup_usd_per_month": ("prices", "setup_usd_per_month"),
    "storage_usd_per_gib_month": ("prices", "storage_usd_per_gib_month"),
    "max_usd_per_month": ("budget", "max_usd_per_month"),
    "max_increase_usd": ("budget", "max_increase_usd"),
    "max_increase_percent": ("budget", "max_increase_percent"),
    "max_usd_above_api": ("budget", "max_usd_above_api"),
    "allow_unknown_prices": ("budget", "allow_unknown_prices"),
}


# One way to say it replaces the other.
_EXCLUSIVE: Final = (
    *(("nodes", "replicas"), ("replicas", "nodes")),
    *(("offer", "usd_per_gpu_hour"), ("usd_per_gpu_hour", "offer")),
)


class _Option(click.Option):
    """Read from BREAKEVEN_<OPTION> too, for every verb: what is previewed is what is applied.

    BREAKEVEN_<VERB>_<OPTION>, which Click reads by itself, goes first.
    """

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        return super().resolve_envvar_value(ctx) or os.environ.get(_variables(self, ctx)[-1]) or None

    def get_error_hint(self, ctx: click.Context | None) -> str:
        return repr(_origin(self, ctx)) if ctx else super().get_error_hint(ctx)


def _variables(option: click.Parameter, ctx: click.Context) -> tuple[str, str]:
    name = str(option.name).upper()
    return f"{ctx.auto_envvar_prefix}_{name}", f"{_PREFIX}_{name}"


def _origin(option: click.Parameter, ctx: click.Context) -> str:
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
    option("--ttft-p99-ms", type=_Milliseconds(), help="Objective for 99 of 100 first tokens; 2,000 by default."),
    option("--tpot-ms", type=_Milliseconds(), help="Objective for the median time per token; 50 by default."),
    option("--target-utilisation", type=float, help="Share of the capacity that the peak may take; 0.77 by default."),
    option("--spare-replicas", type=int, help="Replicas beyond what the peak needs; 0 by default."),
)

# Besides rent.
_PRICES: Final = (
    option("--ops-usd-per-month", type=_Usd(), help="Operations; the profile's default without it."),
    option("--setup-usd-per-month", type=_Usd(), help="Setup, amortised; the profile's default without it."),
    option("--storage-usd-per-gib-month", type=_Usd(), help="Price of the weights' volume."),
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
    option("--tensor-parallel-size", type=int, help="GPUs that a replica is cut over; by default the best in the SLO."),
    option("--pipeline-parallel-size", type=int, help="Stages of a replica; by default 1 where that fits."),
    option(
        "--precision",
        type=click.Choice(["bf16", "fp8", "int8", "int4", "mxfp4"]),
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
    option("--usd-per-gpu-hour", type=_Usd(), help="Your own price of one GPU, instead of --offer."),
    *_PRICES,
)

# What changes a plan, and does not only say which stack is meant.
_INPUTS: Final = set(_KEYS) - {"profile", "name"}

_BUDGET: Final = (
    option("--max-usd-per-month", type=_Usd(), help="Refuse a bill above this."),
    option("--max-increase-usd", type=_Usd(), help="Refuse a bill that rises by more than this a month."),
    option("--max-increase-percent", type=float, help="Refuse a bill that rises by more percent."),
    option("--max-usd-above-api", type=_Usd(), help="Refuse a bill that exceeds the cheapest API by more than this."),
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
        type=_Date(),
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
    options = (
        option("--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig file; KUBECONFIG by default."),
        option("--context", help="Context of the kubeconfig; its current one by default."),
        option("--sandbox", is_flag=True, help="Use the local rehearsal cluster; starts it if needed."),
    )
    return _all(options, function)


def deployment(file: Path | None, *, saved: Deployment | None = None, **inputs: Any) -> Deployment:
    """deploy.yaml with flags and environment laid over it; where neither names a profile, over what was saved.

    Raises InputError.
    """
    path = _file(file)
    overrides = _overrides({name: value for name, value in inputs.items() if value is not None})
    if path is None and ("profile",) not in overrides:
        if saved is not None:
            return load.deployment(None, overrides, saved=load.plain(saved))
        raise InputError(
            "no profile given", hint="add --profile NAME (`deploy profiles` lists them) or write a deploy.yaml"
        )
    return load.deployment(path, overrides)


def traffic(file: Path | None, **inputs: Any) -> Deployment:
    """As `deployment`, of no profile yet: the one that the file names is replaced by just any."""
    path = _file(file)
    overrides = _overrides({name: value for name, value in inputs.items() if value is not None})
    return load.deployment(path, {**overrides, ("profile",): (next(iter(load.profiles())), "--profile")})


def _file(given: Path | None) -> Path | None:
    # A broken link or a directory of that name is an error to be told, not a file that is not there.
    return given or (DEPLOY_YAML if os.path.lexists(DEPLOY_YAML) else None)


def flags(deployment: Deployment) -> list[str]:
    """What to type after a verb for this deployment, without what is the default anyway."""
    from breakeven.core.deployment import Deployment

    default = Deployment(profile="")
    typed = []
    for name, path in _KEYS.items():
        value = _value(deployment, path)
        if value is not None and value != _value(default, path):
            typed += [f"--{name.replace('_', '-')}", str(value).removesuffix(".0")]
    return typed


def _value(deployment: Deployment, path: KeyPath) -> Any:
    """None where a part of the path is not given."""
    found: Any = deployment
    for key in path:
        found = getattr(found, str(key), None)
    return found


def _overrides(given: dict[str, Any]) -> dict[KeyPath, tuple[Any, str]]:
    """What goes over the file, with its origin."""
    ctx = click.get_current_context()
    origins = {str(option.name): _origin(option, ctx) for option in ctx.command.params}
    overrides = {_KEYS[name]: (value, origins[name]) for name, value in given.items()}
    for one, other in _EXCLUSIVE:
        if one in given and other not in given:
            overrides[_KEYS[other]] = (None, origins[one])
    return overrides


def stack_alone(file: Path | None, **inputs: Any) -> str:
    """The stack's name, where its inputs come from its history. Raises InputError for flags that would change them."""
    ctx = click.get_current_context()
    given = [
        _origin(option, ctx)
        for option in ctx.command.params
        if option.name in _INPUTS and ctx.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise InputError(f"a rollback takes all inputs from the last good apply: leave out {', '.join(given)}")
    return deployment(file, profile=inputs["profile"], name=inputs["name"]).stack


def make_plan(file: Path | None, **inputs: Any) -> Plan:
    """The plan of the given options. Raises InputError or InfeasibleError."""
    from breakeven.core.plan import plan

    wanted = deployment(file, **inputs)
    return plan(wanted, load.facts(wanted))


def make_servable_plan(file: Path | None, *, saved: Deployment | None = None, **inputs: Any) -> Plan:
    """As `make_plan`, of a model that vLLM can download by its name. Raises InputError where it cannot."""
    wanted = deployment(file, saved=saved, **inputs)
    if wanted.model and wanted.model.endswith(".json"):
        # It is recorded with the stack, and read again from another directory.
        wanted = replace(wanted, model=str(Path(wanted.model).absolute()))
    return servable_plan(wanted)


def servable_plan(wanted: Deployment) -> Plan:
    """Raises InputError where vLLM cannot download the model by its name."""
    from breakeven.core.plan import plan

    facts = load.facts(wanted)
    if not _HUB_NAME.fullmatch(facts.model.name):
        raise InputError(
            f"model {wanted.model} calls itself {facts.model.name!r}, a name that vLLM cannot download weights by",
            hint="give a name that `deploy models` lists, or save config.json as OWNER--NAME.json, as the hub calls it",
        )
    return plan(wanted, facts)


def refuse_inputs(why: str, **inputs: Any) -> None:
    """Raises InputError if any was given, be it by a flag or by a variable."""
    ctx = click.get_current_context()
    origins = {str(option.name): _origin(option, ctx) for option in ctx.command.params}
    if given := next((name for name, value in inputs.items() if value is not None), None):
        raise InputError(why, where=origins[given], hint="put it into the deploy.yaml files, or into their base")
