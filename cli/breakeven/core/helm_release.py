"""The chart as a HelmRelease, which Flux's helm-controller installs, instead of the objects that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from breakeven.core.plan import Plan

# The HelmChart that `deploy init --gitops flux-helm` writes: one chart for all releases.
CHART: Final = {"kind": "HelmChart", "name": "breakeven-vllm", "namespace": "flux-system"}

# A server on several nodes says so by a condition of its own, which Flux would not look at.
_GROUP_HEALTH: Final = {
    "apiVersion": "leaderworkerset.x-k8s.io/v1",
    "kind": "LeaderWorkerSet",
    "inProgress": "status.conditions.exists(e, e.type == 'UpdateInProgress' && e.status == 'True')",
    "current": "status.conditions.exists(e, e.type == 'Available' && e.status == 'True')",
}


def helm_release(plan: Plan, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` are the rendered ones, so that Helm makes of them what `deploy render` would have written."""
    return {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": plan.release, "namespace": plan.namespace},
        "spec": {
            "chartRef": dict(CHART),
            "releaseName": plan.release,
            "interval": "10m",
            # As long as a rollout may take by its own deadline; then the controller says so, and tries again.
            "timeout": f"{values['rollout']['pulumiTimeoutSeconds']}s",
            "install": _on_failure(),
            "upgrade": _on_failure(),
            "driftDetection": _drift_detection(plan),
            **({"healthCheckExprs": [dict(_GROUP_HEALTH)]} if plan.split.nodes > 1 else {}),
            "values": dict(values),
        },
    }


def _on_failure() -> dict[str, Any]:
    """A large model takes long to load, and may find its GPUs later: waiting on beats a removal and a new start."""
    return {"strategy": {"name": "RetryOnFailure", "retryInterval": "5m"}}


def _drift_detection(plan: Plan) -> dict[str, Any]:
    """A change by hand is put right; the replicas are an autoscaler's where there is one."""
    kind = "LeaderWorkerSet" if plan.split.nodes > 1 else "Deployment"
    ignored = [{"paths": ["/spec/replicas"], "target": {"kind": kind}}]
    return {"mode": "enabled", **({"ignore": ignored} if plan.is_autoscaled else {})}
