"""How many servers are ready, from what the API server says of the object that runs them."""

from __future__ import annotations

from typing import Any

import pytest

from breakeven.core.readiness import readiness

TROUBLE = "llm-chat-abc: ImagePullBackOff"


def server(kind: str, *, replicas: int = 3, **status: Any) -> dict[str, Any]:
    version = {"Deployment": "apps/v1", "LeaderWorkerSet": "leaderworkerset.x-k8s.io/v1"}[kind]
    pod = {"spec": {"containers": [{"name": "vllm", "resources": {"limits": {"nvidia.com/gpu": 8}}}]}}
    template = {"size": 2, "leaderTemplate": pod, "workerTemplate": pod}
    spec = {"template": pod} if kind == "Deployment" else {"leaderWorkerTemplate": template}
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "llm-chat", "generation": 2},
        "spec": {"replicas": replicas, **spec},
        "status": status,
    }


def test_what_is_ready_has_no_trouble_left() -> None:
    found = readiness(server("Deployment", readyReplicas=3), TROUBLE)
    assert (found.is_ready, found.ready, found.wanted, found.gpus, found.reason) == (True, 3, 3, 24, "")


def test_what_is_not_ready_says_why() -> None:
    found = readiness(server("Deployment", readyReplicas=2), TROUBLE)
    assert (found.is_ready, found.ready, found.reason) == (False, 2, TROUBLE)


def test_what_was_scaled_to_nothing_is_not_ready() -> None:
    found = readiness(server("Deployment", replicas=0), "")
    assert (found.is_ready, found.reason) == (False, "it is scaled to 0")


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        ({"observedGeneration": 2, "updatedReplicas": 3, "readyReplicas": 3}, 3),
        ({"observedGeneration": 2, "updatedReplicas": 1, "readyReplicas": 3}, 2),
        ({"observedGeneration": 1, "updatedReplicas": 3, "readyReplicas": 3}, 2),
    ],
)
def test_groups_of_a_former_revision_are_not_all_ready(status: dict[str, int], ready: int) -> None:
    found = readiness(server("LeaderWorkerSet", **status), TROUBLE)
    assert (found.ready, found.is_ready, found.gpus) == (ready, ready == 3, 48)


@pytest.mark.parametrize(
    ("condition", "reason"), [({"status": "True"}, ""), ({"status": "False", "message": "no"}, "no")]
)
def test_a_knative_service_is_ready_or_not(condition: dict[str, str], reason: str) -> None:
    service = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "spec": {"template": {"spec": {"containers": []}}},
        "status": {"conditions": [{"type": "Ready", **condition}]},
    }
    found = readiness(service, "")
    assert (found.is_ready, found.reason) == (not reason, reason)
