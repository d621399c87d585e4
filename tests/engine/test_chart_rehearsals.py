"""What the chart promises of rollouts and neighbours, rehearsed with the real scheduler and controllers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.deploy import deploy, succeed

from breakeven import render
from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.placement import PodMetadata
from breakeven.core.chart.server import RolloutChoices
from breakeven.core.plan import Plan
from breakeven.engine.sandbox_cluster import ControlPlane
from breakeven.errors import ToolError

Planned = Callable[..., Plan]

NAMESPACE = "rehearsal"


@pytest.fixture
def full(cluster: ControlPlane, planned: Planned, helm: Path) -> Iterator[Callable[..., None]]:
    """Applies servers that take every GPU of the sandbox's two nodes, with kubectl, and removes them at the end."""

    def apply(chart: ChartChoices) -> None:
        cluster.apply(render.manifests(planned("4xa100", nodes=2, namespace=NAMESPACE, chart=chart), helm))

    yield apply
    cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")


def _wait(cluster: ControlPlane, what: Callable[[], bool]) -> bool:
    for _ in range(60):
        if what():
            return True
        time.sleep(0.5)
    return False


def _pods(cluster: ControlPlane, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(cluster.kubectl("-n", namespace, "get", "pods", "-o", "json"))["items"]
    return items


def _ready(cluster: ControlPlane, note: str) -> bool:
    """Both servers run with this note, and no other pod is left."""
    states = [(pod["metadata"]["annotations"].get("note"), pod["status"].get("phase")) for pod in _pods(cluster)]
    return states == [(note, "Running")] * 2


def _unplaced(cluster: ControlPlane) -> str:
    """What the scheduler says of a pod that it cannot place."""
    conditions = [c for pod in _pods(cluster) for c in pod["status"].get("conditions", ())]
    return next((c["message"] for c in conditions if c.get("reason") == "Unschedulable"), "")


def _noted(note: str, rollout: RolloutChoices | None = None) -> ChartChoices:
    return ChartChoices(pod=PodMetadata(annotations={"note": note}), rollout=rollout or RolloutChoices())


def test_complaint_01_a_change_on_full_nodes_finishes_without_a_spare_gpu(
    full: Callable[..., None], cluster: ControlPlane
) -> None:
    full(_noted("old"))
    assert _wait(cluster, lambda: _ready(cluster, "old"))
    full(_noted("new"))
    assert _wait(cluster, lambda: _ready(cluster, "new")), cluster.kubectl("-n", NAMESPACE, "get", "pods")


def test_complaint_01_with_a_surge_it_would_wait_for_one(full: Callable[..., None], cluster: ControlPlane) -> None:
    """The other half of the proof: what other charts have as their default."""
    surge = RolloutChoices(strategy="start-first")
    full(_noted("old", surge))
    assert _wait(cluster, lambda: _ready(cluster, "old"))
    full(_noted("new", surge))
    assert _wait(cluster, lambda: "Insufficient nvidia.com/gpu" in _unplaced(cluster))
    assert not _ready(cluster, "new")


def test_a_drain_takes_one_server_at_a_time(full: Callable[..., None], cluster: ControlPlane) -> None:
    """The disruption budget: while the first has no place to go, the second stays."""
    full(_noted("old"))
    assert _wait(cluster, lambda: _ready(cluster, "old"))
    first, second = (pod["metadata"]["name"] for pod in _pods(cluster))
    nodes = [node["metadata"]["name"] for node in cluster.nodes()]
    cluster.kubectl("cordon", *nodes)
    try:
        _evict(cluster, first)
        with pytest.raises(ToolError, match="disruption budget"):
            _evict(cluster, second)
    finally:
        cluster.kubectl("uncordon", *nodes)
    assert _wait(cluster, lambda: _ready(cluster, "old"))


def _evict(cluster: ControlPlane, pod: str) -> None:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": NAMESPACE}}
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
    cluster.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))


