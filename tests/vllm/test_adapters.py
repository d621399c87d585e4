"""A LoRA adapter, served with vLLM's flags, and what a Prometheus reads of it. The last test ends the server."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import Any

import pytest
from tests.charts.choices import CHOICES
from tests.vllm import container as containers
from tests.vllm import metrics
from tests.vllm.scraping import Prometheus, prometheus
from tests.vllm.server import Server

from breakeven import render
from breakeven.core.chart.autoscaler import AutoscalerChoices
from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.serving import Adapter, LoraChoices
from breakeven.core.chart.storage import Weights
from breakeven.core.cost import project
from breakeven.core.plan import Plan
from breakeven.core.scaling import Scaling
from breakeven.core.units import HOURS_PER_MONTH
from breakeven.engine import tools

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


@pytest.fixture(scope="module")
def monitored(planned: Callable[..., Plan]) -> Plan:
    """The same model on one GPU, watched and scaled by KEDA."""
    keda = AutoscalerChoices(kind="keda", prometheus_url="http://prometheus.monitoring:9090")
    chart = replace(CHOICES["monitoring"]["chart"], autoscaler=keda)
    return planned("1xa100", scaling=Scaling(max_replicas=2), chart=chart)


@pytest.fixture(scope="module")
def manifests(monitored: Plan, helm: Path) -> dict[str, dict[str, Any]]:
    return {entry["kind"]: entry for entry in render.manifests(monitored, helm)}


@pytest.fixture(scope="module")
def scraped(
    server: Server,
    served: Plan,
    monitored: Plan,
    manifests: dict[str, dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Prometheus]:
    """A Prometheus with the chart's rules that saw this server before and after some requests."""
    tools.require("prometheus")
    labels = {"namespace": monitored.namespace, "pod": f"{monitored.release}-5d8f7c9b6-x7k2p"}
    folder = tmp_path_factory.mktemp("prometheus")
    rules = manifests["PrometheusRule"]["spec"]
    with prometheus(tools.path("prometheus"), server.port, labels, rules, folder) as running:
        assert running.waits_for("vllm:generation_tokens_total", 30)
        for _ in range(4):
            says(server, served.facts.model.name)
        assert running.waits_for("breakeven:usd_per_million_tokens", 30)
        yield running


def test_every_query_of_the_dashboard_has_an_answer(scraped: Prometheus, manifests: dict[str, dict[str, Any]]) -> None:
    """With what the pinned vLLM exposes, under the labels that the operator gives."""
    (board,) = manifests["ConfigMap"]["data"].values()
    queries = [target["expr"] for panel in json.loads(board)["panels"] for target in panel["targets"]]
    empty = [query for query in queries if not (found := scraped.values(query)) or any(map(isnan, found))]
    assert len(queries) > 10
    assert not empty


def test_the_recorded_bill_is_the_plans(scraped: Prometheus, monitored: Plan) -> None:
    usd_per_hour = float(project(monitored).monthly_usd / HOURS_PER_MONTH)
    assert scraped.values("breakeven:usd_per_hour") == [pytest.approx(usd_per_hour, abs=0.0001)]
    (per_million,) = scraped.values("breakeven:usd_per_million_tokens * breakeven:tokens_per_second * 0.0036")
    assert per_million == pytest.approx(usd_per_hour, rel=0.001)


def test_no_alert_of_a_server_that_is_well(scraped: Prometheus) -> None:
    assert scraped.values("ALERTS") == []


def test_kedas_query_has_one_answer(scraped: Prometheus, manifests: dict[str, dict[str, Any]], monitored: Plan) -> None:
    """KEDA takes one value and refuses more. It compares the mean of a server with the threshold."""
    (trigger,) = manifests["ScaledObject"]["spec"]["triggers"]
    # Requests at once: the last scrape may have met the last one.
    assert scraped.values(trigger["metadata"]["query"]) in ([0.0], [1.0])
    within = int(int(monitored.capacity.concurrency) * monitored.deployment.headroom.target_utilisation)
    assert trigger["metricType"] == "AverageValue"
    assert trigger["metadata"]["threshold"] == str(within)


def test_without_a_server_kedas_query_has_none(scraped: Prometheus, manifests: dict[str, dict[str, Any]]) -> None:
    """So it can start no server: zero may run only with a query of something else, tests/charts."""
    (trigger,) = manifests["ScaledObject"]["spec"]["triggers"]
    gone = trigger["metadata"]["query"].replace("llm-1xa100-", "llm-none-")
    assert gone != trigger["metadata"]["query"]
    assert scraped.values(gone) == []


def test_a_dead_engine_ends_the_server(server: Server) -> None:
    """The kubelet then starts the container anew; a server that went on would answer /health for nothing."""
    (engine,) = re.findall(r"\(EngineCore pid=(\d+)\)", server.log())[:1]
    assert server.process.poll() is None
    os.kill(int(engine), signal.SIGKILL)
    server.exit_code(60)
