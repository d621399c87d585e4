from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from breakeven import load
from breakeven.core.deployment import Deployment
from breakeven.core.plan import Plan, plan


@pytest.fixture(scope="session")
def planned() -> Callable[..., Plan]:
    """Plan of a profile, from the packaged catalogue."""

    def make(profile: str, **inputs: Any) -> Plan:
        deployment = Deployment(profile=profile, **inputs)
        return plan(deployment, load.facts(deployment))

    return make
