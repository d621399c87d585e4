"""`deploy init`: what it writes works, and it overwrites nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import Result
from tests.gitops.test_cost_diff import git

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
        ("--ci", "github", "--branch", "a b"),
        ("--profile", "no-such"),
    ],
)
def test_what_would_break_a_file_is_refused(deploy: Deploy, arguments: tuple[str, ...]) -> None:
    assert deploy("init", *arguments).exit_code == 2
    assert list(Path().iterdir()) == []


def test_a_missing_repository_is_said_in_words(deploy: Deploy) -> None:
    error = deploy("init", "--gitops", "argocd").stderr
    assert error.startswith("Error: --repository: expected the URL of a Git repository, got nothing\n")


@pytest.mark.parametrize("kind", ["argocd", "flux"])
def test_a_reconciler_is_told_the_repository(deploy: Deploy, kind: str) -> None:
    assert deploy("init", "--gitops", kind, *REPOSITORY).exit_code == 0
    texts = [path.read_text() for path in Path("gitops", kind).iterdir()]
    assert any("https://github.com/acme/llm" in text for text in texts)
    assert not any("@" in text for text in texts)
    for text in texts:
        assert all(yaml.safe_load_all(text))


def test_argo_gets_waves_and_the_tree_stays_as_it_is(deploy: Deploy, fleet: Path) -> None:
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
    assert waves == {("Namespace", "-1"), ("Service", None), ("ServiceAccount", None), ("Deployment", "2")}
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


# ── The pipelines, step by step as a runner runs them ──


class Comments(BaseHTTPRequestHandler):
    """As much of the two APIs as a comment needs."""

    bodies: dict[int, str]

    def do_GET(self) -> None:
        page = int(self.path.rpartition("page=")[2])
        listed = [{"id": number, "body": body} for number, body in self.bodies.items()]
        self._answer(listed if page == 1 else [])

    def do_POST(self) -> None:
        self.bodies[len(self.bodies) + 1] = self._body()
        self._answer({})

    def do_PATCH(self) -> None:
        self.bodies[int(self.path.rpartition("/")[2])] = self._body()
        self._answer({})

    do_PUT = do_PATCH

    def _body(self) -> str:
        return str(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"])

    def _answer(self, data: Any) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(data).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def comments() -> Iterator[tuple[str, dict[int, str]]]:
    """URL and content of a server of comments, one of which is somebody else's."""
    bodies = {1: "Looks good to me"}
    handler = type("Handler", (Comments,), {"bodies": bodies})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    server.server_close()
    thread.join()


class Runner:
    """Runs the scripts of the job `price` in a clone, with the variables that the service sets."""

    def __init__(self, kind: str, variables: dict[str, str], bin_: Path) -> None:
        self.kind = kind
        self.environment = {**os.environ, **variables, "PATH": f"{bin_}:{os.environ['PATH']}"}

    def steps(self) -> list[tuple[str, str, dict[str, str]]]:
        if self.kind == "gitlab":
            job = yaml.safe_load(Path(".gitlab-ci.yml").read_text())["price"]
            return [("script", "\n".join(job["script"]), job["variables"])]
        job = yaml.safe_load(Path(".github/workflows/deploy.yml").read_text())["jobs"]["price"]
        ran = [step for step in job["steps"] if "run" in step]
        assert ran[0]["name"] == "Install", "the only step that is not run here: it needs a package index"
        return [(step["name"], step["run"], step.get("env", {})) for step in ran[1:]]

    def run(self, base: str) -> dict[str, subprocess.CompletedProcess[str]]:
        """Each step until one fails; names of steps → results."""
        found = {}
        for name, script, env in self.steps():
            filled = {
                key: value.replace("${{ github.event.pull_request.base.sha }}", base) for key, value in env.items()
            }
            filled |= {key: value for key, value in self.environment.items() if key in ("TOKEN", "NUMBER")}
            environment = {**self.environment, **filled, "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
            found[name] = subprocess.run(
                ["bash", "-e", "-o", "pipefail", "-c", script], env=environment, capture_output=True, text=True
            )
            if found[name].returncode:
                break
        return found


@pytest.fixture(params=["github", "gitlab"])
def runner(
    request: pytest.FixtureRequest, deploy: Deploy, fleet: Path, comments: tuple[str, dict[int, str]], tmp_path: Path
) -> Runner:
    """A repository whose main branch has the fleet, its render and the pipeline."""
    deploy("init", "--ci", request.param, "--gitops", "flux", *REPOSITORY)
    deploy("render", "clusters", "--out", "rendered")
    git("init", "-q", "-b", "main")
    (tmp_path / ".gitignore").write_text("bin/\ncomment.md\nsummary.md\n")
    git("add", "-A")
    git("commit", "-qm", "The fleet")
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "deploy").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m breakeven "$@"\n')
    (bin_ / "deploy").chmod(0o755)
    (bin_ / "python").symlink_to(sys.executable)
    url = comments[0]
    github = {"GITHUB_API_URL": url, "GITHUB_REPOSITORY": "acme/llm", "GITHUB_STEP_SUMMARY": "summary.md"}
    gitlab = {"CI_API_V4_URL": url, "CI_PROJECT_ID": "1", "CI_MERGE_REQUEST_IID": "7", "BREAKEVEN_TOKEN": "t"}
    own = github if request.param == "github" else gitlab
    return Runner(request.param, {**own, "TOKEN": "t", "NUMBER": "7"}, bin_)


