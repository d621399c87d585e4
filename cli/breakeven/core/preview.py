"""What an apply would do and cost, and the gate between the two."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.core.adoption import Adopted
from breakeven.core.changes import Changes
from breakeven.core.cost import CostProjection, OfferedRent
from breakeven.core.cost_diff import CostDiff
from breakeven.core.live import Check, Target
from breakeven.core.plan import Plan
from breakeven.core.pod_counts import Range, gpus_range, gpus_requested
from breakeven.core.served import ServedLine
from breakeven.errors import GateError


@dataclass(frozen=True, kw_only=True)
class Preview:
    """`offered` is the same hardware at its dated offers. `state` is the digest of what the stack was found as.

    `diff` has today's prices on both sides, `drift` is what prices did to the same plan since the last apply; `doubt`
    says why that is not known. `adopt` are the objects that may be taken over, `adopted` those of them that are not the
    stack's yet. `keeps_namespace`: it was there before the stack, and outlives it. `is_offline`: no
    cluster was asked; `target` is then the recorded one, or NOWHERE.
    """

    plan: Plan
    target: Target
    checks: tuple[Check, ...]
    changes: Changes
    projection: CostProjection
    offered: tuple[OfferedRent, ...]
    diff: CostDiff
    drift: CostDiff
    serves: tuple[ServedLine, ...]
    doubt: str
    state: str
    keeps_namespace: bool
    adopt: tuple[str, ...] = ()
    adopted: tuple[Adopted, ...] = ()
    is_offline: bool = False

    @property
    def is_empty(self) -> bool:
        """Neither a resource changes nor the bill."""
        return self.changes.is_empty and not self.diff.changed

    @property
    def gpus_before(self) -> int:
        return gpus_requested(self.changes.manifests_before)

    @property
    def gpus_after(self) -> int:
        """The most that an autoscaler may ask for, if there is one."""
        return self.gpus_range_after[1]

    @property
    def gpus_range_after(self) -> tuple[int, int]:
        return gpus_range(self.changes.manifests_after)


def refuse_unpriced_gpus(preview: Preview) -> None:
    """Raises GateError unless the GPUs in the manifests are the GPUs on the bill: with an autoscaler, its bounds."""
    if found := unpriced_gpus(preview.gpus_range_after, preview.plan.gpus_range):
        raise GateError(f"{found}; nothing was applied", hint="report this: the chart and the plan disagree")


def unpriced_gpus(asked: Range, priced: Range) -> str:
    """How the manifests' GPUs differ from the bill's; empty where they do not."""
    if asked == priced:
        return ""
    return f"the manifests request {_span(asked)} GPUs, the bill is for {_span(priced)}"


def _span(gpus: Range) -> str:
    least, most = gpus
    return f"{most}" if least == most else f"{least} to {most}"
