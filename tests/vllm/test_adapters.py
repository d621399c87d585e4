"""A LoRA adapter, served with vLLM's flags, and what the server exposes then. The last test ends the server."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.vllm import container as containers
from tests.vllm import metrics
from tests.vllm.server import Server

from breakeven import render
from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.serving import Adapter, LoraChoices
from breakeven.core.chart.storage import Weights
from breakeven.core.plan import Plan

ADAPTER = "style"


@pytest.fixture(scope="module")
def flags(planned: Callable[..., Plan], helm: Path) -> list[str]:
    """What the chart adds for an adapter that lies beside the weights."""
    adapter = Adapter(name=ADAPTER, source=f"/weights/{ADAPTER}", rank=8)
    chart = ChartChoices(lora=LoraChoices(adapters=(adapter,)))
    plan = planned("1xa100", weights=Weights(storage="pvc", claim="models"), chart=chart)
    arguments = containers.container(render.manifests(plan, helm)).arguments
    return arguments[arguments.index("--enable-lora") : arguments.index("--lora-modules") + 2]


@pytest.fixture(scope="module")
def server(
    start: Callable[..., Any],
    inside: Callable[..., Any],
    tiny_model: Path,
    mounts: dict[str, Path],
    flags: list[str],
) -> Iterator[Server]:
    """The rendered arguments and one adapter; eager, since compiling takes half a minute and is seen elsewhere."""
    adapter = mounts["/weights"] / ADAPTER
    adapter.mkdir()
    inside("tiny_adapter", adapter, tiny_model)
    with start("--enforce-eager", *(containers.moved(flag, mounts) for flag in flags)) as running:
        yield running


def says(server: Server, model: str) -> str:
    body = {"model": model, "prompt": "hello", "max_tokens": 16, "ignore_eos": True, "temperature": 0}
    answer = server.post("/v1/completions", body)
    assert answer.status == 200, answer
    return str(answer.json["choices"][0]["text"])


def test_an_adapter_is_a_model_beside_its_base(server: Server, served: Plan) -> None:
    models = {model["id"]: model["parent"] for model in server.get("/v1/models", key=server.key).json["data"]}
    assert models == {served.facts.model.name: None, ADAPTER: served.facts.model.name}


def test_an_adapter_changes_what_is_said(server: Server, served: Plan) -> None:
    base = says(server, served.facts.model.name)
    assert says(server, ADAPTER) != base
    assert says(server, served.facts.model.name) == base


def test_the_list_of_metrics_is_what_it_exposes(server: Server) -> None:
    """BREAKEVEN_WRITE_GOLDEN=1 writes it anew."""
    exposed = metrics.exposed(server.get("/metrics").text)
    if os.environ.get("BREAKEVEN_WRITE_GOLDEN"):
        metrics.write(exposed)
    assert metrics.read() == exposed


def test_a_dead_engine_ends_the_server(server: Server) -> None:
    """The kubelet then starts the container anew; a server that went on would answer /health for nothing."""
    (engine,) = re.findall(r"\(EngineCore pid=(\d+)\)", server.log())[:1]
    assert server.process.poll() is None
    os.kill(int(engine), signal.SIGKILL)
    server.exit_code(60)