def propose(fleet: Path, deploy: Deploy, text: str) -> str:
    """A branch with a change and its render; gives the base."""
    git("checkout", "-qb", "change")
    path = fleet / "prod" / "chat" / "deploy.yaml"
    path.write_text(path.read_text() + text)
    deploy("render", "clusters", "--out", "rendered")
    git("commit", "-qam", "Change")
    return git("rev-parse", "main").strip()


def test_a_change_is_commented_once_and_passes(
    runner: Runner, fleet: Path, deploy: Deploy, comments: tuple[str, dict[int, str]]
) -> None:
    base = propose(fleet, deploy, "nodes: 2\n")
    for _ in range(2):
        found = runner.run(base)
        assert all(step.returncode == 0 for step in found.values()), found
    _, bodies = comments
    assert bodies[1] == "Looks good to me"
    assert list(bodies) == [1, 2]
    assert bodies[2].startswith("<!-- breakeven: cost-diff -->\n\n### +$8,000.00 a month")


def test_over_budget_is_commented_and_fails(
    runner: Runner, fleet: Path, deploy: Deploy, comments: tuple[str, dict[int, str]]
) -> None:
    base = propose(fleet, deploy, "nodes: 2\nbudget:\n  max_usd_per_month: 10000\n")
    found = runner.run(base)
    assert list(found.values())[-1].returncode == 6
    assert list(found)[-1] == ("Gate" if runner.kind == "github" else "script")
    assert "**Budget: refused**" in comments[1][2]


def test_a_render_that_was_forgotten_fails(runner: Runner, fleet: Path, deploy: Deploy) -> None:
    base = propose(fleet, deploy, "nodes: 2\n")
    path = fleet / "prod" / "chat" / "deploy.yaml"
    path.write_text(path.read_text().replace("nodes: 2", "nodes: 3"))
    failed = list(runner.run(base).values())[-1]
    assert failed.returncode == 7
    assert "\n-replicas: 2\n+replicas: 3\n" in failed.stdout


def test_a_bill_that_was_forged_fails(runner: Runner, fleet: Path, deploy: Deploy) -> None:
    base = propose(fleet, deploy, "nodes: 2\n")
    lock = Path("rendered/prod/chat/breakeven.lock.json")
    lock.write_text(lock.read_text().replace('"16000.00"', '"1.00"'))
    assert list(runner.run(base).values())[-1].returncode == 7


def test_a_conflict_left_in_an_input_fails_with_its_line(runner: Runner, fleet: Path, deploy: Deploy) -> None:
    base = propose(fleet, deploy, "nodes: 2\n<<<<<<< HEAD\n")
    failed = list(runner.run(base).values())[-1]
    assert failed.returncode == 2
    assert "clusters/prod/chat/deploy.yaml:6: it holds the marks of a merge conflict" in failed.stderr


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_pipeline_applies_only_where_no_reconciler_does(deploy: Deploy, kind: str) -> None:
    deploy("init", "alone", "--ci", kind)
    deploy("init", "beside", "--ci", kind, "--gitops", "flux", *REPOSITORY)
    path = ".github/workflows/deploy.yml" if kind == "github" else ".gitlab-ci.yml"
    alone, beside = (Path(folder, path).read_text() for folder in ("alone", "beside"))
    assert "deploy up --plan" in alone
    assert "deploy up" not in beside
    assert yaml.safe_load(alone)
