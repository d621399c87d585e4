"""Traces, as the chart has vLLM send them, at a collector that speaks OTLP over gRPC."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.vllm import container as containers
from tests.vllm import server as servers

from breakeven import render
from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.monitoring import MonitoringChoices
from breakeven.core.plan import Plan


def test_traces_reach_the_collector_and_name_their_service(
    planned: Callable[..., Plan], helm: Path, inside: Callable[..., Any]
) -> None:
    port = servers.free_port()
    chart = ChartChoices(monitoring=MonitoringChoices(traces_endpoint=f"http://127.0.0.1:{port}"))
    plan = planned("1xa100", name="chat", chart=chart)
    found = containers.container(render.manifests(plan, helm))
    (flag,) = [argument for argument in found.arguments if argument.startswith("--otlp-traces-endpoint=")]
    environment = {name: value for name, value in found.variables.items() if name.startswith("OTEL_")}
    given = {"port": port, "endpoint": flag.partition("=")[2], "environment": environment}
    assert inside("traces", given=given) == [["llm-chat", "request"]]
