"""What the last apply recorded, beside the same objects in the cluster. The engine is not run."""

from __future__ import annotations

from breakeven.core.drift import Drift, drift
from breakeven.core.manifests import Manifest
from breakeven.engine.cluster import Cluster
from breakeven.engine.recorded import Recorded


def find(found: Recorded) -> Drift:
    """Raises ClusterError where the cluster does not answer."""
    objects = found.state.objects
    return drift(found.plan, [(applied, _live(found.cluster, applied, found.plan.namespace)) for applied in objects])


def _live(cluster: Cluster, applied: Manifest, namespace: str) -> Manifest | None:
    metadata = applied["metadata"]
    where = metadata.get("namespace") or namespace
    return cluster.get(applied["apiVersion"], applied["kind"], where, metadata["name"])
