"""`deploy cost-diff`: a change in dollars, from lock files and Git alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from tests.gitops.files import write

from breakeven.core.budget import Verdict
from breakeven.core.cost import CostProjection
from breakeven.core.cost_line import CostLine
from breakeven.core.deployment import Budget
from breakeven.core.fleet_diff import Locked, Tree, fleet_diff
from breakeven.output import fleet_diff as shown

Deploy = Callable[..., Result]

RENDER = ("render", "clusters", "--out", "rendered")
DIFF = ("cost-diff", "--base", "HEAD", "--head", "rendered")


def git(*arguments: str) -> str:
    names = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *names, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def committed(deploy: Deploy, fleet: Path) -> Path:
    """A repository whose only commit holds the fleet and its render."""
    assert deploy(*RENDER).exit_code == 0
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "The fleet")
    return fleet


def change(fleet: Path, folder: str, text: str) -> None:
    path = fleet / folder / "deploy.yaml"
    path.write_text(path.read_text() + text)


def test_nothing_changes(deploy: Deploy, committed: Path) -> None:
    found = deploy(*DIFF)
    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout.startswith("The bill stays at $50,500.00 a month\n")


def test_a_change_is_read_from_its_headline(deploy: Deploy, committed: Path) -> None:
    """One node more of 4xa100: 8,000 more rent, four GPUs more."""
    change(committed, "prod/chat", "nodes: 2\n")
    deploy(*RENDER)
    lines = deploy(*DIFF, "-o", "markdown").stdout.splitlines()
    assert lines[0] == "<!-- breakeven: cost-diff -->"
    assert lines[2] == "### +$8,000.00 a month: $50,500.00 → $58,500.00"
    row = next(line for line in lines if line.startswith("| `prod/chat`"))
    assert row.startswith("| `prod/chat` | $9,500.00 | $17,500.00 | +$8,000.00 | 4 → 8 | ")
    assert "openai/gpt-4o-mini" in row
    assert "2 deployments with the same bill." in "\n".join(lines)
    assert "2 nodes × $8,000.00, reference row of 4xa100" in "\n".join(lines)


def test_table_and_json_tell_the_same(deploy: Deploy, committed: Path) -> None:
    change(committed, "prod/chat", "nodes: 2\n")
    deploy(*RENDER)
    assert deploy(*DIFF).stdout.startswith("+$8,000.00 a month: $50,500.00 → $58,500.00\n")
    found = json.loads(deploy(*DIFF, "-o", "json").stdout)
    assert found["total"]["delta_monthly_usd"] == "8000.00"
    assert [one["folder"] for one in found["deployments"]] == ["prod/chat"]
    assert found["deployments"][0]["gpus"] == {"before": 4, "after": 8}
    assert found["unchanged"] == 2


def test_an_unknown_price_makes_its_row_and_the_total_at_least(deploy: Deploy, committed: Path) -> None:
    pvc = "profile: 1xa100\nname: lab\nweights: {storage: pvc}\nbudget: {allow_unknown_prices: true}\n"
    write(committed / "lab" / "deploy.yaml", pvc)
    assert deploy(*RENDER).exit_code == 0
    found = deploy(*DIFF, "-o", "markdown").stdout
    assert "### The change is unknown: $50,500.00 → at least $54,000.00 a month\n" in found
    assert "| `lab` | $0.00 | at least $3,500.00 | unknown | 0 → 1 |" in found
    assert "| **Total** | **$50,500.00** | **at least $54,000.00** | **unknown** |" in found


@pytest.mark.parametrize("output", ["table", "markdown"])
def test_traffic_that_changes_no_bill_changes_that_of_the_api(deploy: Deploy, committed: Path, output: str) -> None:
    """A million requests more at $0.000195."""
    change(committed, "prod/chat", "workload: {requests_per_month: 3000000}\n")
    deploy(*RENDER)
    found = deploy(*DIFF, "-o", output).stdout
    assert "The bill stays at $50,500.00 a month\n" in found
    assert "The same traffic at the cheapest APIs: $1,150.00 → $1,345.00 a month" in found


def test_all_reasons_are_told_on_a_terminal(deploy: Deploy, committed: Path) -> None:
    for folder in ("prod/chat", "prod/code"):
        change(committed, folder, "budget: {max_usd_per_month: 1}\n")
    deploy(*RENDER)
    found = deploy(*DIFF)
    assert found.exit_code == 6
    assert [line.split()[2] for line in found.stdout.splitlines() if "✗" in line] == ["prod/chat:", "prod/code:"]
    assert "This change also changes the budget of `prod/code`.\n" in found.stdout


def test_a_directory_is_a_base_too(deploy: Deploy, committed: Path) -> None:
    shutil.copytree("rendered", "before")
    shutil.rmtree(committed / "staging")
    deploy(*RENDER)
    by_directory, by_revision = (
        deploy("cost-diff", "--base", base, "--head", "rendered", "-o", "json").stdout for base in ("before", "HEAD")
    )
    assert by_directory == by_revision
    assert json.loads(by_directory)["total"]["delta_monthly_usd"] == "-9500.00"


def test_a_folder_that_was_not_there_is_all_new(deploy: Deploy, committed: Path) -> None:
    shutil.copytree("rendered", "other")
    found = deploy("cost-diff", "--base", "HEAD", "--head", "other")
    assert found.stdout.startswith("+$50,500.00 a month: $0.00 → $50,500.00\n")


def test_over_budget_exits_with_6_and_shows_the_comment_all_the_same(deploy: Deploy, committed: Path) -> None:
    change(committed, "prod/chat", "nodes: 2\nbudget:\n  max_usd_per_month: 10000\n")
    deploy(*RENDER)
    found = deploy(*DIFF, "-o", "markdown")
    assert found.exit_code == 6
    reason = "prod/chat: the bill is $17,500.00 a month, max_usd_per_month is $10,000.00"
    assert f"**Budget: refused**\n\n- ✗ {reason}" in found.stdout
    assert found.stderr.startswith(f"Error: {reason}\nNext: ")


def test_the_whole_has_a_budget_of_its_own(deploy: Deploy, committed: Path) -> None:
    write(committed / "fleet.yaml", "budget:\n  max_increase_usd: 5000\n")
    change(committed, "prod/chat", "nodes: 2\n")
    deploy(*RENDER)
    found = deploy(*DIFF)
    assert found.exit_code == 6
    assert found.stderr.startswith(
        "Error: the whole: the bill changes by $8,000.00 a month, max_increase_usd is $5,000.00\n"
    )
    assert "This change also changes the budget of the whole." in found.stdout


def test_a_change_of_its_own_limit_is_told(deploy: Deploy, committed: Path) -> None:
    change(committed, "prod/chat", "budget:\n  max_usd_per_month: 1000000\n")
    deploy(*RENDER)
    found = deploy(*DIFF, "-o", "markdown")
    assert found.exit_code == 0
    assert "- This change also changes the budget of `prod/chat`." in found.stdout


def test_no_cluster_and_no_credentials(
    deploy: Deploy, committed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git is the only program that it finds."""
    only_git = tmp_path / "bin"
    only_git.mkdir()
    (only_git / "git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(only_git))
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "no-tools"))
    assert deploy(*DIFF).exit_code == 0
    assert "no-tools" not in {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("no-such", "'no-such' is neither a directory nor a revision of rendered's repository\nNext: a shallow clone"),
        ("--all", "'--all' is neither a directory nor a revision of"),
        ("HEAD:rendered", "'HEAD:rendered' is neither"),
    ],
)
def test_a_base_that_is_none(deploy: Deploy, committed: Path, base: str, message: str) -> None:
    found = deploy("cost-diff", "--base", base, "--head", "rendered")
    assert found.exit_code == 2
    assert found.stderr.startswith(f"Error: {message}")


