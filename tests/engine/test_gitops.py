"""What reconcilers take, on a real API server: their objects by their own CRDs, and the rendered tree, applied."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.engine.deploy import succeed

from breakeven import scaffold
from breakeven.engine import tools
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane
from breakeven.errors import ToolError

REPOSITORY = "https://github.com/acme/llm"
KINDS = "deployments,services,serviceaccounts,networkpolicies,poddisruptionbudgets"

# What an API server and its controllers put into an object, and not who applied it.
SERVERS = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")


@pytest.fixture(scope="module")
def crds(session_sandbox: Sandbox) -> ControlPlane:
    """The sandbox with the CRDs of Argo CD and Flux."""
    cluster = ControlPlane(directory=session_sandbox.directory)
    paths = [
        path for path in (tools.folder("gitops-crds") / "crds").rglob("*.yaml") if path.name != "kustomization.yaml"
    ]
    files = [argument for path in sorted(paths) for argument in ("-f", str(path))]
    cluster.kubectl("apply", "--server-side", *files)
    # kubectl does not wait for conditions where there are none yet.
    for what in ("jsonpath={.status.acceptedNames.plural}", "condition=Established"):
        cluster.kubectl("wait", f"--for={what}", "--timeout=60s", *files)
    spaces = (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in ("argocd", "flux-system")
    )
    cluster.apply(spaces)
    return cluster


def objects(kind: str) -> list[dict[str, Any]]:
    texts = scaffold.gitops(kind, REPOSITORY, "main").values()
    found = [document for text in texts for document in yaml.safe_load_all(text)]
    return [one for one in found if not one["apiVersion"].startswith("kustomize.config.k8s.io/")]


def accepted(cluster: ControlPlane, found: list[dict[str, Any]]) -> str:
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": found})
    return cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=listed)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("argocd", {"application.argoproj.io/breakeven", "appproject.argoproj.io/breakeven"}),
        (
            "flux",
            {"gitrepository.source.toolkit.fluxcd.io/breakeven", "kustomization.kustomize.toolkit.fluxcd.io/breakeven"},
        ),
    ],
)
def test_their_own_crds_accept_what_init_writes(crds: ControlPlane, kind: str, names: set[str]) -> None:
    said = accepted(crds, objects(kind))
    assert {line.split()[0] for line in said.splitlines()} == names


@pytest.mark.parametrize("kind", ["argocd", "flux"])
def test_and_refuse_a_field_that_they_do_not_know(crds: ControlPlane, kind: str) -> None:
    for one in objects(kind):
        one["spec"]["prunes"] = True
        with pytest.raises(ToolError, match=r'unknown field "(spec\.)?prunes"'):
            accepted(crds, [one])


# ── The rendered tree, applied, healed and pruned ──


class Reconciler:
    """What Flux and Argo CD do with a tree: server-side apply by force, and prune what it no longer holds."""

    def __init__(self, cluster: ControlPlane, tree: Path) -> None:
        self.cluster, self.tree = cluster, tree

    def reconcile(self) -> None:
        built = self.cluster.kubectl("kustomize", str(self.tree))
        found = [document for document in yaml.safe_load_all(built) if document]
        spaces = [one for one in found if one["kind"] == "Namespace"]
        # Namespaces first and unpruned, as the waves of gitops/argocd have it.
        self.cluster.apply(spaces)
        self._apply_and_prune([one for one in found if one["kind"] != "Namespace"])

    def _apply_and_prune(self, found: list[dict[str, Any]]) -> None:
        command = [
            str(tools.path("kubectl")),
            "--kubeconfig",
            str(self.cluster.kubeconfig),
            # It would go to HOME otherwise.
            f"--cache-dir={self.cluster.directory / 'discovery'}",
            "-n",
            "llm-gitops",
            "apply",
        ]
        command += ["--server-side", "--force-conflicts", "--prune", "--applyset=configmaps/tree", "-f", "-"]
        subprocess.run(
            command,
            input=json.dumps({"apiVersion": "v1", "kind": "List", "items": found}),
            env={**os.environ, "KUBECTL_APPLYSET": "true"},
            check=True,
            capture_output=True,
            text=True,
        )


def live(cluster: ControlPlane, namespace: str) -> dict[str, Any]:
    """All that the chart made, less what servers add and what tells who applied it."""
    listed = json.loads(
        cluster.kubectl("-n", namespace, "get", KINDS, "-l", "app.kubernetes.io/name=vllm", "-o", "json")
    )
    return {f"{one['kind']}/{one['metadata']['name']}": cleaned(one) for one in listed["items"]}


def cleaned(one: dict[str, Any]) -> dict[str, Any]:
    one.pop("status", None)
    metadata = {key: value for key, value in one["metadata"].items() if key not in SERVERS}
    metadata["labels"] = {key: value for key, value in metadata["labels"].items() if "applyset" not in key}
    annotations = metadata.pop("annotations", {})
    annotations = {key: value for key, value in annotations.items() if not key.startswith("deployment.kubernetes.io/")}
    one["metadata"] = {**metadata, **({"annotations": annotations} if annotations else {})}
    if one["kind"] == "Service":
        # Given out anew to each Service.
        one["spec"] = {key: value for key, value in one["spec"].items() if key not in ("clusterIP", "clusterIPs")}
    return one


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Path]:
    for name in ("chat", "code"):
        folder = tmp_path / "clusters" / name
        folder.mkdir(parents=True)
        (folder / "deploy.yaml").write_text(f"profile: 4xa100\nname: {name}\nnamespace: llm-gitops\n", encoding="utf-8")
    yield tmp_path / "clusters"


def test_reconciled_is_what_up_makes(sandbox: Sandbox, cluster: ControlPlane, fleet: Path) -> None:
    """Applied, pruned, healed and changed: each time the objects of `deploy up`, field by field."""
    chat = ("-f", str(fleet / "chat" / "deploy.yaml"), "--sandbox")
    succeed("up", *chat, "--yes")
    wanted = live(cluster, "llm-gitops")
    succeed("up", *chat, "--nodes", "2", "--yes")
    wanted_with_two = live(cluster, "llm-gitops")
    succeed("destroy", *chat, "--confirm", "chat")
    assert live(cluster, "llm-gitops") == {}
    assert wanted != wanted_with_two

    tree = fleet.parent / "rendered"
    render = ("render", str(fleet), "--out", str(tree))
    reconciler = Reconciler(cluster, tree)
    succeed(*render)
    reconciler.reconcile()
    assert {name.split("/")[1] for name in live(cluster, "llm-gitops")} == {"llm-chat", "llm-code"}

    shutil.rmtree(fleet / "code")
    succeed(*render)
    reconciler.reconcile()
    assert live(cluster, "llm-gitops") == wanted

    cluster.kubectl("-n", "llm-gitops", "scale", "deployment/llm-chat", "--replicas=2")
    cluster.kubectl("-n", "llm-gitops", "delete", "service/llm-chat")
    assert live(cluster, "llm-gitops") != wanted
    reconciler.reconcile()
    assert live(cluster, "llm-gitops") == wanted

    with (fleet / "chat" / "deploy.yaml").open("a", encoding="utf-8") as file:
        file.write("nodes: 2\n")
    succeed(*render)
    reconciler.reconcile()
    assert live(cluster, "llm-gitops") == wanted_with_two
    cluster.kubectl("delete", "namespace", "llm-gitops", "--wait=false")
