"""A merge into the main branch, by the pipelines of `deploy init --ci`: priced, planned, agreed to and applied."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import wheels
from tests.engine.deploy import succeed
from tests.gitops.files import write
from tests.gitops.runners import GitHub, GitLab, Runner
from tests.gitops.test_cost_diff import git

from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane


@pytest.fixture
def repository(cluster: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Two deployments; what the pipeline makes of them goes with their namespaces."""
    root = tmp_path / "repository"
    for name in ("ask", "tell"):
        text = f"base: ../base.yaml\nname: {name}\nnamespace: llm-{name}-pipeline\n"
        write(root / "clusters" / name / "deploy.yaml", text)
    write(root / "clusters" / "base.yaml", "profile: 4xa100\n")
    monkeypatch.chdir(root)
    git("init", "-q", "-b", "main")
    yield root
    cluster.kubectl("delete", "namespace", "--ignore-not-found", "llm-ask-pipeline", "llm-tell-pipeline")


def commit(root: Path) -> str:
    succeed("render", str(root / "clusters"), "--out", str(root / "rendered"))
    git("add", "-A")
    git("commit", "-qm", "Change")
    return git("rev-parse", "HEAD").strip()


@pytest.fixture(params=["github", "gitlab"])
def runner(
    request: pytest.FixtureRequest, sandbox: Sandbox, repository: Path, wheel: Path, python: Path, tmp_path: Path
) -> Runner:
    """Of the main branch; the state lies outside of the machines, which are new for each job."""
    succeed("init", str(repository), "--ci", request.param)
    (tmp_path / "state").mkdir()
    package, backend = f"{wheel}[go]", (tmp_path / "state").as_uri()
    shell = {key: value for key, value in wheels.variables(python).items() if key != "KUBECONFIG"}
    machines = tmp_path / "machines"
    if request.param == "github":
        context = {
            "vars.BREAKEVEN": package,
            "runner.os": "Linux",
            "github.event_name": "push",
            "secrets.KUBECONFIG": sandbox.kubeconfig.read_text(),
            "secrets.PULUMI_BACKEND_URL": backend,
            "secrets.PULUMI_CONFIG_PASSPHRASE": "phrase",
        }
        return GitHub(origin=repository, machines=machines, shell=shell, context=context)
    context = {
        "BREAKEVEN": package,
        "CI_COMMIT_BRANCH": "main",
        "KUBECONFIG": str(sandbox.kubeconfig),
        "PULUMI_BACKEND_URL": backend,
        "PULUMI_CONFIG_PASSPHRASE": "phrase",
    }
    return GitLab(origin=repository, machines=machines, shell=shell, context=context)


def replicas(cluster: ControlPlane) -> dict[str, int]:
    items = json.loads(cluster.kubectl("get", "deployments", "-A", "-o", "json"))["items"]
    found = {one["metadata"]["name"]: one["spec"]["replicas"] for one in items}
    return {name: found[name] for name in ("llm-ask", "llm-tell") if name in found}


def test_a_merge_is_applied_from_its_saved_plans(
    runner: Runner, repository: Path, cluster: ControlPlane, tmp_path: Path
) -> None:
    """Made; refused over budget, where somebody was faster than whoever agreed, and for a name that is there twice."""
    ran = runner.run(commit(repository))
    assert list(ran) == ["price", "plan", "apply"], ran
    assert [step for steps in ran.values() for step in steps if step.code] == []
    assert replicas(cluster) == {"llm-ask": 1, "llm-tell": 1}
    assert "Saved to plans/clusters/ask/deploy.yaml.json" in ran["plan"][-1].out

    base = repository / "clusters" / "base.yaml"
    write(base, "profile: 4xa100\nbudget:\n  max_usd_per_month: 9000\n")
    ran = runner.run(commit(repository))
    assert (list(ran), ran["plan"][-1].code) == (["price", "plan"], 6)

    write(base, "profile: 4xa100\nchart: {service: {annotations: {owner: search}}}\n")
    env = {"PULUMI_BACKEND_URL": (tmp_path / "state").as_uri(), "PULUMI_CONFIG_PASSPHRASE": "phrase"}
    env |= {"KUBECONFIG": str(cluster.kubeconfig)}
    ask = ("-f", str(repository / "clusters/ask/deploy.yaml"), "--yes")
    runner.before["apply"] = lambda: succeed("up", *ask, env=env)
    ran = runner.run(commit(repository))
    assert (list(ran), ran["apply"][-1].code) == (["price", "plan", "apply"], 6)
    assert "state: stack ask was changed by another run since" in ran["apply"][-1].out
    owners = [
        cluster.kubectl("-n", f"llm-{name}-pipeline", "get", "services", "-o", "yaml") for name in ("ask", "tell")
    ]
    assert ["owner: search" in found for found in owners] == [True, False]

    twin = repository / "clusters" / "tell" / "deploy.yaml"
    write(twin, twin.read_text().replace("name: tell", "name: ask"))
    runner.before.clear()
    ran = runner.run(commit(repository))
    assert (list(ran), ran["plan"][-1].code) == (["price", "plan"], 1)
    assert "two deployments have the name ask: give one another\n" in ran["plan"][-1].out
