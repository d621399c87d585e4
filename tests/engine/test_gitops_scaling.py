"""Servers under an autoscaler, in a tree that a reconciler applies: their number is the autoscaler's."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engine.reconcilers import Argo, Flux
from tests.engine.test_gitops import GIT, init, render
from tests.gitops.files import write

from breakeven.engine.sandbox_cluster import ControlPlane

NAMESPACE = "llm-scaled-gitops"
SCALING = "scaling: {min_replicas: 2, max_replicas: 4}"
DEPLOYMENT = ("-n", NAMESPACE, "get", "deployment/llm-scaled")


@pytest.fixture
def repository(cluster: ControlPlane, tmp_path: Path) -> Iterator[Path]:
    write(tmp_path / "clusters/scaled/deploy.yaml", "")
    yield tmp_path
    cluster.kubectl("delete", "namespace", NAMESPACE)


def ask(root: Path, how: str) -> None:
    """One A100 each, so that several servers fit on the sandbox."""
    text = f"profile: 4xa100\nname: scaled\nnamespace: {NAMESPACE}\nmodel: Qwen/Qwen3-8B\n{how}\n"
    write(root / "clusters/scaled/deploy.yaml", text)
    shutil.rmtree(root / "rendered", ignore_errors=True)
    render(root)


def replicas(cluster: ControlPlane) -> int:
    return int(cluster.kubectl(*DEPLOYMENT, "-o", "jsonpath={.spec.replicas}"))


def wait(is_so: Callable[[], bool], patience_s: int = 60) -> bool:
    until = time.monotonic() + patience_s
    while not is_so() and time.monotonic() < until:
        time.sleep(0.5)
    return is_so()


def owners(cluster: ControlPlane) -> set[str]:
    """Who has set the number of servers."""
    live = json.loads(cluster.kubectl(*DEPLOYMENT, "--show-managed-fields", "-o", "json"))
    fields = live["metadata"]["managedFields"]
    return {one["manager"] for one in fields if "f:replicas" in one["fieldsV1"].get("f:spec", {})}


@pytest.fixture(params=["flux", "argocd"])
def reconciler(request: pytest.FixtureRequest, cluster: ControlPlane, repository: Path) -> Flux | Argo:
    init(repository, request.param, *GIT)
    made = Flux if request.param == "flux" else Argo
    return made(cluster=cluster, root=repository)


def hand_over(cluster: ControlPlane, number: int) -> None:
    """As docs/chart.md says."""
    kept = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "llm-scaled"}}
    how = ("apply", "--server-side", "--force-conflicts", "--field-manager=handover", "-f", "-")
    cluster.kubectl("-n", NAMESPACE, *how, stdin=json.dumps({**kept, "spec": {"replicas": number}}))


def test_no_reconciliation_undoes_what_an_autoscaler_set(cluster: ControlPlane, reconciler: Flux | Argo) -> None:
    """The real controller sets the fewest. A field that nobody owned stays nobody's."""
    ask(reconciler.root, SCALING)
    reconciler.reconcile()
    assert wait(lambda: replicas(cluster) == 2)
    assert owners(cluster) == set()
    reconciler.reconcile()
    assert replicas(cluster) == 2


def test_the_number_goes_to_an_autoscaler_and_comes_back(cluster: ControlPlane, reconciler: Flux | Argo) -> None:
    """None of three servers is stopped on the way; what the autoscaler has then set, a number in the tree replaces."""
    ask(reconciler.root, "replicas: 3")
    reconciler.reconcile()
    hand_over(cluster, 3)
    ask(reconciler.root, SCALING)
    reconciler.reconcile()
    assert replicas(cluster) == 3
    hand_over(cluster, 1)
    assert wait(lambda: replicas(cluster) == 2)
    # The name by which Argo CD is told whose differences to ignore.
    assert owners(cluster) == {"kube-controller-manager"}
    reconciler.reconcile()
    assert replicas(cluster) == 2
    ask(reconciler.root, "replicas: 1")
    for _ in range(2):
        # Until it is pruned, the autoscaler may act once more.
        reconciler.reconcile()
    assert replicas(cluster) == 1
    assert len(owners(cluster)) == 1
    assert "kube-controller-manager" not in owners(cluster)


def test_argo_ignores_the_autoscalers_number_and_syncs_that_of_the_tree(tmp_path: Path) -> None:
    (application,) = (one for one in init(tmp_path, "argocd", *GIT) if one["kind"] == "Application")
    ignored = {one["kind"]: one["managedFieldsManagers"] for one in application["spec"]["ignoreDifferences"]}
    assert ignored == {kind: ["kube-controller-manager"] for kind in ("Deployment", "LeaderWorkerSet")}
    # With it a number would never come back: the autoscaler owns the field until somebody sets another.
    assert "RespectIgnoreDifferences=true" not in application["spec"]["syncPolicy"]["syncOptions"]
