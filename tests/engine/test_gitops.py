"""What reconcilers take, on a real API server: their objects by their own CRDs, and the rendered tree, applied."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.engine.deploy import succeed
from tests.engine.reconcilers import Argo, Flux
from tests.gitops.files import write

from breakeven.engine import tools
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane
from breakeven.errors import ToolError

KINDS = "deployments,services,serviceaccounts,networkpolicies,poddisruptionbudgets,services.serving.knative.dev"

# What an API server and its controllers put into an object, and not who applied it.
SERVERS = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")

# Labels and annotations of who applied it, and of the Deployment's controller.
MARKS = ("kustomize.toolkit.fluxcd.io/", "argocd.argoproj.io/", "deployment.kubernetes.io/")


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


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One deployment that stays, and one in a namespace of its own that goes."""
    write(tmp_path / "clusters/base.yaml", "profile: 4xa100\n")
    for name in ("chat", "code"):
        text = f"base: ../base.yaml\nname: {name}\nnamespace: llm-{name}-gitops\n"
        write(tmp_path / "clusters" / name / "deploy.yaml", text)
    return tmp_path


def init(root: Path, *arguments: str) -> list[dict[str, Any]]:
    """What it writes for a reconciler, as objects."""
    succeed("init", str(root), "--gitops", *arguments)
    texts = [path.read_text() for path in sorted((root / "gitops").rglob("*.yaml"))]
    found = [document for text in texts for document in yaml.safe_load_all(text)]
    return [one for one in found if not one["apiVersion"].startswith("kustomize.config.k8s.io/")]


def render(root: Path) -> None:
    succeed("render", str(root / "clusters"), "--out", str(root / "rendered"))


def accepted(cluster: ControlPlane, found: list[dict[str, Any]]) -> set[str]:
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": found})
    said = cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=listed)
    return {line.split()[0] for line in said.splitlines()}


GIT = ("--repository", "https://github.com/acme/llm")
SSH = ("--repository", "git@github.com:acme/llm.git")
OCI = ("--repository", "oci://ghcr.io/acme/llm")
KUSTOMIZATION = "kustomization.kustomize.toolkit.fluxcd.io/breakeven"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("argocd", *GIT), {"application.argoproj.io/breakeven", "appproject.argoproj.io/breakeven"}),
        (("flux", *GIT), {"gitrepository.source.toolkit.fluxcd.io/breakeven", KUSTOMIZATION}),
        (("flux", *SSH), {"gitrepository.source.toolkit.fluxcd.io/breakeven", KUSTOMIZATION}),
        (("flux", *OCI), {"ocirepository.source.toolkit.fluxcd.io/breakeven", KUSTOMIZATION}),
        (
            ("flux-helm", *GIT),
            {
                "gitrepository.source.toolkit.fluxcd.io/breakeven",
                "helmchart.source.toolkit.fluxcd.io/breakeven-vllm",
                KUSTOMIZATION,
            },
        ),
    ],
)
def test_their_own_crds_accept_what_init_writes(
    crds: ControlPlane, tmp_path: Path, arguments: tuple[str, ...], names: set[str]
) -> None:
    assert accepted(crds, init(tmp_path, *arguments)) == names


@pytest.mark.parametrize("kind", ["argocd", "flux-helm"])
def test_and_refuse_a_field_that_they_do_not_know(crds: ControlPlane, tmp_path: Path, kind: str) -> None:
    for one in init(tmp_path, kind, *GIT):
        one["spec"]["prunes"] = True
        with pytest.raises(ToolError, match=r'unknown field "(spec\.)?prunes"'):
            accepted(crds, [one])


@pytest.mark.parametrize(("source", "keys"), [(GIT, {"secretRef"}), (OCI, {"secretRef", "verify"})])
def test_what_is_commented_out_is_known_to_them_too(
    crds: ControlPlane, tmp_path: Path, source: tuple[str, ...], keys: set[str]
) -> None:
    init(tmp_path, "flux", *source)
    texts = [
        re.sub(r"# ((secretRef|verify|dependsOn): )", r"\1", path.read_text()) for path in tmp_path.rglob("*.yaml")
    ]
    found = [yaml.safe_load(text) for text in texts]
    assert {key for one in found for key in one["spec"]} >= {*keys, "dependsOn"}
    assert len(accepted(crds, found)) == 2


def test_their_own_crd_accepts_each_helm_release(crds: ControlPlane, repository: Path) -> None:
    """With an autoscaler and without; kubectl's strict validation knows each field."""
    init(repository, "flux-helm", *GIT)
    with (repository / "clusters/code/deploy.yaml").open("a", encoding="utf-8") as file:
        file.write("scaling: {min_replicas: 1, max_replicas: 3}\n")
    render(repository)
    found = [yaml.safe_load(path.read_text()) for path in (repository / "rendered").rglob("helmrelease-*.yaml")]
    names = [one["metadata"]["namespace"] for one in found]
    crds.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names)
    assert accepted(crds, found) == {f"helmrelease.helm.toolkit.fluxcd.io/llm-{name}" for name in ("chat", "code")}
    found[0]["spec"]["driftDetection"]["mod"] = "on"
    with pytest.raises(ToolError, match=r'unknown field "(spec\.driftDetection\.)?mod"'):
        accepted(crds, found)
    crds.kubectl("delete", "namespace", *names)