@pytest.mark.fault(
    "A node is lost",
    "the server moves to another",
    "none",
)
def test_a_server_moves_away_from_a_lost_node(cluster: ControlPlane, planned: Planned, helm: Path) -> None:
    """Lost as Kubernetes has it: the node is marked out of service."""
    cluster.apply(render.manifests(planned("4xa100", nodes=1, namespace=NAMESPACE, chart=_noted("old")), helm))
    lost = ""
    try:
        assert _wait(cluster, lambda: _node(cluster) != "")
        lost = _node(cluster)
        cluster.kubectl("taint", "node", lost, "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute")
        assert _wait(cluster, lambda: _node(cluster) not in ("", lost))
    finally:
        if lost:
            cluster.kubectl("taint", "node", lost, "node.kubernetes.io/out-of-service-")
        cluster.kubectl("delete", "namespace", NAMESPACE)


def _node(cluster: ControlPlane) -> str:
    """Where the one server runs; empty unless there is one, and it runs."""
    running = [pod for pod in _pods(cluster) if pod["status"].get("phase") == "Running"]
    return str(running[0]["spec"]["nodeName"]) if len(running) == 1 == len(_pods(cluster)) else ""


@pytest.fixture
def neighbours(sandbox: object) -> Iterator[tuple[str, str]]:
    """Two stacks in one namespace."""
    names = ("one", "two")
    yield names
    for name in names:
        deploy("destroy", "--profile", "1xa100", "--name", name, "--sandbox", "--confirm", name)


def test_complaint_28_two_installs_in_one_namespace_do_not_collide(
    neighbours: tuple[str, str], cluster: ControlPlane
) -> None:
    cluster.kubectl("create", "namespace", "shared")
    try:
        for name in neighbours:
            succeed("up", "--profile", "1xa100", "--name", name, "--namespace", "shared", "--sandbox", "--yes")
        for name in neighbours:
            assert _served(cluster, f"llm-{name}") == {f"llm-{name}"}
        succeed("destroy", "--profile", "1xa100", "--name", "one", "--sandbox", "--confirm", "one")
        assert _served(cluster, "llm-two") == {"llm-two"}
    finally:
        cluster.kubectl("delete", "namespace", "shared", "--wait=false")


def _served(cluster: ControlPlane, service: str) -> set[str]:
    """Releases whose pods the Service sends requests to."""
    selector = f"kubernetes.io/service-name={service}"
    found = json.loads(cluster.kubectl("-n", "shared", "get", "endpointslices", "-l", selector, "-o", "json"))
    pods = [end["targetRef"]["name"] for item in found["items"] for end in item["endpoints"] or ()]
    by_name = {pod["metadata"]["name"]: pod for pod in _pods(cluster, "shared")}
    return {by_name[name]["metadata"]["labels"]["app.kubernetes.io/instance"] for name in pods}


def test_a_download_and_every_choice_are_applied_by_the_engine(
    sandbox: object, cluster: ControlPlane, tmp_path: Path
) -> None:
    """Job, claims, policies, budget, Ingress: Pulumi waits for each, and a second apply changes nothing."""
    file = tmp_path / "deploy.yaml"
    file.write_text(
        """
profile: 4xa100
name: hard
model: Qwen/Qwen3-8B
replicas: 2
weights: {storage: pvc, download: true}
prices: {storage_usd_per_gib_month: 0.2}
chart:
  network_policy: {enabled: true, callers: [{namespace: gateway}]}
  ingress: {enabled: true, host: llm.example.com}
  placement: {spread: [{topology_key: kubernetes.io/hostname}]}
""",
        encoding="utf-8",
    )
    arguments = ("-f", str(file), "--sandbox")
    try:
        out = succeed("up", *arguments, "--yes")
        assert "Ready      2 of 2, 2 GPUs" in out
        found = cluster.kubectl("-n", "llm-hard", "get", "jobs,pvc,pdb,networkpolicies,ingresses", "-o", "name")
        assert sorted(line.split("/")[0] for line in found.splitlines()) == [
            "ingress.networking.k8s.io",
            "job.batch",
            "networkpolicy.networking.k8s.io",
            "networkpolicy.networking.k8s.io",
            "persistentvolumeclaim",
            "poddisruptionbudget.policy",
        ]
        assert "no changes" in succeed("up", *arguments, "--yes")
    finally:
        deploy("destroy", *arguments, "--confirm", "hard")


