"""Plain Pulumi in the checkout: inputs alone make the cluster, and the policy pack is the gate."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pulumi import automation
from tests.engine.plain import POLICY, Project, checkout

from breakeven import resources
from breakeven.engine import tools
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane

GATED = ("--policy-pack", str(POLICY))


@pytest.fixture
def plain(sandbox: Sandbox, cluster: ControlPlane, tmp_path: Path) -> Iterator[Project]:
    """A stack in the checkout that has its inputs and nothing else."""
    made = checkout(tmp_path / "checkout", tmp_path / "home", "plain")
    made.set(
        deployment__profile="4xa100",
        deployment__name="plain",
        cluster__kubeconfig=sandbox.kubeconfig,
        cluster__context=sandbox.context,
        cluster__identifier=cluster.kubectl("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"),
        cluster__owns_namespace="true",
    )
    yield made
    made.succeed("destroy", "--yes")


def test_the_documented_commands_work_as_written(sandbox: Sandbox, cluster: ControlPlane, tmp_path: Path) -> None:
    text = (resources.root() / "docs" / "gitops.md").read_text(encoding="utf-8")
    section = text[text.index("## Plain Pulumi") :]
    script = section[section.index("```sh\n") + len("```sh\n") :].partition("```")[0]
    assert script.count("pulumi config set") == 8
    made = checkout(tmp_path / "checkout", tmp_path / "home", "other")
    path = f"{made.environment['PATH']}{os.pathsep}{tools.path('kubectl').parent}"
    # Nobody is there to say yes.
    answers = {"PATH": path, "KUBECONFIG": str(sandbox.kubeconfig), "PULUMI_OPTION_YES": "true"}
    command = ["bash", "-e", "-o", "pipefail", "-c", script]
    environment = {**made.environment, **answers}
    ran = subprocess.run(command, cwd=made.folder, env=environment, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "8 created" in ran.stdout
    assert has_namespace(cluster, "llm-chat")
    made.succeed("destroy", "--yes", "--stack", "chat")


def has_namespace(cluster: ControlPlane, name: str = "llm-plain") -> bool:
    return f"namespace/{name}" in cluster.kubectl("get", "namespaces", "-o", "name").split()


def test_inputs_alone_make_the_cluster_and_nothing_stays(plain: Project, cluster: ControlPlane) -> None:
    """The same objects and the same records as `deploy up` makes: its own test compares the two."""
    settings = (plain.folder / "Pulumi.plain.yaml").read_text()
    assert json.loads(plain.succeed("preview", "--json"))["changeSummary"] == {"create": 8}
    assert not has_namespace(cluster)
    plain.succeed("up", "--yes")
    assert "1/1" in cluster.kubectl("-n", "llm-plain", "get", "deployment", "llm-plain")
    assert json.loads(plain.succeed("stack", "output", "--json"))["cost"]["monthly_usd"] == "9500.00"
    plain.succeed("preview", "--expect-no-changes")
    # What was computed does not come back as an input.
    assert (plain.folder / "Pulumi.plain.yaml").read_text() == settings
    plain.succeed("destroy", "--yes")
    assert not has_namespace(cluster)


def test_a_deploy_yaml_is_an_input_as_well(plain: Project, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("profile: 4xa100\n")
    (tmp_path / "deploy.yaml").write_text("base: base.yaml\nname: plain\nreplicas: 2\n")
    plain.succeed("config", "rm", "breakeven:deployment")
    plain.set(file=tmp_path / "deploy.yaml")
    found = json.loads(plain.succeed("preview", "--json", *GATED))
    made = {step["newState"]["type"]: step["newState"].get("inputs") for step in found["steps"]}
    assert made["kubernetes:apps/v1:Deployment"]["spec"]["replicas"] == 2


MISTAKES = (
    ("deployment__profil", "x", "stack configuration: breakeven:deployment: profil: unknown key"),
    ("deployment__profile", "5xa100", "unknown profile '5xa100'"),
    ("cluster__owns_namespace", "perhaps", "breakeven:cluster: owns_namespace: expected true or false"),
    ("cluster__kubecfg", "x", "breakeven:cluster: kubecfg: unknown key"),
    ("file", "deploy.yaml", "expected one of breakeven:deployment and breakeven:file, got both"),
)


def test_a_mistake_in_the_inputs_is_one_message(plain: Project) -> None:
    settings = plain.folder / "Pulumi.plain.yaml"
    right = settings.read_text()
    for key, value, said in MISTAKES:
        plain.set(**{key: value})
        assert said in plain.refuse("preview")
        settings.write_text(right)


def test_over_budget_nothing_is_begun(plain: Project, cluster: ControlPlane) -> None:
    plain.set(deployment__budget__max_usd_per_month="9499.99")
    for verb in (("preview",), ("up", "--yes"), ("up", "--yes", "--skip-preview")):
        said = plain.refuse(*verb, *GATED)
        assert "[mandatory] budget (pulumi:pulumi:Stack: breakeven-plain)" in said
        assert "the bill is $9,500.00 a month, max_usd_per_month is $9,499.99" in said
    assert plain.resources() == []
    assert not has_namespace(cluster)


def test_within_budget_it_applies_and_then_holds_the_increase(plain: Project, cluster: ControlPlane) -> None:
    plain.set(deployment__budget__max_usd_per_month=9500, deployment__budget__max_increase_percent=50)
    plain.succeed("up", "--yes", *GATED)
    plain.succeed("up", "--yes", "--expect-no-changes", *GATED)
    plain.set(deployment__replicas=2, deployment__budget__max_usd_per_month=20000)
    said = plain.refuse("up", "--yes", "--skip-preview", *GATED)
    assert "the bill changes by 84.22 %, max_increase_percent is 50" in said
    assert "1/1" in cluster.kubectl("-n", "llm-plain", "get", "deployment", "llm-plain")
    plain.set(deployment__budget__max_increase_percent=85)
    plain.succeed("up", "--yes", "--skip-preview", *GATED)
    assert "2/2" in cluster.kubectl("-n", "llm-plain", "get", "deployment", "llm-plain")


def test_a_bill_before_that_cannot_be_read_is_refused(plain: Project) -> None:
    """The policy asks the engine that the user called, which may be out of reach."""
    plain.set(deployment__budget__max_increase_usd=1)
    pack = plain.folder / "pack"
    pack.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin PULUMI_CONFIG_PASSPHRASE=other exec {sys.executable} {POLICY} $1\n")
    pack.chmod(0o755)
    said = plain.refuse("preview", "--policy-pack", str(pack))
    assert "the bill before is unknown" in said


def test_an_unknown_price_is_refused(plain: Project) -> None:
    plain.set(deployment__weights__storage="ephemeral")
    assert "the price of Weights storage is unknown" in plain.refuse("preview", *GATED)
    plain.set(deployment__budget__allow_unknown_prices="true")
    plain.succeed("preview", *GATED)


GREEDY = """
import runpy
import pulumi_kubernetes as kubernetes
import pulumi
found = runpy.run_path("infra", run_name="__main__")
provider = kubernetes.Provider("mine", kubeconfig=found["cluster"]["kubeconfig"], context=found["cluster"]["context"])
spec = {"containers": [{"name": "greedy", "image": "x", "resources": {"limits": {"nvidia.com/gpu": "1"}}}]}
options = pulumi.ResourceOptions(provider=provider, depends_on=[found["vllm"]])
kubernetes.core.v1.Pod("greedy", metadata={"name": "greedy", "namespace": "default"}, spec=spec, opts=options)
"""


def test_gpus_that_nobody_priced_are_refused_before_they_are_made(plain: Project, cluster: ControlPlane) -> None:
    (plain.folder / "Pulumi.yaml").unlink()
    (plain.folder / "Pulumi.yaml").write_text("name: breakeven\nruntime: python\n")
    (plain.folder / "__main__.py").write_text(GREEDY)
    for verb in (("preview",), ("up", "--yes"), ("up", "--yes", "--skip-preview")):
        said = plain.refuse(*verb, *GATED)
        assert "[mandatory] gpus (kubernetes:core/v1:Pod: greedy)" in said
        assert "the manifests request 5 GPUs, the bill is for 4" in said
    assert "greedy" not in cluster.kubectl("-n", "default", "get", "pods", "-o", "name")


def test_a_bill_for_more_gpus_than_are_made_is_refused(plain: Project) -> None:
    (plain.folder / "Pulumi.yaml").unlink()
    (plain.folder / "Pulumi.yaml").write_text("name: breakeven\nruntime: python\n")
    (plain.folder / "__main__.py").write_text("")
    said = plain.refuse("preview", *GATED)
    assert "[mandatory] all-gpus" in said
    assert "the manifests request 0 GPUs, the bill is for 4" in said


def test_a_language_host_may_start_the_pack_from_its_folder(
    plain: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newer hosts than the pinned one do: by this command, in the pack's folder, with the inputs as a variable.

    The engine starts packs so itself where there is no host; an inline program needs none.
    """
    plain.succeed("config", "rm", "breakeven:deployment")
    (tmp_path / "deploy.yaml").write_text("profile: 4xa100\nname: plain\nbudget: {max_usd_per_month: 5000}\n")
    plain.set(file=os.path.relpath(tmp_path / "deploy.yaml", resources.infra()))
    shim = tmp_path / "bin" / "pulumi-analyzer-policy-python"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -u -m pulumi.policy "$1" "$PWD"\n')
    shim.chmod(0o755)
    (plain.folder / "Pulumi.yaml").unlink()
    (plain.folder / "Pulumi.yaml").write_text("name: breakeven\nruntime: python\n")
    # The SDK asks for the engine's version, which writes a log there.
    monkeypatch.setenv("PULUMI_HOME", plain.environment["PULUMI_HOME"])
    options = automation.LocalWorkspaceOptions(
        work_dir=str(plain.folder),
        pulumi_command=automation.PulumiCommand(root=str(tools.path("pulumi").parents[1])),
        env_vars={**plain.environment, "PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}"},
    )
    stack = automation.select_stack("plain", "breakeven", lambda: None, opts=options)
    with pytest.raises(automation.CommandError, match=r"the bill is \$9,500\.00 a month, max_usd_per_month is \$5,000"):
        stack.preview(policy_packs=[str(POLICY.parent)])


def test_the_pack_is_executable() -> None:
    """The engine takes an executable file as a pack of its own, whatever the language host."""
    assert POLICY.stat().st_mode & stat.S_IXUSR
    assert POLICY.read_text(encoding="utf-8").startswith("#!/usr/bin/env python3\n")
    assert (resources.infra() / "policy" / "PulumiPolicy.yaml").is_file()
