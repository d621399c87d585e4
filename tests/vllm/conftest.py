"""The real vLLM on a CPU, started as the chart renders it, with a tiny model that is made here."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.vllm import container as containers
from tests.vllm import installation
from tests.vllm import server as servers
from tests.vllm.container import Container
from tests.vllm.server import Server

from breakeven import render, resources
from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.security import ApiKey
from breakeven.core.plan import Plan

KEY: Final = "sk-of-the-test"
REVISION: Final = "0" * 40
_INSIDE: Final = Path(__file__).with_name("inside")
_SCRIPT_S: Final = 300

Inside = Callable[..., Any]


@pytest.fixture(scope="session")
def python() -> Path:
    """The interpreter of vLLM's environment; installed if it is missing."""
    return installation.python()


@pytest.fixture(scope="session")
def inside(python: Path) -> Inside:
    """Runs a script of inside/ where vLLM is installed: `inside("name", *arguments, given=…)`, JSON to and fro."""

    def run(script: str, *arguments: object, given: Any = None) -> Any:
        # -P: a script's neighbours must not hide a module of vLLM's environment.
        command = [str(python), "-P", str(_INSIDE / f"{script}.py"), *map(str, arguments)]
        result = subprocess.run(
            command, input=json.dumps(given), capture_output=True, encoding="utf-8", timeout=_SCRIPT_S
        )
        assert result.returncode == 0, f"{script}: exit {result.returncode}\n{result.stderr[-4000:]}"
        # Libraries print too: the answer is the last line.
        last = result.stdout.strip().rpartition("\n")[2]
        return json.loads(last) if last else None

    return run


@pytest.fixture(scope="session")
def served(planned: Callable[..., Plan]) -> Plan:
    """One GPU, so that a CPU can take its place, a key for clients, and otherwise the defaults."""
    return planned("1xa100", chart=ChartChoices(api_key=ApiKey(secret_name="llm-keys")))


@pytest.fixture(scope="session")
def rendered(served: Plan, helm: Path) -> Container:
    return containers.container(render.manifests(served, helm))


@pytest.fixture(scope="session")
def mounts(rendered: Container, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What the pod mounts; the next server finds what the one before left there, as on a volume."""
    return containers.mounts(rendered, tmp_path_factory.mktemp("pod"))


@pytest.fixture(scope="session")
def tiny_model(served: Plan, rendered: Container, mounts: dict[str, Path], inside: Inside) -> Path:
    """In the hub's cache on the pod's volume, under the name and with the context of the planned model."""
    hub = Path(containers.moved(rendered.variables["HF_HOME"], mounts)) / "hub"
    model = hub / f"models--{served.facts.model.name.replace('/', '--')}"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text(REVISION, encoding="utf-8")
    snapshot = model / "snapshots" / REVISION
    inside("tiny_model", snapshot, resources.root() / "README.md", served.facts.model.context_length)
    return snapshot


@pytest.fixture(scope="session")
def start(
    rendered: Container,
    mounts: dict[str, Path],
    tiny_model: Path,
    python: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Any]:
    """A context manager: a healthy server with the rendered arguments, then `arguments`."""

    def run(*arguments: str) -> Any:
        port = servers.free_port()
        command = [*containers.command(rendered, python, port, mounts), *arguments]
        environment = containers.environment(rendered, {("llm-keys", "api-key"): KEY}, mounts)
        return servers.running(command, environment, port, tmp_path_factory.mktemp("server") / "log")

    return run


@pytest.fixture(scope="module")
def server(start: Callable[..., Any]) -> Iterator[Server]:
    """Exactly the rendered arguments. One server at a time: the module's last test ends it."""
    with start() as running:
        yield running
