"""What is written for machines is as docs/schemas describes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result

from breakeven import resources

Deploy = Callable[..., Result]


def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((resources.schemas() / f"{name}.schema.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_every_lock_file(deploy: Deploy, fleet: Path) -> None:
    deploy("render", "clusters", "--out", "rendered")
    locks = sorted(Path("rendered").rglob("breakeven.lock.json"))
    assert len(locks) == 4
    for lock in locks:
        validator("lock").validate(json.loads(lock.read_bytes()))


@pytest.mark.parametrize("broken", [{"tool": None}, {"files": {"a": "short"}}, {"schema": "breakeven.lock/2"}])
def test_a_lock_file_that_is_none(deploy: Deploy, broken: dict[str, Any]) -> None:
    deploy("render", "out", "--profile", "4xa100")
    lock = json.loads(Path("out/breakeven.lock.json").read_bytes())
    assert not validator("lock").is_valid({**lock, **broken})


def test_the_diff_and_the_bills_of_a_fleet(deploy: Deploy, fleet: Path) -> None:
    deploy("render", "clusters", "--out", "before")
    (fleet / "base.yaml").write_text("profile: 4xa100\nnodes: 2\nbudget:\n  max_increase_percent: 10\n")
    deploy("render", "clusters", "--out", "after")
    diff = deploy("cost-diff", "--base", "before", "--head", "after", "-o", "json")
    assert diff.exit_code == 6
    validator("cost-diff").validate(json.loads(diff.stdout))
    validator("fleet-cost").validate(json.loads(deploy("cost", "clusters", "-o", "json").stdout))


@pytest.mark.parametrize("path", ["clusters/prod/chat/deploy.yaml", "clusters/prod/code/deploy.yaml"])
def test_the_files_of_a_fleet_are_what_editors_expect(fleet: Path, path: str) -> None:
    import yaml

    validator("deployment").validate(yaml.safe_load((fleet.parent / path).read_text()))


def test_the_fleet_file_that_init_writes(deploy: Deploy) -> None:
    import yaml

    deploy("init", "--gitops", "flux-helm", "--repository", "https://github.com/acme/llm")
    said = yaml.safe_load(Path("clusters/fleet.yaml").read_text())
    assert said == {"helm_releases": True}
    validator("fleet").validate(said)
    assert not validator("fleet").is_valid({"helm_release": True})
