"""Every argument that the chart can render, against the pinned vLLM's own parser, GPU-only ones among them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final, get_args

import pytest
from tests.charts.choices import CHOICES
from tests.vllm import container as containers
from tests.vllm.container import Container

from breakeven import load, render, resources
from breakeven.core.chart.serving import ChatTemplate
from breakeven.core.deployment import Deployment, EngineChoice, Weights
from breakeven.core.engine_args import KvCacheDtype
from breakeven.core.plan import Plan, plan
from breakeven.core.precision import Precision
from breakeven.errors import InfeasibleError, InputError

# What an argument or a variable may depend on beside profile and model.
OPTIONS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"max_model_len": 1024},
    {"engine": EngineChoice(pipeline_parallel_size=2)},
    *({"engine": EngineChoice(precision=precision)} for precision in get_args(Precision)),
    *({"engine": EngineChoice(kv_cache_dtype=dtype)} for dtype in get_args(KvCacheDtype)),
    {"weights": Weights(storage="pvc"), "hub_token_secret": "hugging-face"},
    *CHOICES.values(),
)
# Of older versions; charts still pass them (ai-dynamo/dynamo#8693, gpustack/gpustack#3991, vllm-project/vllm#18538).
REMOVED: Final = ("--disable-log-requests", "--task=generate", "--enable-reasoning", "--swap-space=4")


def plans() -> Iterator[Plan]:
    """Each option on each profile, and each model on one that holds it."""
    profiles = sorted(load.profiles())
    for profile in profiles:
        for option in OPTIONS:
            yield from _planned(Deployment(profile=profile, **option))
    for model in sorted(load.models()):
        fitting = (plan for profile in profiles for plan in _planned(Deployment(profile=profile, model=model)))
        yield from islice(fitting, 1)


def _planned(deployment: Deployment) -> Iterator[Plan]:
    try:
        yield plan(deployment, load.facts(deployment))
    except (InfeasibleError, InputError):
        return


@pytest.fixture(scope="module")
def rendered_containers(helm: Path) -> list[Container]:
    return [found for plan in plans() for found in containers.group(render.manifests(plan, helm))]


@pytest.fixture(scope="module")
def vllm(
    rendered_containers: list[Container], inside: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What vLLM says to all of them, to each removed flag, and to no environment."""
    # The parser looks whether the template is there.
    templates = tmp_path_factory.mktemp("templates")
    (templates / ChatTemplate().key).write_text("{{ messages[0].content }}", encoding="utf-8")
    rendered = [
        [containers.in_group(a.replace("=/chat-template/", f"={templates}/"), 1) for a in c.arguments]
        for c in rendered_containers
    ]
    lines = [*rendered, *(["model", flag] for flag in REMOVED)]
    environments = [*(plain(container) for container in rendered_containers), {}]
    answer: dict[str, Any] = inside("arguments", given={"command_lines": lines, "environments": environments})
    return answer


def plain(container: Container) -> dict[str, str]:
    """What is no reference."""
    return {name: value for name, value in container.variables.items() if isinstance(value, str)}


def test_vllm_takes_every_rendered_argument(vllm: dict[str, Any], rendered_containers: list[Container]) -> None:
    said = vllm["refusals"][: len(rendered_containers)]
    refused = {why: c.arguments for why, c in zip(said, rendered_containers, strict=True) if why}
    assert not refused


def test_flags_that_were_removed_are_refused(vllm: dict[str, Any]) -> None:
    """What makes the test above worth something."""
    assert all(vllm["refusals"][-len(REMOVED) :])


def test_vllm_knows_every_rendered_variable(vllm: dict[str, Any]) -> None:
    assert vllm["unknown_variables"] == []


def test_usage_statistics_are_off(vllm: dict[str, Any]) -> None:
    *rendered, without = vllm["telling"]
    assert rendered
    assert not any(rendered)
    assert without


def test_no_flag_of_the_templates_is_left_out(rendered_containers: list[Container]) -> None:
    templates = [path for path in (resources.chart() / "templates").iterdir() if path.suffix in {".tpl", ".yaml"}]
    items = re.compile(r"^\s*- (--[a-z][a-z-]+)", re.MULTILINE)
    written = {flag for path in templates for flag in items.findall(path.read_text(encoding="utf-8"))}
    parsed = {argument.partition("=")[0] for container in rendered_containers for argument in container.arguments}
    assert written
    assert not written - parsed, "add a plan that renders them to OPTIONS"


@pytest.mark.parametrize("kind", ["tool_parser", "reasoning_parser"])
def test_vllm_has_the_catalogues_parsers(vllm: dict[str, Any], kind: str) -> None:
    named = {getattr(model, kind) for model in load.models().values()} - {None}
    assert len(named) > 5
    assert not named - set(vllm[f"{kind}s"])
