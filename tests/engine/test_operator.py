"""What the Pulumi Kubernetes Operator is given: by its own CRD, and run as its agent would, with no more rights."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.engine.deploy import succeed
from tests.engine.plain import Project, project

from breakeven import resources
from breakeven.engine import tools
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane
from breakeven.errors import ToolError

CRD = resources.root() / "tests" / "data" / "pulumi-operator" / "pulumi.com_stacks.yaml.gz"
NAMESPACE = "llm-operated"
# Where the operator puts the project in its pod: operator/internal/controller/auto/workspace_controller.go at v2.9.0
WORKSPACE = "/share/workspace"


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A team's repository with what `deploy init` writes for the operator."""

    root: Path

    def objects(self, name: str) -> list[dict[str, Any]]:
        path = self.root / "gitops" / "pulumi-operator" / "stacks" / "operated" / name
        return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))

    def ask(self, text: str) -> None:
        inputs = f"profile: 4xa100\nname: operated\n{text}"
        (self.root / "clusters" / "operated" / "deploy.yaml").write_text(inputs, encoding="utf-8")


@pytest.fixture
def repository(sandbox: Sandbox, tmp_path: Path) -> Repository:
    made = Repository(root=tmp_path / "source")
    (made.root / "clusters" / "operated").mkdir(parents=True)
    made.ask("budget: {max_usd_per_month: 10000}\n")
    given = ("--repository", "https://github.com/acme/llm", "--backend", "s3://acme-pulumi")
    succeed("init", str(made.root), "--gitops", "pulumi-operator", *given)
    return made


def dry_run(cluster: ControlPlane, one: dict[str, Any]) -> str:
    return cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(one))


def test_the_operators_own_crd_accepts_the_stacks(repository: Repository, cluster: ControlPlane) -> None:
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=gzip.decompress(CRD.read_bytes()).decode())
    # kubectl does not wait for conditions where there are none yet.
    for what in ("jsonpath={.status.acceptedNames.plural}", "condition=Established"):
        cluster.kubectl("wait", f"--for={what}", "--timeout=60s", "crd/stacks.pulumi.com")
    (apply,), (preview,) = repository.objects("apply.yaml"), repository.objects("preview.yaml")
    for one in (apply, preview):
        one["metadata"]["namespace"] = "default"
        assert dry_run(cluster, one).startswith(f"stack.pulumi.com/{one['metadata']['name']} created")
        wrong = {**one, "spec": {**one["spec"], "previews": True}}
        with pytest.raises(ToolError, match="previews"):
            dry_run(cluster, wrong)
    # The limit that `deploy init` holds names to.
    apply["metadata"]["name"] = "a" * 43
    with pytest.raises(ToolError, match="42"):
        dry_run(cluster, apply)


@pytest.fixture
def account(repository: Repository, cluster: ControlPlane) -> Iterator[str]:
    """A token of the account, which has the rights that its Role gives and no others."""
    cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}])
    cluster.apply(repository.objects("account.yaml"))
    yield cluster.kubectl("-n", NAMESPACE, "create", "token", "breakeven-operated").strip()
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    cluster.kubectl("delete", "clusterrolebinding", f"breakeven:{NAMESPACE}:operated:auth-delegator")


