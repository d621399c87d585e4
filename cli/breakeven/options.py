"""Options that several verbs share, and what they make together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from breakeven import load
from breakeven.convert import KeyPath
from breakeven.errors import InputError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from breakeven.convert import KeyPath
    from breakeven.core.deployment import Deployment
    from breakeven.core.plan import Plan

F = TypeVar("F", bound=Callable[..., Any])

DEPLOY_YAML: Final = Path("deploy.yaml")


class _Usd(click.ParamType[Decimal]):
    name = "usd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            return Decimal(value)
        except ArithmeticError:
            self.fail(f"{value!r} is not an amount of USD", param, ctx)


def complete_profile(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _complete(load.profiles(), incomplete)


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
    "weights_storage": ("weights", "storage"),
    "storage_class": ("weights", "storage_class"),
    "offer": ("prices", "offer"),
    "ops_usd_per_month": ("prices", "ops_usd_per_month"),
    "setup_usd_per_month": ("prices", "setup_usd_per_month"),
    "storage_usd_per_gib_month": ("prices", "storage_usd_per_gib_month"),
}

_STACK: Final = (
    click.option(
        "-f",
        "--file",
        type=click.Path(path_type=Path),
        help="Deployment file; ./deploy.yaml is read where there is one.",
    ),
    click.option("-p", "--profile", shell_complete=complete_profile, help="Hardware profile; see `deploy profiles`."),
    click.option("--name", help="Name of the stack; the profile's name by default."),
)

_DEPLOYMENT: Final = (
    click.option(
        "-m",
        "--model",
        shell_complete=complete_model,
        help="Model, see `deploy models`, or a Hugging Face config.json; by default the profile's.",
    ),
    click.option("-n", "--namespace", help="Kubernetes namespace; llm-NAME by default."),
    click.option("--replicas", type=int, help="vLLM servers; by default as many as fill the nodes."),
    click.option("--nodes", type=int, help="Nodes of the profile, instead of --replicas."),
    click.option("--max-model-len", type=int, help="Longest sequence in tokens."),
    click.option("--hub-token-secret", help="Name of a Secret whose key `token` holds a Hugging Face token."),
    click.option(
        "--weights-storage",
        type=click.Choice(["emptyDir", "pvc"]),
        help="Weights on the node's disk (emptyDir, the default) or on a volume.",
    ),
    click.option("--storage-class", help="StorageClass of the weights' volume."),
    click.option("--requests-per-month", type=int, help="Traffic; 1,000,000 by default."),
    click.option("--input-tokens", type=int, help="Input tokens of an average request; 500 by default."),
    click.option("--output-tokens", type=int, help="Output tokens of an average request; 200 by default."),
    click.option("--offer", help="Dated GPU offer instead of the reference rent; see `deploy profiles NAME`."),
    click.option("--ops-usd-per-month", type=_Usd(), help="Operations; the profile's default without it."),
    click.option("--setup-usd-per-month", type=_Usd(), help="Setup, amortised; the profile's default without it."),
    click.option("--storage-usd-per-gib-month", type=_Usd(), help="Price of the weights' volume."),
)

_COMPARE: Final = click.option(
    "--compare-with",
    multiple=True,
    metavar="PROVIDER/MODEL",
    help="API model to compare with; may be repeated. By default the packaged ones and the same weights hosted.",
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


def compare_option(function: F) -> F:
    return _COMPARE(function)


def output_option(function: F) -> F:
    """-o table|json|markdown, passed as `output`."""
    choice = click.Choice(["table", "json", "markdown"])
    return click.option("-o", "--output", type=choice, default="table", show_default=True, help="Format.")(function)


def cluster_options(function: F) -> F:
    """--kubeconfig, --context, --sandbox: which cluster."""
    options = (
        click.option("--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig file; KUBECONFIG by default."),
        click.option("--context", help="Context of the kubeconfig; its current one by default."),
        click.option("--sandbox", is_flag=True, help="Use the local rehearsal cluster; starts it if needed."),
    )
    return _all(options, function)


def deployment(file: Path | None, **inputs: Any) -> Deployment:
    """deploy.yaml with flags and environment laid over it. Raises InputError."""
    path = file or (DEPLOY_YAML if DEPLOY_YAML.is_file() else None)
    overrides: dict[KeyPath, tuple[Any, str]] = {
        _KEYS[name]: (value, f"--{name.replace('_', '-')}") for name, value in inputs.items() if value is not None
    }
    if path is None and ("profile",) not in overrides:
        raise InputError(
            "no profile given", hint="add --profile NAME (`deploy profiles` lists them) or write a deploy.yaml"
        )
    return load.deployment(path, overrides)


def make_plan(file: Path | None, **inputs: Any) -> Plan:
    """The plan of the given options. Raises InputError or InfeasibleError."""
    from breakeven.core.plan import plan

    wanted = deployment(file, **inputs)
    return plan(wanted, load.facts(wanted))
