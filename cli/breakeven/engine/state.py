"""What a stack's state says of its last apply, and who holds it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from breakeven.core.cost import CostProjection
from breakeven.core.cost_diff import NOTHING
from breakeven.core.manifests import Manifest
from breakeven.core.record import recorded_cost
from breakeven.engine import holders
from breakeven.errors import DeployError, GateError

_TIMES: Final = {"created", "modified"}


@dataclass(frozen=True, kw_only=True)
class State:
    """What the last apply left behind: the stack's outputs, the URNs of its resources, and its Kubernetes objects.

    `begun` are the URNs of what an apply that was killed, or lost its cluster or its provider, had begun to create.
    `reached_by` has the kubeconfig's path and the context of that apply; nothing where it did not come so far.
    `digest` is of all that an apply would start from: a stack that is not there yet has the digest of an empty one.
    """

    outputs: Mapping[str, Any]
    urns: tuple[str, ...]
    begun: tuple[str, ...] = ()
    objects: tuple[Manifest, ...] = ()
    reached_by: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""

    @property
    def cost(self) -> CostProjection:
        """The bill that was recorded. Raises GateError where another version wrote it unreadably."""
        if "cost" not in self.outputs:
            return NOTHING
        try:
            return recorded_cost(self.outputs["cost"])
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise GateError(f"the recorded cost of the last apply cannot be read: {error!r}") from error

    def owns_namespace(self, name: str) -> bool:
        return any(urn.endswith(f"kubernetes:core/v1:Namespace::{name}") for urn in (*self.urns, *self.begun))

    def owns(self, manifest: Manifest) -> bool:
        """Whether it is among the recorded objects."""
        return any(_identity(own) == _identity(manifest) for own in self.objects)

    @property
    def adopted(self) -> tuple[str, ...]:
        """Objects, as KIND/NAME, that were there before the stack."""
        found = self.outputs.get("adopted")
        return tuple(str(name) for name in found) if isinstance(found, list) else ()

    def with_begun(self, urns: Iterable[str]) -> State:
        """The same with what an apply that failed had begun to create, too."""
        more = (urn for urn in urns if urn not in self.urns and urn not in self.begun)
        return replace(self, begun=(*self.begun, *more))

    @property
    def override(self) -> Mapping[str, Any] | None:
        """For what reason the last apply was over budget, when, and by how much."""
        found = self.outputs.get("budget_override")
        return found if isinstance(found, Mapping) else None


def _identity(manifest: Manifest) -> tuple[str, ...]:
    """Of whatever version: it stays one object. All of a stack are in its namespace, or in none."""
    group = str(manifest["apiVersion"]).rpartition("/")[0]
    return group, str(manifest["kind"]), str(manifest["metadata"]["name"])


def _digest(*recorded: Any) -> str:
    return hashlib.sha256(json.dumps(recorded, sort_keys=True).encode()).hexdigest()


EMPTY: Final = State(outputs={}, urns=(), digest=_digest([], []))


def read(exported: Mapping[str, Any]) -> State:
    """From what `pulumi stack export` prints."""
    deployment = exported.get("deployment") or {}
    found = deployment.get("resources") or []
    root: dict[str, Any] = next((entry for entry in found if entry["type"] == "pulumi:pulumi:Stack"), {})
    urns = tuple(entry["urn"] for entry in found)
    operations = deployment.get("pending_operations") or []
    pending = (entry["resource"]["urn"] for entry in operations)
    interrupted = _essences({**entry["resource"], "pending": entry["type"]} for entry in operations)
    return State(
        outputs=root.get("outputs", {}),
        urns=urns,
        # A pending creation stays on record after a later apply has made it.
        begun=tuple(urn for urn in pending if urn not in urns),
        objects=tuple(entry["inputs"] for entry in found if _is_object(entry)),
        reached_by=_reached_by(found),
        digest=_digest(_essences(found), interrupted),
    )


def _reached_by(resources: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    provider = (entry["inputs"] for entry in resources if entry["type"] == "pulumi:providers:kubernetes")
    inputs: dict[str, Any] = next(provider, {})
    return {key: str(inputs[key]) for key in ("kubeconfig", "context") if key in inputs}


def _essences(resources: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """In one order: the engine's own changes from run to run."""
    return sorted((_essence(entry) for entry in resources), key=lambda entry: str(entry["urn"]))


def _essence(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What an apply depends on. Not the times of a run that changed nothing, nor an object as it was found live.

    That is looked at anew in each preview, against the inputs, whose steps are compared one by one.
    """
    kept = {key: value for key, value in entry.items() if key not in _TIMES}
    return {key: value for key, value in kept.items() if key != "outputs"} if _is_object(entry) else kept


def _is_object(entry: Mapping[str, Any]) -> bool:
    """Inputs are what was applied; outputs carry the server's defaults as well."""
    return entry["type"].startswith("kubernetes:") and "apiVersion" in (entry.get("inputs") or {})


class Locked(DeployError):
    """By another run of the engine, maybe one that was killed: a lock in a file backend outlives its process."""

    def __init__(self, printed: str) -> None:
        self._holders = re.findall(r"created by (\S+)@(\S+) \(pid (\d+)\)", printed)
        by = ", ".join(f"{user}@{host} (process {pid})" for user, host, pid in self._holders)
        super().__init__(
            f"another run works on this stack: {by or printed.strip().splitlines()[-1]}",
            hint="wait for it; `deploy unlock` shows it, and removes the lock of one that is gone",
        )

    @property
    def is_stale(self) -> bool:
        """Whether every holder was a process of this machine that is no more."""
        return bool(self._holders) and all(holders.process(host, int(pid)) == "gone" for _, host, pid in self._holders)
