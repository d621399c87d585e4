from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest

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
