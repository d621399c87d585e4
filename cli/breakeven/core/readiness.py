"""Whether the servers of a stack are ready, from the object that runs them."""

from __future__ import annotations

from breakeven.core.live import Readiness
from breakeven.core.manifests import Manifest, replica_gpus


def readiness(server: Manifest, trouble: str) -> Readiness:
    """Of a Deployment, a LeaderWorkerSet or a Knative Service, as the API server gives it.

    `trouble` is what keeps its pods from serving.
    """
    if server["kind"] == "Service":
        return _of_knative(server)
    wanted = server["spec"].get("replicas", 1)
    ready = _ready_groups(server, wanted) if server["kind"] == "LeaderWorkerSet" else _ready_pods(server)
    if not wanted:
        trouble = "it is scaled to 0"
    elif ready >= wanted:
        trouble = ""
    return Readiness(found=True, ready=ready, wanted=wanted, gpus=wanted * replica_gpus(server), reason=trouble)


def _ready_pods(server: Manifest) -> int:
    return int(server.get("status", {}).get("readyReplicas", 0))


def _ready_groups(server: Manifest, wanted: int) -> int:
    """Groups of the former revision are ready, too, until they are replaced."""
    status, ready = server.get("status", {}), _ready_pods(server)
    seen = status.get("observedGeneration", 0) >= server["metadata"]["generation"]
    is_new = seen and status.get("updatedReplicas", 0) >= wanted
    return ready if is_new else min(ready, max(0, wanted - 1))


def _of_knative(server: Manifest) -> Readiness:
    """One thing that is ready or not, however many pods run."""
    conditions = server.get("status", {}).get("conditions", ())
    found: dict[str, str] = next((each for each in conditions if each["type"] == "Ready"), {})
    is_ready = found.get("status") == "True"
    reason = "" if is_ready else found.get("message", "no condition Ready yet")
    return Readiness(found=True, ready=int(is_ready), wanted=1, gpus=replica_gpus(server), reason=reason)
