from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from breakeven import load
from breakeven.core.deployment import Deployment
from breakeven.core.plan import Plan, plan
from breakeven.engine import tools


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
