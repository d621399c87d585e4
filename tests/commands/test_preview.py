from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from tests.engine.fakes import World

from breakeven import plan_file, resources
from breakeven.core.plan import Plan

Planned = Callable[..., Plan]

SECOND = ("preview", "--profile", "1xa100", "--name", "law", "--replicas", "2")


@pytest.fixture
def world(planned: Planned, tmp_path: Path) -> World:
    return World(planned("1xa100", name="law", replicas=1), tmp_path)


def test_colour_is_for_terminals_that_want_it(world: World) -> None:
    coloured = world.run(*SECOND, "--max-usd-per-month", "1", color=True).stdout
    for sign, code in (("~  GPU rent", 33), ("The bill rises", 33), ("✗ the bill is", 31), ("~  update", 33)):
        assert f"\x1b[{code}m{sign}" in coloured
    assert "\x1b" not in world.run(*SECOND).stdout
    assert "\x1b" not in world.run(*SECOND, color=True, env={"NO_COLOR": "1"}).stdout
    assert "\x1b" not in world.run(*SECOND, "-o", "json", color=True).stdout


def test_json_is_as_its_schema_says_and_markdown_leads_with_the_bill(world: World) -> None:
    schema = json.loads((resources.root() / "docs" / "schemas" / "preview.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for limits in ((), ("--max-usd-per-month", "1"), ("--weights-storage", "pvc")):
        found = json.loads(world.run(*SECOND, *limits, "-o", "json").stdout)
        jsonschema.validate(found, schema)
        assert found["budget"]["passes"] == (limits == ())
    lines = world.run(*SECOND, "--max-usd-per-month", "1", "-o", "markdown").stdout.splitlines()
    assert lines[2] == "**The bill rises by $2,000.00 to $5,500.00 a month.**"
    assert "**Budget: refused**" in lines
    assert "- ✗ the bill is $5,500.00 a month, max_usd_per_month is $1.00" in lines


def test_limits_come_from_the_file_the_environment_and_flags(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "profile: 1xa100\nname: law\nreplicas: 2\nbudget:\n  max_usd_per_month: 5000\n"
    Path("deploy.yaml").write_text(text, encoding="utf-8")
    assert world.run("preview").exit_code == 6
    assert world.run("preview", env={"BREAKEVEN_MAX_USD_PER_MONTH": "6000"}).exit_code == 0
    assert world.run("preview", "--max-usd-per-month", "6000").exit_code == 0
    Path("deploy.yaml").write_text(text.replace("5000", "-1"), encoding="utf-8")
    refused = world.run("preview")
    assert refused.exit_code == 2
    assert "deploy.yaml:5: budget.max_usd_per_month: must be 0 or above" in refused.stderr


def test_a_plan_is_saved_also_where_it_is_over_budget(world: World, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    found = world.run(*SECOND, "--max-usd-per-month", "1", "--save", str(path))
    assert found.exit_code == 6
    assert f"Saved to {path}" in found.stderr
    saved = plan_file.read(path)
    assert saved.deployment.replicas == 2
    assert saved.summary.over_budget == ("the bill is $5,500.00 a month, max_usd_per_month is $1.00",)
    assert world.run("up", "--plan", str(path), "--yes").exit_code == 6
    assert world.applied == []
    assert world.run("up", "--plan", str(path), "--override-budget", "launch", "--yes").exit_code == 0
    assert len(world.applied) == 1


def test_a_plan_of_other_comparators_is_compared_with_them(world: World, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    world.run(*SECOND, "--compare-with", "openai/gpt-4.1", "--save", str(path))
    found = world.run("up", "--plan", str(path), "--yes")
    assert (found.exit_code, "openai/gpt-4.1" in found.stdout) == (0, True)
    other = world.run("up", "--plan", str(path), "--compare-with", "openai/gpt-4o", "--yes")
    assert other.exit_code == 6
    assert "price of a request at openai/gpt-4.1: 0.0026 → nothing" in other.stderr
