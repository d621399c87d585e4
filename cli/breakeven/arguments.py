"""What a verb's options make together: deploy.yaml with flags and environment laid over it, and the plan of that."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from breakeven import deployment_file, load
from breakeven.errors import InputError
from breakeven.options import origin

if TYPE_CHECKING:
    from breakeven.convert import KeyPath
    from breakeven.core.deployment import Deployment
    from breakeven.core.plan import Plan

DEPLOY_YAML: Final = Path("deploy.yaml")

# `owner/name`, as the Hugging Face hub spells it; a path begins with "/" or ".".
_HUB_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")

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
    "nodes_per_replica": ("engine", "nodes_per_replica"),
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

# What changes a plan, and does not only say which stack is meant.
_INPUTS: Final = set(_KEYS) - {"profile", "name"}

# One way to say it replaces the other.
_EXCLUSIVE: Final = (
    *(("nodes", "replicas"), ("replicas", "nodes")),
    *(("offer", "usd_per_gpu_hour"), ("usd_per_gpu_hour", "offer")),
)


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
    origins = {str(option.name): origin(option, ctx) for option in ctx.command.params}
    overrides = {_KEYS[name]: (value, origins[name]) for name, value in given.items()}
    for one, other in _EXCLUSIVE:
        if one in given and other not in given:
            overrides[_KEYS[other]] = (None, origins[one])
    return overrides


def stack_alone(file: Path | None, **inputs: Any) -> str:
    """The stack's name, where its inputs come from its history. Raises InputError for flags that would change them."""
    ctx = click.get_current_context()
    given = [
        origin(option, ctx)
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
    with deployment_file.located(_file(file)):
        return plan(wanted, load.facts(wanted))


def make_servable_plan(file: Path | None, *, saved: Deployment | None = None, **inputs: Any) -> Plan:
    """As `make_plan`, of a model that vLLM can download by its name. Raises InputError where it cannot."""
    wanted = deployment(file, saved=saved, **inputs)
    if wanted.model and wanted.model.endswith(".json"):
        # It is recorded with the stack, and read again from another directory.
        wanted = replace(wanted, model=str(Path(wanted.model).absolute()))
    with deployment_file.located(_file(file)):
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
    origins = {str(option.name): origin(option, ctx) for option in ctx.command.params}
    if given := next((name for name, value in inputs.items() if value is not None), None):
        raise InputError(why, where=origins[given], hint="put it into the deploy.yaml files, or into their base")