def test_a_head_that_is_none(deploy: Deploy, committed: Path) -> None:
    assert deploy("cost-diff", "--base", "HEAD", "--head", "clusters").stderr.startswith(
        "Error: no breakeven.lock.json below clusters\nNext: "
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"breakeven.lock/1"', '"breakeven.lock/2"', "a newer version wrote it: breakeven.lock/2"),
        ('  "api": [', '<<<<<<< HEAD\n  "api": [', "it holds the marks of a merge conflict"),
        ('"lines": [', '"line": [', "it is not a lock file: KeyError('lines')"),
        ('"gpus": 4', '"gpus": "four"', "it is not a lock file: ValueError("),
    ],
)
def test_a_lock_file_that_cannot_be_read(deploy: Deploy, committed: Path, old: str, new: str, message: str) -> None:
    lock = Path("rendered/prod/chat/breakeven.lock.json")
    lock.write_text(lock.read_text().replace(old, new))
    found = deploy(*DIFF)
    assert found.exit_code == 2
    assert found.stderr.startswith(f"Error: {lock}")
    assert message in found.stderr


def test_a_total_is_added_up_from_its_lines_and_not_believed(deploy: Deploy, committed: Path) -> None:
    lock = Path("rendered/prod/chat/breakeven.lock.json")
    lock.write_text(lock.read_text().replace('"monthly_usd": "9500.00"', '"monthly_usd": "3.00"'))
    assert deploy(*DIFF).stdout.startswith("The bill stays at $50,500.00 a month\n")


def locked(usd: int) -> Locked:
    line = CostLine(name="GPU rent", monthly_usd=usd, detail="x" * 200, source="a <b>source</b>")  # type: ignore[arg-type]
    return Locked(
        name="llm-x",
        team="t",
        environment="e",
        profile="4xa100",
        gpus=4,
        cost=CostProjection(lines=(line,)),
        serves=None,
        apis=(),
        budget=Budget(max_usd_per_month=1),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("length", [120, 4000])
@pytest.mark.parametrize("size", [1, 10, 200, 1000, 5000])
def test_a_comment_is_short_enough_for_any_fleet(size: int, length: int) -> None:
    """The longest path that Linux has is of 4,096 bytes."""
    folders = [f"team-{number % 7}/{'long' * (length // 4)}/d{number}" for number in range(size)]
    before = Tree(deployments={name: locked(100) for name in folders}, budget=Budget())
    after = Tree(deployments={name: locked(200) for name in folders}, budget=Budget())
    text = shown.markdown(fleet_diff(before, after))
    assert len(text) < 65_000
    assert text.startswith(shown.MARKER)
    assert text.count("<details>") == text.count("</details>") == 1
    assert "<b>" not in text
    if size >= 1000:
        assert "smaller changes" in text
        assert "more, in their lock files" in text


def test_a_name_cannot_write_into_the_comment() -> None:
    tree = Tree(deployments={"a`|\n# -$9,000\n</details><script>": locked(2)}, budget=Budget())
    text = shown.markdown(fleet_diff(Tree(deployments={}, budget=Budget()), tree))
    assert "- ✗ a`|?# -$9,000?&lt;/details>" in text
    assert "<script>" not in text
    assert "\n# -$9,000" not in text
    assert text.count("</details>") == 1


def test_a_deployment_that_goes_is_not_judged() -> None:
    tree = Tree(deployments={"a": locked(200)}, budget=Budget())
    found = fleet_diff(tree, Tree(deployments={}, budget=Budget()))
    assert found.passes
    assert found.changes[0].verdict == Verdict(rulings=())
