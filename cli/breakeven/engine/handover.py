"""Replicas on their way to an autoscaler: kept where they are when the apply takes the field away.

A field that its only owner no longer applies goes back to its default, 1, and the servers beyond it would be stopped.
https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from breakeven.core.manifests import Manifest
from breakeven.engine.cluster import Cluster
from breakeven.errors import ClusterError

# An owner beside the engine, which the autoscaler takes the field from as soon as it sets another number.
_MANAGER: Final = "breakeven-handover"
_APPLY: Final = "application/apply-patch+yaml"


def keep_replicas(servers: Manifest, namespace: str, cluster: Cluster) -> None:
    """Own the number that runs; nothing where there is no such object. Raises ClusterError."""
    api_version, kind = servers["apiVersion"], servers["kind"]
    metadata = servers["metadata"]
    where, name = metadata.get("namespace") or namespace, metadata["name"]
    live = cluster.get(api_version, kind, where, name)
    if live is None:
        return
    kept = {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": where},
        "spec": {"replicas": live["spec"]["replicas"]},
    }
    path = f"{cluster.path(api_version, kind, where)}/{quote(name)}?force=true&fieldManager={_MANAGER}"
    answer = cluster.ask("PATCH", path, kept, _APPLY)
    if not answer.is_ok:
        raise ClusterError(
            f"the replicas of {kind} {name} cannot be kept for its autoscaler: {answer.message}; nothing was applied",
            hint="the user must be allowed to patch it",
        )
