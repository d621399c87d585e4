"""The pipelines that `deploy init --ci` writes, each step as a runner runs it, on a repository with a real history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from tests import wheels
from tests.gitops import forge
from tests.gitops.forge import Forge
from tests.gitops.runners import GitHub, GitLab, Runner, Step
from tests.gitops.test_cost_diff import git

Deploy = Callable[..., Result]

REPOSITORY = ("--repository", "https://github.com/acme/llm")
BUDGET = "budget:\n  max_usd_per_month: 10000\n"


@pytest.fixture
def comments() -> Iterator[Forge]:
    with forge.running() as found:
        yield found


@pytest.fixture(params=["github", "gitlab"])
def runner(
    request: pytest.FixtureRequest,
    deploy: Deploy,
    fleet: Path,
    comments: Forge,
    wheel: Path,
    python: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Runner:
    """A repository whose main branch has the fleet, its render and the pipeline."""
    assert deploy("init", "--ci", request.param, "--gitops", "flux", *REPOSITORY).exit_code == 0
    assert deploy("render", "clusters", "--out", "rendered").exit_code == 0
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "The fleet")
    machines, package = tmp_path_factory.mktemp("runner") / "machines", f"{wheel}[go]"
    if request.param == "github":
        context = {
            "vars.BREAKEVEN": package,
            "runner.os": "Linux",
            "github.token": comments.token,
            "github.event_name": "push",
            "GITHUB_API_URL": comments.url,
            "GITHUB_REPOSITORY": "acme/llm",
        }
        return GitHub(origin=tmp_path, machines=machines, shell=wheels.variables(python), context=context)
    context = {
        "BREAKEVEN": package,
        "BREAKEVEN_TOKEN": comments.token,
        "CI_API_V4_URL": comments.url,
        "CI_PROJECT_ID": "1",
        "CI_COMMIT_BRANCH": "main",
    }
    return GitLab(origin=tmp_path, machines=machines, shell=wheels.variables(python), context=context)


def propose(runner: Runner, fleet: Path, deploy: Deploy, text: str) -> str:
    """A branch with a change and its render, and a request to merge it; gives what the runner checks out."""
    base = git("rev-parse", "main").strip()
    git("checkout", "-qb", "change")
    with (fleet / "prod" / "chat" / "deploy.yaml").open("a") as file:
        file.write(text)
    deploy("render", "clusters", "--out", "rendered")
    git("add", "-A")
    git("commit", "-qm", "Change")
    if isinstance(runner, GitHub):
        runner.context = {
            **runner.context,
            "github.event_name": "pull_request",
            "github.event.pull_request.base.sha": base,
            "github.event.pull_request.number": "7",
        }
        # The service merges, and that is checked out.
        git("checkout", "-q", "--detach", "main")
        git("merge", "-q", "--no-ff", "-m", "Merge", "change")
    else:
        kept = {key: value for key, value in runner.context.items() if key != "CI_COMMIT_BRANCH"}
        request = {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_IID": "7"}
        runner.context = {**kept, **request, "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    return git("rev-parse", "HEAD").strip()


def price(runner: Runner, revision: str) -> list[Step]:
    ran = runner.run(revision)
    assert list(ran) == ["price"]
    return ran["price"]


def test_on_the_main_branch_it_checks(runner: Runner, comments: Forge) -> None:
    steps = price(runner, git("rev-parse", "HEAD").strip())
    assert [step.code for step in steps] == [0] * len(steps), steps
    assert any("Successfully installed breakeven-" in step.out or "already installed" in step.out for step in steps)
    assert comments.calls == []


def test_a_change_is_commented_once_and_passes(runner: Runner, fleet: Path, deploy: Deploy, comments: Forge) -> None:
    revision = propose(runner, fleet, deploy, "nodes: 2\n")
    for _ in range(2):
        steps = price(runner, revision)
        assert [step.code for step in steps] == [0] * len(steps), steps
    (body,) = comments.own.values()
    assert body.startswith("<!-- breakeven: cost-diff -->\n\n### +$8,000.00 a month")
    assert set(comments.bodies.values()) == {"Looks good", body}
    written = [call.split()[0] for call in comments.calls if "GET" not in call]
    assert written == ["POST", "PATCH" if isinstance(runner, GitHub) else "PUT"]


def test_over_budget_is_commented_and_fails(runner: Runner, fleet: Path, deploy: Deploy, comments: Forge) -> None:
    last = price(runner, propose(runner, fleet, deploy, f"nodes: 2\n{BUDGET}"))[-1]
    assert (last.name, last.code) == ("Gate" if isinstance(runner, GitHub) else "price", 6)
    (body,) = comments.own.values()
    assert "**Budget: refused**" in body


def test_a_token_that_may_not_write_stops_nothing_and_hides_nothing(
    runner: Runner, fleet: Path, deploy: Deploy, comments: Forge
) -> None:
    """As that of a fork: no comment, the same verdict, and the summary says what the comment would have."""
    comments.token = "another"
    last = price(runner, propose(runner, fleet, deploy, f"nodes: 2\n{BUDGET}"))[-1]
    assert last.code == 6
    assert comments.own == {}
    (machine,) = runner.machines.iterdir()
    shown = (machine / "summary.md").read_text() if isinstance(runner, GitHub) else last.out
    assert "**Budget: refused**" in shown


def test_a_render_that_was_forgotten_fails(runner: Runner, fleet: Path, deploy: Deploy) -> None:
    propose(runner, fleet, deploy, "nodes: 2\n")
    path = fleet / "prod" / "chat" / "deploy.yaml"
    path.write_text(path.read_text().replace("nodes: 2", "nodes: 3"))
    git("add", "-A")
    git("commit", "-qm", "Forgotten")
    last = price(runner, git("rev-parse", "HEAD").strip())[-1]
    assert last.code == 7
    assert "\n-replicas: 2\n+replicas: 3\n" in last.out


def test_a_bill_that_was_forged_fails(runner: Runner, fleet: Path, deploy: Deploy) -> None:
    propose(runner, fleet, deploy, "nodes: 2\n")
    lock = Path("rendered/prod/chat/breakeven.lock.json")
    lock.write_text(lock.read_text().replace('"16000.00"', '"1.00"'))
    git("add", "-A")
    git("commit", "-qm", "Forged")
    assert price(runner, git("rev-parse", "HEAD").strip())[-1].code == 7


def test_a_conflict_left_in_an_input_fails_with_its_line(runner: Runner, fleet: Path, deploy: Deploy) -> None:
    last = price(runner, propose(runner, fleet, deploy, "nodes: 2\n<<<<<<< HEAD\n"))[-1]
    assert last.code == 2
    assert "clusters/prod/chat/deploy.yaml:6: it holds the marks of a merge conflict" in last.out


def test_without_the_variable_it_says_which(runner: Runner) -> None:
    runner.context = {**runner.context, "vars.BREAKEVEN": "", "BREAKEVEN": ""}
    last = price(runner, git("rev-parse", "HEAD").strip())[-1]
    assert last.code
    assert "BREAKEVEN: set this " in last.out