# ── The rendered tree, applied, changed, healed and pruned ──


def live(cluster: ControlPlane, namespace: str) -> dict[str, Any]:
    """All that the chart made, less what servers add and what tells who applied it."""
    listed = json.loads(
        cluster.kubectl("-n", namespace, "get", KINDS, "-l", "app.kubernetes.io/name=vllm", "-o", "json")
    )
    return {f"{one['apiVersion']} {one['kind']}/{one['metadata']['name']}": cleaned(one) for one in listed["items"]}


def cleaned(one: dict[str, Any]) -> dict[str, Any]:
    one.pop("status", None)
    metadata = {key: value for key, value in one["metadata"].items() if key not in SERVERS}
    for field in ("labels", "annotations"):
        kept = {key: value for key, value in metadata.pop(field, {}).items() if not key.startswith(MARKS)}
        metadata |= {field: kept} if kept else {}
    one["metadata"] = metadata
    if (one["apiVersion"], one["kind"]) == ("v1", "Service"):
        # Given out anew to each Service.
        one["spec"] = {key: value for key, value in one["spec"].items() if key not in ("clusterIP", "clusterIPs")}
    return one


@pytest.fixture(scope="module")
def ups(
    session_sandbox: Sandbox, sandbox_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[Any, Any]]:
    """The objects that `deploy up` makes of chat, with one replica and with two."""
    cluster = ControlPlane(directory=session_sandbox.directory)

    @cache
    def made(profile: str) -> tuple[Any, Any]:
        file = tmp_path_factory.mktemp("up") / "deploy.yaml"
        file.write_text(f"profile: {profile}\nname: chat\nnamespace: llm-chat-gitops\n", encoding="utf-8")
        found = []
        for replicas in ("1", "2"):
            succeed("up", "-f", str(file), "--sandbox", "--replicas", replicas, "--yes", env=sandbox_environment)
            found.append(live(cluster, "llm-chat-gitops"))
        succeed("destroy", "-f", str(file), "--sandbox", "--confirm", "chat", env=sandbox_environment)
        cluster.kubectl("wait", "--for=delete", "namespace/llm-chat-gitops", "--timeout=60s")
        assert found[0] != found[1]
        return found[0], found[1]

    return made


# What stands for a change by hand: a field of the server's, and an object that goes.
DRIFT = {
    "4xa100": (("scale", "deployment/llm-chat", "--replicas=2"), ("delete", "service/llm-chat")),
    "serverless": (
        (
            *("patch", "services.serving.knative.dev/llm-chat", "--type=merge", "-p"),
            '{"spec": {"template": {"spec": {"timeoutSeconds": 1}}}}',
        ),
        ("delete", "serviceaccount/llm-chat"),
    ),
}


@pytest.mark.parametrize("profile", ["4xa100", "serverless"])
@pytest.mark.parametrize(("kind", "made"), [("flux", Flux), ("argocd", Argo)])
def test_reconciled_is_what_up_makes(
    sandbox: Sandbox,
    cluster: ControlPlane,
    ups: Callable[[str], tuple[Any, Any]],
    repository: Path,
    profile: str,
    kind: str,
    made: type[Flux | Argo],
) -> None:
    """Applied, healed, changed and pruned: each time the objects of `deploy up`, field by field."""
    one, two = ups(profile)
    write(repository / "clusters/base.yaml", f"profile: {profile}\nreplicas: 1\n")
    init(repository, kind, *GIT)
    reconciler = made(cluster=cluster, root=repository)
    render(repository)
    reconciler.reconcile()
    assert live(cluster, "llm-chat-gitops") == one
    assert live(cluster, "llm-code-gitops").keys() == {name.replace("chat", "code") for name in one}

    for change in DRIFT[profile]:
        cluster.kubectl("-n", "llm-chat-gitops", *change)
        assert live(cluster, "llm-chat-gitops") != one
    reconciler.reconcile()
    assert live(cluster, "llm-chat-gitops") == one

    write(repository / "clusters/base.yaml", f"profile: {profile}\nreplicas: 2\n")
    render(repository)
    reconciler.reconcile()
    assert live(cluster, "llm-chat-gitops") == two

    write(repository / "clusters/base.yaml", f"profile: {profile}\nreplicas: 1\n")
    shutil.rmtree(repository / "clusters/code")
    render(repository)
    cluster.kubectl("-n", "llm-code-gitops", "create", "configmap", "others")
    reconciler.reconcile()
    # What two replicas had more is pruned, the deployment that left the fleet too, and nothing else.
    assert live(cluster, "llm-chat-gitops") == one
    assert live(cluster, "llm-code-gitops") == {}
    assert "others" in cluster.kubectl("-n", "llm-code-gitops", "get", "configmaps")
    cluster.kubectl("delete", "namespace", "llm-chat-gitops", "llm-code-gitops")
