"""A server on several nodes, rehearsed with the real controller of LeaderWorkerSets."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from tests.engine.deploy import refuse, succeed

from breakeven.core.deployment import EngineChoice
from breakeven.core.live import Check
from breakeven.engine import processes, sandbox_groups
from breakeven.engine.sandbox_cluster import ControlPlane

pytestmark = pytest.mark.usefixtures("sandbox")

NAME = "two-nodes"
NAMESPACE = f"llm-{NAME}"
STACK = ("--profile", "8xh100", "--name", NAME, "--sandbox")
GROUPED = ("--model", "deepseek-ai/DeepSeek-R1", "--nodes-per-replica", "2", *STACK)


@pytest.fixture
def without_the_kind(cluster: ControlPlane) -> None:
    """The cluster of somebody who has not installed LeaderWorkerSet."""
    if controller := processes.running(cluster.programs).get(sandbox_groups.PROGRAM):
        os.kill(controller, signal.SIGKILL)
    cluster.kubectl("delete", "crd", "--ignore-not-found", "leaderworkersets.leaderworkerset.x-k8s.io")


def _pods(cluster: ControlPlane) -> dict[str, dict[str, Any]]:
    found = json.loads(cluster.kubectl("-n", NAMESPACE, "get", "pods", "-o", "json"))["items"]
    return {pod["metadata"]["name"]: pod for pod in found}


def _identities(cluster: ControlPlane) -> set[str]:
    return {pod["metadata"]["uid"] for pod in _pods(cluster).values()}


def _answering(cluster: ControlPlane) -> list[str]:
    """Pods behind the Service."""
    selector = f"kubernetes.io/service-name={NAMESPACE}"
    slices = json.loads(cluster.kubectl("-n", NAMESPACE, "get", "endpointslices", "-l", selector, "-o", "json"))[
        "items"
    ]
    return [end["targetRef"]["name"] for entry in slices for end in entry["endpoints"] or ()]


@pytest.mark.usefixtures("without_the_kind", "team")
def test_a_cluster_without_the_kind_is_told_what_to_install(checked: Callable[..., list[Check]]) -> None:
    found = checked("8xh100", engine=EngineChoice(nodes_per_replica=2))
    (unknown,) = [check for check in found if check.name == "Kinds"]
    assert (unknown.status, unknown.detail) == (
        "fail",
        "the cluster does not know leaderworkerset.x-k8s.io/v1 LeaderWorkerSet",
    )
    assert "https://lws.sigs.k8s.io" in unknown.fix


def test_a_group_is_applied_watched_and_removed(cluster: ControlPlane) -> None:
    out = succeed("up", *GROUPED, "--yes")
    assert "16 GPUs free for it on 2 nodes that the profile accepts; the plan needs 2 × 8" in out
    assert f"create  LeaderWorkerSet {NAMESPACE}  0 → 16 GPUs" in out
    assert "2 nodes × $30,000.00" in out
    assert "Ready      1 of 1, 16 GPUs" in out

    pods = _pods(cluster)
    assert sorted(pods) == [f"{NAMESPACE}-0", f"{NAMESPACE}-0-1"]
    assert len({pod["spec"]["nodeName"] for pod in pods.values()}) == 2
    told = [
        {entry["name"]: entry.get("value") for entry in pod["spec"]["containers"][0]["env"]} for pod in pods.values()
    ]
    assert {entry["LWS_LEADER_ADDRESS"] for entry in told} == {f"{NAMESPACE}-0.{NAMESPACE}-0.{NAMESPACE}"}
    assert sorted(str(entry["LWS_WORKER_INDEX"]) for entry in told) == ["0", "1"]
    assert _answering(cluster) == [f"{NAMESPACE}-0"]

    status = json.loads(succeed("status", *STACK, "-o", "json"))
    assert (status["ready"], status["gpus"]["live"], status["gpus"]["planned"]) == (True, 16, 16)
    assert [pod["name"] for pod in status["pods"]] == sorted(pods)
    assert "no changes" in succeed("preview", *GROUPED)


def test_a_group_is_made_anew_when_one_of_its_pods_is_gone(cluster: ControlPlane) -> None:
    before = _identities(cluster)
    cluster.kubectl("-n", NAMESPACE, "delete", "pod", f"{NAMESPACE}-0-1")

    def is_new() -> bool:
        now = _identities(cluster)
        return len(now) == 2 and not now & before

    assert processes.wait_for(is_new, 60)


def test_a_change_replaces_the_group_and_is_awaited(cluster: ControlPlane) -> None:
    before = _identities(cluster)
    out = succeed("up", *GROUPED, "--max-model-len", "16384", "--yes")
    assert f"LeaderWorkerSet {NAMESPACE} replaces its only replica without a spare: an outage" in out
    arguments = [pod["spec"]["containers"][0]["args"] for pod in _pods(cluster).values()]
    assert len(arguments) == 2
    assert all("--max-model-len=16384" in given for given in arguments)
    assert not _identities(cluster) & before


def test_a_group_scaled_by_hand_is_drift_with_its_price(cluster: ControlPlane) -> None:
    cluster.kubectl("-n", NAMESPACE, "scale", f"leaderworkerset/{NAMESPACE}", "--replicas=2")
    found = json.loads(succeed("drift", *STACK, "-o", "json"))
    assert found["gpus"] == {"applied": 16, "live": 32}
    cluster.kubectl("-n", NAMESPACE, "scale", f"leaderworkerset/{NAMESPACE}", "--replicas=1")


def test_a_server_does_not_change_its_kind_in_place(cluster: ControlPlane) -> None:
    said = refuse(5, "up", *STACK, "--yes")
    assert f"LeaderWorkerSet {NAMESPACE} holds its GPUs, and the Service, until the Deployment is ready" in said
    assert "`deploy destroy` first" in said


def test_it_is_removed_with_all_its_pods(cluster: ControlPlane) -> None:
    succeed("destroy", *STACK, "--confirm", NAME)
    assert NAMESPACE not in cluster.kubectl("get", "namespaces")
