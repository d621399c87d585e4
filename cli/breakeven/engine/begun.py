"""What an apply that failed had begun to create, without the engine's noticing that it was made.

Where the provider ends, or the API server's answer is lost, the engine (3.259.0) takes the creation for failed and
records nothing: the object would be another's in the eyes of the next apply, and outlive a `destroy`.
"""

from __future__ import annotations

from contextlib import suppress

from breakeven.core.changes import Changes
from breakeven.core.manifests import Manifest
from breakeven.engine.cluster import Cluster
from breakeven.engine.stack import OnStep, Stack
from breakeven.errors import DeployError


class Begun:
    """Hears the steps of an apply. That none of these objects was there before, preflight has seen."""

    def __init__(self, shown: Changes, namespace: str) -> None:
        self._new = {step.urn: step.manifest for step in shown.objects if step.op == "create"}
        self._namespace = namespace
        self._urns: list[str] = []

    def telling(self, on_step: OnStep) -> OnStep:
        """`on_step`, heard here as well."""

        def heard(op: str, urn: str) -> None:
            on_step(op, urn)
            if urn in self._new:
                self._urns.append(urn)

        return heard

    def record(self, stack: Stack, cluster: Cluster) -> None:
        """For the next apply, which goes on with them."""
        # Where the state cannot be read, it says so itself next time.
        with suppress(DeployError):
            recorded = stack.recorded()
            lost = [urn for urn in self._urns if urn not in recorded and self._may_exist(self._new[urn], cluster)]
            if lost:
                stack.record(lost)

    def _may_exist(self, manifest: Manifest, cluster: Cluster) -> bool:
        metadata = manifest["metadata"]
        where = metadata.get("namespace") or self._namespace
        try:
            return cluster.get(manifest["apiVersion"], manifest["kind"], where, metadata["name"]) is not None
        except DeployError:
            return True