def test_complaint_10_the_autoscalers_replicas_are_not_fought_over(
    sandbox: object, cluster: ControlPlane, tmp_path: Path
) -> None:
    """The real controller brings the fewest up; what is set then, no apply undoes."""
    file = tmp_path / "deploy.yaml"
    scaling = "scaling: {min_replicas: 2, max_replicas: 4}"
    file.write_text(f"profile: 4xa100\nname: scaled\nmodel: Qwen/Qwen3-8B\n{scaling}\n", encoding="utf-8")
    arguments = ("-f", str(file), "--sandbox")
    try:
        out = succeed("up", *arguments, "--yes")
        assert "autoscaled from 2 to 4" in out
        assert re.search(r"Deployment llm-scaled +0 → 2 to 4 GPUs", out)
        assert _wait(cluster, lambda: _replicas(cluster) == 2)
        cluster.kubectl("-n", "llm-scaled", "scale", "deployment/llm-scaled", "--replicas=3")
        assert "no changes" in succeed("up", *arguments, "--yes")
        assert _replicas(cluster) == 3
    finally:
        deploy("destroy", *arguments, "--confirm", "scaled")


def test_complaint_10_scaling_is_turned_on_and_off_without_a_server_lost(
    sandbox: object, cluster: ControlPlane, tmp_path: Path
) -> None:
    """A field that is no longer applied goes back to its default: of three servers two would be stopped."""
    file = tmp_path / "deploy.yaml"
    arguments = ("-f", str(file), "--sandbox")

    def up(how: str) -> str:
        file.write_text(f"profile: 4xa100\nname: scaled\nmodel: Qwen/Qwen3-8B\n{how}\n", encoding="utf-8")
        return succeed("up", *arguments, "--yes")

    try:
        up("replicas: 3")
        first = _uids(cluster)
        assert len(first) == 3
        assert "autoscaled from 2 to 4" in up("scaling: {min_replicas: 2, max_replicas: 4}")
        assert cluster.kubectl("-n", "llm-scaled", "get", "hpa", "-o", "name").strip()
        assert (_replicas(cluster), _uids(cluster)) == (3, first)
        _as_an_autoscaler_scales(cluster, 4)
        assert "no changes" in succeed("up", *arguments, "--yes")
        assert _replicas(cluster) == 4
        assert "Drift    none: 6 objects as last applied" in succeed("drift", *arguments)
        assert _wait(cluster, lambda: _ready_replicas(cluster) == 4)
        said = succeed("status", *arguments)
        assert re.search(r"Ready +4 of 4\n", said)
        # The node is rented however many of its GPUs are in use.
        assert "4 requested live, 2 planned" in said
        assert re.search(r"Recorded +\$9,500\.00 a month, as last applied", said)
        four = _uids(cluster)
        up("replicas: 2")
        assert not cluster.kubectl("-n", "llm-scaled", "get", "hpa", "-o", "name").strip()
        assert _replicas(cluster) == 2
        assert _wait(cluster, lambda: len(_uids(cluster)) == 2)
        assert _uids(cluster) < four
    finally:
        deploy("destroy", *arguments, "--confirm", "scaled")


def _ready_replicas(cluster: ControlPlane) -> int:
    path = "jsonpath={.status.readyReplicas}"
    return int(cluster.kubectl("-n", "llm-scaled", "get", "deployment/llm-scaled", "-o", path) or 0)


def _as_an_autoscaler_scales(cluster: ControlPlane, replicas: int) -> None:
    """By the same subresource."""
    cluster.kubectl("-n", "llm-scaled", "scale", "deployment/llm-scaled", f"--replicas={replicas}")


def _uids(cluster: ControlPlane) -> set[str]:
    return {
        pod["metadata"]["uid"] for pod in _pods(cluster, "llm-scaled") if "deletionTimestamp" not in pod["metadata"]
    }


def _replicas(cluster: ControlPlane) -> int:
    path = "jsonpath={.spec.replicas}"
    return int(cluster.kubectl("-n", "llm-scaled", "get", "deployment/llm-scaled", "-o", path))
