"""Servers under an autoscaler, in a tree that a reconciler applies: their number is the autoscaler's."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from tests.engine.reconcilers import Argo, Flux
from tests.engine.test_gitops import GIT, init, render
from tests.gitops.files import write

from breakeven.engine.sandbox_cluster import ControlPlane

NAMESPACE = "llm-scaled-gitops"
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


@pytest.mark.parametrize(("kind", "made"), [("flux", Flux), ("argocd", Argo)])
def test_no_reconciliation_undoes_what_the_autoscaler_set(
    cluster: ControlPlane, repository: Path, kind: str, made: type[Flux | Argo]
) -> None:
    """The real controller sets the fewest, under the name by which Argo CD knows what to ignore."""
    init(repository, kind, *GIT)
    ask(repository, "scaling: {min_replicas: 2, max_replicas: 4}")
    reconciler = made(cluster=cluster, root=repository)
    reconciler.reconcile()
    assert wait(lambda: replicas(cluster) == 2)
    assert owners(cluster) == {"kube-controller-manager"}
    reconciler.reconcile()
    assert (replicas(cluster), owners(cluster)) == (2, {"kube-controller-manager"})
    if kind == "argocd":
        application = yaml.safe_load((repository / "gitops/argocd/application.yaml").read_text())
        ignored = {one["kind"]: one["managedFieldsManagers"] for one in application["spec"]["ignoreDifferences"]}
        assert ignored["Deployment"] == ["kube-controller-manager"]


@pytest.mark.parametrize(("kind", "made"), [("flux", Flux), ("argocd", Argo)])
def test_servers_are_handed_over_as_documented(
    cluster: ControlPlane, repository: Path, kind: str, made: type[Flux | Argo]
) -> None:
    """Of three servers two would be stopped: docs/chart.md says what to do first."""
    init(repository, kind, *GIT)
    ask(repository, "replicas: 3")
    reconciler = made(cluster=cluster, root=repository)
    reconciler.reconcile()
    handed = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "llm-scaled"},
        "spec": {"replicas": 3},
    }
    how = ("apply", "--server-side", "--force-conflicts", "--field-manager=handover", "-f", "-")
    cluster.kubectl("-n", NAMESPACE, *how, stdin=json.dumps(handed))
    ask(repository, "scaling: {min_replicas: 2, max_replicas: 4}")
    reconciler.reconcile()
    assert replicas(cluster) == 3
