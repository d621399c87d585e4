"""How a stack stands: what is live, beside what was applied and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from breakeven.core.cost import CostProjection
from breakeven.core.drift import Drift
from breakeven.core.history import Apply, Spent
from breakeven.core.live import Health, Readiness, Target
from breakeven.core.plan import Plan
from breakeven.core.pod_state import PodState


@dataclass(frozen=True, kw_only=True)
class Standing:
    """`allocatable` are GPUs by name of each node that the profile accepts. `last` is None where none is recorded.

    `override` is why the last apply passed over its budget. `adopted` are objects that were there before it.
    """

    plan: Plan
    target: Target
    readiness: Readiness
    pods: tuple[PodState, ...]
    allocatable: Mapping[str, int]
    health: Health
    recorded: CostProjection
    override: Mapping[str, Any] | None
    adopted: tuple[str, ...]
    last: Apply | None
    spent: Spent | None
    drift: Drift
