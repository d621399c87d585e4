"""The pods of a stack and the nodes under them, as the cluster tells now."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from breakeven.core.live import Readiness
from breakeven.core.outcome import Failure, Look
from breakeven.core.plan import Plan
from breakeven.core.pod_state import GROUP_REVISION, PodState, pod_state
from breakeven.core.readiness import readiness as readiness_of
from breakeven.engine.cluster import API_VERSIONS, Cluster
from breakeven.engine.preflight import gpus
from breakeven.errors import ClusterError

_REVISION: Final = "deployment.kubernetes.io/revision"
# Said of a pod by the Cluster Autoscaler (GKE's too) and by Karpenter when they add a node for it:
# https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md and
# https://github.com/kubernetes-sigs/karpenter/blob/main/pkg/controllers/provisioning/scheduling/events.go
_SCALING: Final = {"TriggeredScaleUp", "Nominated"}
_SIMULATED: Final = "kwok.x-k8s.io/node"
_LOG_LINES: Final = 10


def pods(plan: Plan, cluster: Cluster) -> tuple[PodState, ...]:
    """All pods of the stack's server, those of former revisions included."""
    found = cluster.list(f"/api/v1/namespaces/{plan.namespace}/pods?{_selector(plan)}")
    return tuple(sorted((pod_state(pod) for pod in found), key=lambda pod: pod.name))


def readiness(plan: Plan, cluster: Cluster) -> Readiness:
    """Of the stack's servers, with the first trouble among their pods."""
    server = _server(plan, cluster)
    if server is None:
        called = "Knative Service" if plan.runs_as == "Service" else plan.runs_as
        return Readiness(found=False, ready=0, wanted=0, gpus=0, reason=f"the {called} is not in the cluster")
    troubled = (f"{pod.name}: {pod.trouble.text}" for pod in pods(plan, cluster) if pod.trouble)
    return readiness_of(server, next(troubled, ""))


def look(plan: Plan, cluster: Cluster) -> Look:
    """The pods of the newest revision; nothing while the controllers have not seen the newest change yet."""
    revision, refusal = _newest(plan, cluster)
    if not revision:
        return Look(pods=(), refusal=refusal)
    found = pods(plan, cluster)
    current = tuple(pod for pod in found if pod.revision == revision)
    unplaced = [pod.name for pod in current if pod.trouble and pod.trouble.kind == "unplaced"]
    return Look(
        pods=current,
        refusal=refusal,
        scaling=any(event["reason"] in _SCALING for name in unplaced[:1] for event in _events(plan, cluster, name)),
        leaving=any(pod.leaving for pod in found),
    )


def _newest(plan: Plan, cluster: Cluster) -> tuple[str, str]:
    """The newest revision as its pods are labelled, and why the cluster makes no pods of it."""
    found = _server(plan, cluster)
    status: dict[str, Any] = (found or {}).get("status") or {}
    if not found or status.get("observedGeneration", 0) < found["metadata"]["generation"]:
        return "", ""
    if plan.runs_as == "Service":
        return status.get("latestCreatedRevisionName", ""), ""
    return _group_revision(plan, cluster) if plan.runs_as == "LeaderWorkerSet" else _revision(plan, cluster, status)


def _server(plan: Plan, cluster: Cluster) -> dict[str, Any] | None:
    return cluster.get(API_VERSIONS[plan.runs_as], plan.runs_as, plan.namespace, plan.release)


def _revision(plan: Plan, cluster: Cluster, status: dict[str, Any]) -> tuple[str, str]:
    """The pod-template-hash of the Deployment's newest ReplicaSet."""
    sets = cluster.list(f"/apis/apps/v1/namespaces/{plan.namespace}/replicasets?{_selector(plan)}")
    newest = max(sets, key=_revision_number, default=None)
    refusal = _message(status, "ReplicaFailure", "True")
    return (newest["metadata"]["labels"].get("pod-template-hash", ""), refusal) if newest else ("", refusal)


def _group_revision(plan: Plan, cluster: Cluster) -> tuple[str, str]:
    """Of the StatefulSet of the leaders, which bears the name of its LeaderWorkerSet."""
    leaders = cluster.get("apps/v1", "StatefulSet", plan.namespace, plan.release)
    return str(((leaders or {}).get("metadata", {}).get("labels") or {}).get(GROUP_REVISION, "")), ""


def _revision_number(entry: dict[str, Any]) -> int:
    return int((entry["metadata"].get("annotations") or {}).get(_REVISION, 0))


def _message(status: dict[str, Any], kind: str, value: str) -> str:
    conditions = status.get("conditions") or ()
    met = (entry for entry in conditions if entry["type"] == kind and entry["status"] == value)
    return next((entry.get("message", "") for entry in met), "")


def explained(failure: Failure, plan: Plan, cluster: Cluster) -> Failure:
    """With what the cluster says beyond the pod itself: its last warning, and the last lines of its log."""
    trouble = failure.trouble
    if not failure.pod or not trouble:
        return failure
    with suppress(ClusterError):
        if trouble.kind == "starting" and not trouble.message:
            warnings = [event for event in _events(plan, cluster, failure.pod) if event.get("type") == "Warning"]
            message = " ".join(str(warnings[-1].get("message", "")).split()) if warnings else ""
            failure = replace(failure, trouble=replace(trouble, message=message))
        if trouble.container and trouble.kind in ("crash", "starting"):
            failure = replace(failure, log=_log(plan, cluster, failure.pod, trouble.container))
    return failure


def _events(plan: Plan, cluster: Cluster, pod: str) -> list[dict[str, Any]]:
    """Oldest first; none where the user may not read them."""
    selector = quote(f"involvedObject.kind=Pod,involvedObject.name={pod}")
    with suppress(ClusterError):
        found = cluster.list(f"/api/v1/namespaces/{plan.namespace}/events?fieldSelector={selector}")
        return sorted(found, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    return []


def _log(plan: Plan, cluster: Cluster, pod: str, container: str) -> tuple[str, ...]:
    """Of the run that ended, or of the one that goes on. A simulated node keeps none."""
    found = cluster.get("v1", "Pod", plan.namespace, pod)
    if found is None or is_simulated(cluster, (found.get("spec") or {}).get("nodeName") or ""):
        return ()
    path = f"/api/v1/namespaces/{plan.namespace}/pods/{pod}/log?container={container}&tailLines={_LOG_LINES}"
    for which in ("&previous=true", ""):
        status, text = cluster.text(path + which)
        if status == 200 and text.strip():
            return tuple(line.rstrip() for line in text.splitlines() if line.strip())[-_LOG_LINES:]
    return ()


def is_simulated(cluster: Cluster, node: str) -> bool:
    """Whether KWOK plays the node's kubelet, as in the sandbox: no container runs there, nothing answers."""
    found = cluster.get("v1", "Node", "", node) if node else None
    return _SIMULATED in (((found or {}).get("metadata") or {}).get("annotations") or {})


def allocatable(plan: Plan, cluster: Cluster) -> dict[str, int]:
    """GPUs by name of each node that the profile accepts."""
    nodes = gpus.accepted(cluster.list("/api/v1/nodes"), plan.facts.profile.placement)
    return {node["metadata"]["name"]: gpus.allocatable_gpus(node) for node in nodes}


def _selector(plan: Plan) -> str:
    return f"labelSelector={quote(f'app.kubernetes.io/instance={plan.release}', safe='')}"
