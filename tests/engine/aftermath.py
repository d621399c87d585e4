"""What a fault must never leave of a stack: a lock, a state that cannot be read, GPUs that are on no bill."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from breakeven.core.pod_counts import gpus_requested
from breakeven.engine import state
from breakeven.engine.sandbox_cluster import ControlPlane
from breakeven.engine.state import State


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """Of the only stack below `home`."""

    home: Path
    stack: str
    cluster: ControlPlane

    @property
    def locks(self) -> list[Path]:
        return [*self.home.rglob(".pulumi/locks/**/*.json"), *self.home.rglob(".pulumi/locks/**/*.tmp")]

    @property
    def checkpoint(self) -> Path:
        (found,) = self.home.rglob(f".pulumi/stacks/breakeven/{self.stack}.json")
        return found

    @property
    def state(self) -> State:
        return state.read({"deployment": json.loads(self.checkpoint.read_text())["checkpoint"]["latest"]})

    @property
    def gpus(self) -> int:
        """That the Deployments in the stack's namespace ask for."""
        listed = self.cluster.kubectl("-n", f"llm-{self.stack}", "get", "deployments", "-o", "json")
        return gpus_requested(json.loads(listed)["items"])

    def is_untouched(self) -> bool:
        """Nothing was applied, and nothing was left behind of a stack that is new."""
        return (
            not self.locks
            and not list(self.home.rglob("Pulumi*.yaml"))
            and f"llm-{self.stack}" not in self.cluster.kubectl("get", "namespaces")
        )

    def check(self, *, priced_gpus: int) -> None:
        """No lock is left, nothing that was begun is open, and no GPU is asked for that was not priced and shown."""
        assert not self.locks
        assert not self.state.begun
        assert self.gpus <= priced_gpus
