"""A stack as its last apply left it: where it lives, what it is, and what can be gone back to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from breakeven import load
from breakeven.core.history import Apply, last_good
from breakeven.core.live import Readiness
from breakeven.core.plan import Plan
from breakeven.core.plan import plan as size
from breakeven.engine import leftovers, pods, stack
from breakeven.engine.backend import Backend
from breakeven.engine.claim import alone
from breakeven.engine.cluster import Cluster, connect
from breakeven.engine.progress import OnProgress
from breakeven.engine.stack import OnStep, Stack
from breakeven.engine.state import State
from breakeven.errors import ClusterError, DeployError


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """An existing stack as its inputs and its last apply left it, with its own cluster."""

    stack: Stack
    state: State
    cluster: Cluster
    plan: Plan
    backend: Backend

    def destroy(self, on_step: OnStep, on_progress: OnProgress) -> None:
        """Delete all that the stack made, and the stack."""
        if self.keeps_namespace and self.state.begun:
            raise DeployError(
                "an apply of this stack was killed while it made objects; they may be in no record, and would stay",
                hint="`deploy up` finishes it; destroy it then",
            )
        with alone(self.plan.stack, self.backend, on_progress):
            self.stack.destroy(on_step)

    @property
    def keeps_namespace(self) -> bool:
        return not self.state.owns_namespace(self.plan.namespace)

    def last_good(self) -> tuple[Apply, Plan]:
        """The newest apply that succeeded with other inputs than the last one's, and its plan. Raises DeployError."""
        apply = last_good(self.stack.history(), self.stack.config()["deployment"])
        if apply is None:
            raise DeployError(
                "there is nothing to roll back to: no apply of this stack with other inputs succeeded",
                hint="`deploy up` with the inputs that you want",
            )
        return apply, planned(apply.deployment, f"inputs of the apply of {apply.started:%Y-%m-%d %H:%M} UTC")

    def left_behind(self) -> str:
        return leftovers.describe(self.plan.stack, self.backend)

    def readiness(self) -> Readiness:
        return pods.readiness(self.plan, self.cluster)


def find(name: str, backend: Backend) -> Recorded | None:
    """The stack of that name and the cluster that it was applied to; None where there is no such stack.

    Raises ClusterError if the recorded context now leads to another cluster.
    """
    opened = stack.find(name, backend)
    if opened is None or opened.is_blank:
        return None
    config = opened.config()
    where = config["cluster"]
    cluster = connect(Path(where["kubeconfig"]), where["context"])
    if cluster.target.identifier != where["identifier"]:
        raise ClusterError(
            f"context {where['context']} leads to {cluster.target.server}, which is not the cluster of this stack",
            hint="point the context back to the cluster that it was when the stack was applied",
        )
    plan = planned(config["deployment"], str(opened.settings_file))
    return Recorded(stack=opened, state=opened.state, cluster=cluster, plan=plan, backend=backend)


def planned(inputs: Mapping[str, Any], origin: str) -> Plan:
    """The plan of recorded inputs, with today's catalogue. Raises InputError."""
    deployment = load.deployment_from(inputs, origin)
    return size(deployment, load.facts(deployment))
