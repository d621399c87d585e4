"""A server on two nodes: leader and worker as the chart renders them, two processes that serve one model together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.vllm import container as containers
from tests.vllm import server as servers
from tests.vllm.container import Container
from tests.vllm.server import Server

from breakeven import render
from breakeven.core.deployment import EngineChoice
from breakeven.core.plan import Plan

# Traced and not compiled, which takes minutes and is seen elsewhere. Eager, this backend forgets the hand-over between
# stages: it is allocated in the warm-up (vllm/v1/worker/cpu_worker.py _should_warm_up_model, 0.32.0).
TRACED = '--compilation-config={"mode": 2, "backend": "eager"}'
KEYS = {("llm-keys", "api-key"): "sk-of-the-test"}


@pytest.fixture(scope="module")
def group(served: Plan, planned: Callable[..., Plan], helm: Path) -> list[Container]:
    """The plan of the other tests, over two nodes of one GPU: each process is one of two pipeline stages."""
    plan = planned("1xa100", engine=EngineChoice(nodes_per_replica=2), chart=served.deployment.chart)
    return containers.group(render.manifests(plan, helm))


@pytest.fixture(scope="module")
def server(
    group: list[Container],
    mounts: dict[str, Path],
    tiny_model: Path,
    python: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """The worker starts first, as it may."""
    logs, meeting = tmp_path_factory.mktemp("group"), servers.free_port()

    def command(rank: int, port: int) -> list[str]:
        rendered = containers.command(group[rank], python, port, mounts)
        return [*(containers.in_group(a, rank) for a in rendered), f"--master-port={meeting}", TRACED]

    worker = servers.begun(command(1, servers.free_port()), _environment(group[1], mounts), logs / "worker")
    try:
        port = servers.free_port()
        with servers.running(command(0, port), _environment(group[0], mounts), port, logs / "leader") as running:
            yield running
    finally:
        servers.end(worker)


def _environment(found: Container, mounts: dict[str, Path]) -> dict[str, str]:
    return containers.environment(found, KEYS, mounts)


def test_the_worker_has_no_way_in(group: list[Container]) -> None:
    leader, worker = group
    assert "--headless" in worker.arguments
    assert "--headless" not in leader.arguments
    assert [name for name in ("ports", "startupProbe", "livenessProbe", "lifecycle") if name in worker.spec] == []


def test_both_nodes_answer_as_one(server: Server, served: Plan) -> None:
    body: dict[str, Any] = {"model": served.facts.model.name, "prompt": "hello", "max_tokens": 8, "ignore_eos": True}
    answer = server.post("/v1/completions", body)
    assert answer.status == 200, answer
    assert answer.json["usage"]["completion_tokens"] == 8