@pytest.fixture
def workspace(repository: Repository, account: str, sandbox: Sandbox, tmp_path: Path) -> Project:
    """As in the operator's pod: a link to the project in a checkout, the account's token, the stack's variables."""
    (tmp_path / "share").mkdir()
    folder = tmp_path / "share" / "workspace"
    spec = repository.objects("apply.yaml")[0]["spec"]
    folder.symlink_to(repository.root / spec["repoDir"])
    for path in (folder / "Pulumi.yaml", folder / "policy" / "PulumiPolicy.yaml"):
        # Nothing is installed here: the tests' own environment has the package and its extra.
        options = yaml.safe_load(path.read_text(encoding="utf-8"))
        path.write_text(yaml.safe_dump({**options, "runtime": "python"}), encoding="utf-8")
    generated = Path(spec["config"]["breakeven:cluster"]["kubeconfig"]).relative_to(WORKSPACE)
    kubeconfig = in_cluster(folder / generated, account, sandbox, tmp_path)
    variables = {key: ref["literal"]["value"] for key, ref in spec["envRefs"].items() if ref["type"] == "Literal"}
    # The pinned language host starts no packs; the engine starts an executable itself.
    pack = tmp_path / "pack"
    directory = folder / Path(variables["PULUMI_OPTION_POLICY_PACK"]).relative_to(WORKSPACE)
    pack.write_text(f"#!/bin/sh\nexec {sys.executable} {directory} $1\n")
    pack.chmod(0o755)
    made = project(folder, tmp_path / "home", "operated", **{**variables, "PULUMI_OPTION_POLICY_PACK": str(pack)})
    config = {**spec["config"], "breakeven:cluster": {**spec["config"]["breakeven:cluster"], "kubeconfig": kubeconfig}}
    set_all = {
        key: {"value": value} if isinstance(value, str) else {"value": json.dumps(value), "objectValue": value}
        for key, value in config.items()
    }
    made.succeed("config", "set-all", "--json", json.dumps(set_all))
    return made


def in_cluster(generated: Path, token: str, sandbox: Sandbox, folder: Path) -> str:
    """The project's kubeconfig with the sandbox in place of what a pod finds in itself."""
    (folder / "token").write_text(token, encoding="utf-8")
    known = yaml.safe_load(sandbox.kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]
    text = generated.read_text(encoding="utf-8")
    for found, put in (
        ("https://kubernetes.default.svc", known["server"]),
        ("/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", known["certificate-authority"]),
        ("/var/run/secrets/kubernetes.io/serviceaccount/token", str(folder / "token")),
    ):
        assert found in text
        text = text.replace(found, put)
    generated.write_text(text, encoding="utf-8")
    return str(generated)


def may(kubeconfig: Path, *question: str) -> bool:
    command = [str(tools.path("kubectl")), "--kubeconfig", str(kubeconfig), "auth", "can-i", *question]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() == "yes"


def test_its_account_applies_the_stack_and_can_do_no_more(
    workspace: Project, repository: Repository, cluster: ControlPlane
) -> None:
    """Preview, apply, change, heal and destroy as the agent does, which skips the engine's own preview."""
    workspace.succeed("preview")
    workspace.succeed("up", "--yes", "--skip-preview")
    assert "1/1" in cluster.kubectl("-n", NAMESPACE, "get", "deployment", "llm-operated")

    repository.ask("replicas: 2\nbudget: {max_usd_per_month: 10000}\n")
    said = workspace.refuse("up", "--yes", "--skip-preview")
    assert "the bill is $17,500.00 a month, max_usd_per_month is $10,000.00" in said
    assert "1/1" in cluster.kubectl("-n", NAMESPACE, "get", "deployment", "llm-operated")

    repository.ask("replicas: 2\nbudget: {max_usd_per_month: 20000}\n")
    cluster.kubectl("-n", NAMESPACE, "delete", "service", "llm-operated")
    workspace.succeed("up", "--yes", "--skip-preview", "--refresh")
    assert "2/2" in cluster.kubectl("-n", NAMESPACE, "get", "deployment", "llm-operated")
    assert "8000/TCP" in cluster.kubectl("-n", NAMESPACE, "get", "service", "llm-operated")

    kubeconfig = workspace.folder / "kubeconfig.yaml"
    assert may(kubeconfig, "patch", "deployments.apps", "-n", NAMESPACE)
    for question in (
        ("get", "secrets", "-n", NAMESPACE),
        ("create", "pods", "-n", NAMESPACE),
        ("create", "rolebindings.rbac.authorization.k8s.io", "-n", NAMESPACE),
        ("delete", "namespaces"),
        ("patch", "deployments.apps", "-n", "default"),
    ):
        assert not may(kubeconfig, *question), question

    workspace.succeed("destroy", "--yes")
    assert "llm-operated" not in cluster.kubectl(
        "-n", NAMESPACE, "get", "deployments,services,serviceaccounts", "-o", "name"
    )
