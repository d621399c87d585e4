"""`deploy init`: what it writes works, and it overwrites nothing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import Result
from tests.gitops.files import write

from breakeven import load, resources
from breakeven.engine import tools

Deploy = Callable[..., Result]

REPOSITORY = ("--repository", "https://github.com/acme/llm")


def uncommented(text: str) -> str:
    """With every example switched on, save those that exclude others."""
    lines = []
    for line in text.splitlines():
        is_key = line.startswith("# ") and line[2:].lstrip().split(":")[0].isidentifier() and ":" in line
        lines.append(line[2:] if is_key else line.replace("  # peak", "  peak").replace("  # cached", "  cached"))
    dropped = ("base:", "nodes:", "  offer:")
    return "\n".join(line for line in lines if not line.startswith(dropped))


def test_the_deployment_file_is_priced_as_it_is(deploy: Deploy) -> None:
    found = deploy("init", "--profile", "8xh100")
    assert found.stdout == "deploy.yaml\ndeploy.schema.json\n"
    assert "8xh100" in deploy("cost").stdout
    assert Path("deploy.yaml").read_text().startswith("# yaml-language-server: $schema=deploy.schema.json\n")


def test_each_of_its_examples_is_a_key(deploy: Deploy) -> None:
    deploy("init")
    text = uncommented(Path("deploy.yaml").read_text())
    Path("deploy.yaml").write_text(text)
    wanted = load.deployment(Path("deploy.yaml"), {})
    assert (wanted.team, wanted.environment, wanted.replicas) == ("search", "prod", 1)
    assert wanted.budget.max_increase_percent == 20
    schema = json.loads(Path("deploy.schema.json").read_bytes())
    jsonschema.validate(yaml.safe_load(text), schema)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"profile": "x", "replcias": 1}, "'replcias' was unexpected"),
        ({"name": "x"}, "is not valid under any of the given schemas"),
        ({"profile": "x", "replicas": "two"}, "is not valid under any of the given schemas"),
    ],
)
def test_editors_mark_what_is_wrong(data: dict[str, Any], message: str) -> None:
    schema = json.loads((resources.schemas() / "deployment.schema.json").read_bytes())
    assert any(message in error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(data))


def test_nothing_is_overwritten(deploy: Deploy) -> None:
    Path("deploy.schema.json").write_text("mine")
    found = deploy("init")
    assert found.exit_code == 2
    assert found.stderr.startswith("Error: deploy.schema.json is there already\nNext: ")
    assert [path.name for path in Path().iterdir()] == ["deploy.schema.json"]


def test_no_link_is_followed(deploy: Deploy, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    Path("here").mkdir()
    Path("here/gitops").symlink_to(tmp_path / "precious")
    assert deploy("init", "here", "--gitops", "flux", *REPOSITORY).exit_code == 2
    assert list((tmp_path / "precious").iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--gitops", "argocd"),
        ("--gitops", "flux", "--repository", "x: y"),
        ("--gitops", "flux", "--repository", "https://github.com/a\nb: c"),
        ("--gitops", "flux", "--repository", "oci://ghcr.io/Acme/llm"),
        ("--gitops", "flux", "--repository", "oci://ghcr.io/acme/llm:main"),
        ("--gitops", "flux", "--repository", "oci://ghcr.io/acme/llm", "--branch", "a/b"),
        ("--gitops", "flux-helm", "--repository", "oci://ghcr.io/acme/llm"),
        ("--gitops", "argocd", "--repository", "oci://ghcr.io/acme/llm"),
        ("--gitops", "flux", "--repository", "https://ghp_abc@github.com/acme/llm"),
        ("--gitops", "pulumi-operator", *REPOSITORY, "--backend", "https://me:pw@api.pulumi.com"),
        ("--gitops", "flux", *REPOSITORY, "--backend", "s3://acme"),
        ("--ci", "github", *REPOSITORY),
        REPOSITORY,
        ("--ci", "github", "--branch", "a b"),
        ("--profile", "no-such"),
    ],
)
def test_what_would_break_a_file_is_refused(deploy: Deploy, arguments: tuple[str, ...]) -> None:
    assert deploy("init", *arguments).exit_code == 2
    assert list(Path().iterdir()) == []


def test_why_an_option_is_refused_is_said_without_its_secret(deploy: Deploy) -> None:
    found = deploy("init", "--gitops", "argocd", "--repository", "https://x:canary@github.com/acme/llm")
    assert found.stderr.startswith("Error: --repository: it holds credentials, which would be committed\nNext: ")
    assert "canary" not in found.output
    assert deploy("init", *REPOSITORY).stderr.startswith("Error: --repository: it goes with --gitops argocd|flux|")


def test_a_missing_repository_is_said_in_words(deploy: Deploy) -> None:
    error = deploy("init", "--gitops", "argocd").stderr
    assert error.startswith("Error: --repository: it is missing\n")


@pytest.mark.parametrize("kind", ["argocd", "flux", "flux-helm"])
def test_a_reconciler_is_told_the_repository(deploy: Deploy, kind: str) -> None:
    assert deploy("init", "--gitops", kind, *REPOSITORY).exit_code == 0
    texts = [path.read_text() for path in Path("gitops").rglob("*.yaml")]
    assert any("https://github.com/acme/llm" in text for text in texts)
    assert not any("@" in text for text in texts)
    for text in texts:
        assert all(yaml.safe_load_all(text))


def test_argo_gets_waves_and_the_tree_stays_as_it_is(deploy: Deploy, fleet: Path) -> None:
    write(fleet / "lab" / "deploy.yaml", "profile: 8xh100\nengine: {nodes_per_replica: 2}\n")
    write(fleet / "seconds" / "deploy.yaml", "profile: serverless\n")
    deploy("render", "clusters", "--out", "rendered")
    deploy("init", "--gitops", "argocd", *REPOSITORY)
    tools.require("kube")
    built = subprocess.run(
        [str(tools.path("kubectl")), "kustomize", "gitops/argocd"], check=True, capture_output=True, text=True
    ).stdout
    waves = {
        (found["kind"], found["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave"))
        for found in yaml.safe_load_all(built)
    }
    servers = {("Deployment", "2"), ("LeaderWorkerSet", "2"), ("Service", "2")}
    assert waves == {("Namespace", "-1"), ("Service", None), ("ServiceAccount", None), *servers}
    allowed = yaml.safe_load(Path("gitops/argocd/project.yaml").read_text())["spec"]
    kinds = {entry["kind"] for key in allowed if key.endswith("Whitelist") for entry in allowed[key]}
    assert {kind for kind, _ in waves} <= kinds
    assert "Secret" not in kinds


def test_the_project_admits_every_kind_that_the_chart_makes(deploy: Deploy) -> None:
    deploy("init", "--gitops", "argocd", *REPOSITORY)
    spec = yaml.safe_load(Path("gitops/argocd/project.yaml").read_text())["spec"]
    admitted = {(one["group"], one["kind"]) for key in spec if key.endswith("Whitelist") for one in spec[key]}
    golden = resources.root() / "tests" / "golden"
    made = {
        (manifest["apiVersion"].rpartition("/")[0], manifest["kind"])
        for path in golden.rglob("*.yaml")
        if not path.name.endswith("values.yaml")
        for manifest in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    }
    assert len(made) > 5
    assert made <= admitted


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_pipeline_applies_only_where_no_reconciler_does(deploy: Deploy, kind: str) -> None:
    deploy("init", "alone", "--ci", kind)
    deploy("init", "beside", "--ci", kind, "--gitops", "flux", *REPOSITORY)
    path = ".github/workflows/deploy.yml" if kind == "github" else ".gitlab-ci.yml"
    alone, beside = (Path(folder, path).read_text() for folder in ("alone", "beside"))
    assert "deploy up --plan" in alone
    assert "deploy up" not in beside
    assert yaml.safe_load(alone)
