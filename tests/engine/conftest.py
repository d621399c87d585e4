"""Real parts for the tests: the pinned programs, and a sandbox of their own that ends with the session."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.engine.checks import TEAM

from breakeven import load, render, resources
from breakeven.core.live import Check
from breakeven.core.plan import Plan
from breakeven.engine import preflight
from breakeven.engine import sandbox as engine_sandbox
from breakeven.engine import tools as engine_tools
from breakeven.engine.cluster import connect
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane


@pytest.fixture(scope="session")
def tools() -> None:
    """Every pinned program; a missing one is built."""
    engine_tools.require(*engine_tools.names(for_tests=True))


@pytest.fixture(scope="session")
def sandbox_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables of a user who has a cluster already, and whose state lies in a temporary directory."""
    home = tmp_path_factory.mktemp("home")
    config = home / ".kube" / "config"
    config.parent.mkdir()
    config.write_text("the user's own\n", encoding="utf-8")
    return {
        "HOME": str(home),
        "KUBECONFIG": str(config),
        "XDG_CACHE_HOME": str(resources.cache_dir().parent),
        "XDG_STATE_HOME": str(home / "state"),
    }


@pytest.fixture(scope="session")
def session_sandbox(tools: None, sandbox_environment: dict[str, str]) -> Iterator[Sandbox]:
    """Two nodes of 4xa100. Tests take `sandbox` instead, which also sets the environment."""
    with _environment(sandbox_environment):
        running = engine_sandbox.up(load.profile("4xa100"), load.accelerators()["a100-80gb"], 2)
    yield running
    with _environment(sandbox_environment):
        engine_sandbox.down()


@pytest.fixture
def sandbox(session_sandbox: Sandbox, sandbox_environment: dict[str, str]) -> Iterator[Sandbox]:
    """The session's sandbox, in the environment in which it is found."""
    with _environment(sandbox_environment):
        yield session_sandbox


@pytest.fixture
def cluster(sandbox: Sandbox) -> ControlPlane:
    """The same, to be asked with kubectl."""
    return ControlPlane(directory=sandbox.directory)


@pytest.fixture
def team(cluster: ControlPlane) -> Iterator[Callable[..., None]]:
    """A namespace that is there before the stack, and a way to put objects into it."""
    cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TEAM}}])
    cluster.kubectl("-n", TEAM, "wait", "--for=create", "serviceaccount/default", "--timeout=30s")

    def add(*objects: dict[str, Any]) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        cluster.kubectl("-n", TEAM, "apply", "-f", "-", stdin=json.dumps(listed))

    yield add
    kinds = "resourcequotas,limitranges,secrets,pods,roles,rolebindings"
    cluster.kubectl("-n", TEAM, "delete", kinds, "--all", "--force", "--grace-period=0")
    cluster.kubectl("label", "namespace", TEAM, "pod-security.kubernetes.io/enforce-")


@pytest.fixture
def two_nodes(cluster: ControlPlane) -> Iterator[None]:
    """Other tests bring nodes of their own that these profiles accept, too."""
    others = {node["metadata"]["name"] for node in cluster.nodes()} - {"4xa100-0", "4xa100-1"}
    for name in others:
        cluster.kubectl("cordon", name)
    yield
    for name in others:
        cluster.kubectl("uncordon", name)


@pytest.fixture
def checked(sandbox: Sandbox, planned: Callable[..., Plan]) -> Callable[..., list[Check]]:
    """The checks of a plan in the team's namespace."""

    def run(profile: str = "4xa100", *, kubeconfig: Path | None = None, **inputs: Any) -> list[Check]:
        plan = planned(profile, **({"name": "flight", "namespace": TEAM} | inputs))
        manifests = [each for each in render.manifests(plan, engine_tools.path("helm")) if each["kind"] != "Namespace"]
        return preflight.check(plan, manifests, connect(kubeconfig or sandbox.kubeconfig, None))

    return run


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield
