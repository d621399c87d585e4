"""docs/chart.md: the examples are accepted, and the table of complaints names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from breakeven import load, render, resources
from breakeven.core.deployment import Deployment
from breakeven.core.plan import plan

ROOT = resources.root()
TEXT = (ROOT / "docs" / "chart.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMPLAINTS = [line for line in TEXT.partition("\n## Complaints\n")[2].splitlines() if re.match(r"\| \d+ \|", line)]


def _tests() -> set[str]:
    """Names of all tests."""
    found = (re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE) for path in _files())
    return {name for names in found for name in names}


def _files() -> list[Path]:
    return sorted((ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.splitlines()[0])
def test_the_examples_are_accepted(example: str, tmp_path: Path) -> None:
    (tmp_path / "deploy.yaml").write_text(example, encoding="utf-8")
    deployment = load.deployment(tmp_path / "deploy.yaml", {})
    plain = Deployment(profile=deployment.profile, model=deployment.model, engine=deployment.engine)
    found, default = (render.values(plan(each, load.facts(each))) for each in (deployment, plain))
    assert found != default


def test_each_complaint_has_tests_that_exist() -> None:
    assert len(COMPLAINTS) > 20
    for row in COMPLAINTS:
        named = re.findall(r"`(test_\w+)`", row.rsplit("|", 2)[1])
        assert named, row
        assert set(named) <= _tests(), row


def test_each_test_of_a_complaint_stands_in_its_row() -> None:
    for name in _tests():
        if number := re.match(r"test_complaint_(\d+)_", name):
            (row,) = [row for row in COMPLAINTS if row.startswith(f"| {int(number[1])} |")]
            assert f"`{name}`" in row, f"{name} is missing in docs/chart.md"


def test_each_complaint_has_the_same_columns() -> None:
    assert {row.count("|") for row in COMPLAINTS} == {7}
