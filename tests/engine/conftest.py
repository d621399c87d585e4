"""Real parts for the tests: the pinned programs, and a sandbox of their own that ends with the session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from breakeven import load, resources
from breakeven.engine import sandbox as engine_sandbox
from breakeven.engine import tools as engine_tools
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


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield
