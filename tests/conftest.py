from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from tests import wheels

from breakeven import load
from breakeven.core.deployment import Deployment
from breakeven.core.plan import Plan, plan
from breakeven.engine import tools

# The same examples in every run: a law that fails by chance would stop somebody else's change.
# `--hypothesis-profile=default` looks for new ones. Nor is it a law how fast a busy machine is.
hypothesis.settings.register_profile("steady", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("steady")


@pytest.fixture(scope="session")
def planned() -> Callable[..., Plan]:
    """Plan of a profile, from the packaged catalogue: `planned("4xa100", replicas=2)`."""

    def make(profile: str, **inputs: Any) -> Plan:
        deployment = Deployment(profile=profile, **inputs)
        return plan(deployment, load.facts(deployment))

    return make


@pytest.fixture(scope="session")
def helm() -> Path:
    """The pinned Helm; built if it is missing."""
    tools.require("helm")
    return tools.path("helm")


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a wheel of this checkout is built from."""
    copied = tmp_path_factory.mktemp("sources")
    wheels.copy_sources(copied)
    return copied


@pytest.fixture(scope="session")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheels.build(sources, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment in which the jobs of a pipeline install and run Breakeven."""
    return wheels.environment(tmp_path_factory.mktemp("python"))
