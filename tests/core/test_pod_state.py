"""Pods as the API server gives them: what keeps each from serving."""

from __future__ import annotations

from typing import Any

import pytest

from breakeven.core.pod_state import Trouble, pod_state


def pod(*containers: dict[str, Any], **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "labels": {"pod-template-hash": "abc"}},
        "spec": {"nodeName": "n"},
        "status": {"phase": "Pending", "containerStatuses": list(containers), **status},
    }


def container(**fields: Any) -> dict[str, Any]:
    return {"name": "vllm", "ready": False, "restartCount": 0, **fields}


def waiting(reason: str, message: str = "", **fields: Any) -> dict[str, Any]:
    return container(state={"waiting": {"reason": reason, "message": message}}, **fields)


def test_one_that_serves() -> None:
    found = pod_state(pod(conditions=[{"type": "Ready", "status": "True"}]))
    assert (found.name, found.node, found.revision, found.ready, found.trouble) == ("p", "n", "abc", True, None)


def test_one_that_is_being_deleted() -> None:
    leaving = pod()
    leaving["metadata"]["deletionTimestamp"] = "2026-11-24T14:00:00Z"
    assert pod_state(leaving).leaving


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (
            pod(
                conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/4 …"}]
            ),
            "unplaced",
            "Unschedulable: 0/4 …",
        ),
        (
            pod(conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]),
            "starting",
            "SchedulingGated",
        ),
        (pod(waiting("ImagePullBackOff", "Back-off\n pulling")), "image", "ImagePullBackOff: Back-off pulling"),
        (pod(waiting("ErrImagePull", "not found")), "image", "ErrImagePull: not found"),
        (pod(waiting("CreateContainerConfigError", 'secret "hf" not found')), "configuration", None),
        (
            pod(
                waiting(
                    "CrashLoopBackOff",
                    "back-off 20s",
                    restartCount=2,
                    lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled", "message": "out of\nmemory"}},
                )
            ),
            "crash",
            "CrashLoopBackOff: exit code 137 (OOMKilled): out of memory",
        ),
        (pod(container(state={"terminated": {"exitCode": 1}})), "crash", "restarted: exit code 1"),
        (
            pod(container(state={"running": {}}, restartCount=1, lastState={"terminated": {"exitCode": 1}})),
            "crash",
            "restarted: exit code 1",
        ),
        (pod(waiting("ContainerCreating")), "starting", "ContainerCreating"),
        (pod(container(state={"running": {}})), "starting", "runs, but is not ready yet"),
        (pod(), "starting", "not ready yet"),
        (pod(phase="Failed", reason="Evicted", message="low on memory"), "failed", "Evicted: low on memory"),
    ],
)
def test_one_that_does_not(status: dict[str, Any], kind: str, text: str | None) -> None:
    trouble = pod_state(status).trouble
    assert trouble
    assert trouble.kind == kind
    assert text is None or trouble.text == text


def test_the_container_that_is_to_blame_goes_first() -> None:
    found = pod_state(pod(waiting("ContainerCreating"), waiting("ErrImagePull", name="sidecar"))).trouble
    assert found == Trouble(kind="image", reason="ErrImagePull", container="sidecar")


def test_an_init_container_that_fails_is_told() -> None:
    failing = pod(waiting("PodInitializing"), initContainerStatuses=[waiting("CrashLoopBackOff", name="download")])
    found = pod_state(failing).trouble
    assert found
    assert (found.kind, found.container) == ("crash", "download")


def test_an_endless_message_is_cut() -> None:
    found = pod_state(pod(waiting("ErrImagePull", "x" * 5000))).trouble
    assert found
    assert len(found.message) == 400
