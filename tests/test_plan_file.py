"""Saved plans as files: whole or not there, for their owner only, and refused if they are not what was saved."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.previews import VERSIONS, preview_of

from breakeven import convert, plan_file, resources
from breakeven.core.api_rates import ApiPrice
from breakeven.core.budget import Verdict
from breakeven.core.deployment import Budget, Prices
from breakeven.core.plan import Plan
from breakeven.core.saved_plan import SavedPlan, saved_plan
from breakeven.errors import DeployError, GateError, InputError

Planned = Callable[..., Plan]

SCHEMA = resources.root() / "docs" / "schemas" / "plan.schema.json"
PRICE = ApiPrice(
    comparator="openai/gpt-4o",
    usd_per_request=Decimal("0.0000001"),
    source="genai-prices 0.2.3",
    checked=date(2026, 11, 10),
)


@pytest.fixture(scope="module")
def saved(planned: Planned) -> SavedPlan:
    limits = Budget(max_usd_per_month=Decimal("9500.00"), max_increase_percent=12.5)
    plan = planned("4xa100", prices=Prices(offer="runpod-secure-a100"), budget=limits, hub_token_secret="hf")
    return saved_plan(preview_of(plan), Verdict(rulings=()), [PRICE], VERSIONS, "2026-11-24T14:00:00Z")


@pytest.fixture
def path(saved: SavedPlan, tmp_path: Path) -> Path:
    plan_file.write(tmp_path / "plan.json", saved)
    return tmp_path / "plan.json"


def test_what_is_saved_is_read_back(saved: SavedPlan, path: Path) -> None:
    assert plan_file.read(path) == saved


def test_the_file_is_as_its_schema_says(path: Path) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), schema)


def test_only_its_owner_reads_it_whatever_the_umask(saved: SavedPlan, tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        (tmp_path / "plan.json").write_text("old", encoding="utf-8")
        plan_file.write(tmp_path / "plan.json", saved)
    finally:
        os.umask(former)
    assert stat.S_IMODE((tmp_path / "plan.json").stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["plan.json"]


def test_a_failed_write_leaves_what_was_there(saved: SavedPlan, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DeployError, match="No space left on device"):
        plan_file.write(path, saved)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["plan.json"]


def test_the_layout_of_the_text_does_not_matter(saved: SavedPlan, path: Path) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(dict(reversed(data.items()))), encoding="utf-8")
    assert plan_file.read(path) == saved


def tampered(data: dict[str, Any]) -> None:
    data["summary"]["after_usd_per_month"] = "1.00"


@pytest.mark.parametrize(
    "change",
    [
        tampered,
        lambda data: data.update(extra=1),
        lambda data: data.pop("bill"),
        lambda data: data.pop("digest"),
        lambda data: data["steps"].pop(),
        lambda data: data["deployment"].update(replicas=2),
    ],
)
def test_a_changed_file_is_refused_by_the_gate(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(GateError, match=r"plan\.json was changed after it was saved") as caught:
        plan_file.read(path)
    assert caught.value.exit_code == 6


@pytest.mark.parametrize("cut", [0, 1, 100, -2, -3])
def test_a_truncated_file_is_no_plan(path: Path, cut: int) -> None:
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match=r"plan\.json: not a whole plan file") as caught:
        plan_file.read(path)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schema": "breakeven.plan/2"}', "it is of schema breakeven.plan/2, this Breakeven reads breakeven.plan/1"),
        ('{"schema": "breakeven.cost/1"}', "not a plan file"),
        ('{"schema": 1}', "not a plan file"),
        ("{}", "not a plan file"),
        ("[]", "not a plan file"),
        ("1", "not a plan file"),
        ("profile: 4xa100", "not a whole plan file: Expecting value"),
        ('{"schema": "breakeven.plan/1", "schema": "breakeven.plan/1"}', "not a whole plan file: a key is there twice"),
        ("[" * 100_000, "not a whole plan file"),
        ("1" * 5_000, "not a whole plan file"),
    ],
)
def test_another_file_is_refused_with_one_message(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        plan_file.read(tmp_path / "plan.json")
    assert f"plan.json: {message}" in str(caught.value)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file or directory"):
        plan_file.read(tmp_path / "none")
    with pytest.raises(InputError, match="Is a directory"):
        plan_file.read(tmp_path)
    (tmp_path / "plan.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match="not a whole plan file"):
        plan_file.read(tmp_path / "plan.json")


def test_where_it_cannot_be_written_is_said(saved: SavedPlan, tmp_path: Path) -> None:
    with pytest.raises(DeployError, match=r"cannot write .*none/plan\.json: No such file or directory"):
        plan_file.write(tmp_path / "none" / "plan.json", saved)
    with pytest.raises(DeployError, match=r"cannot write .*: Is a directory"):
        plan_file.write(tmp_path, saved)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.data())
def test_a_plan_that_somebody_signed_anew_is_still_checked(
    saved: SavedPlan, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever stands in it: it is read, or refused with one message."""
    body: dict[str, Any] = {"schema": plan_file.SCHEMA, **json.loads(json.dumps(convert.plain(saved)))}
    where = data.draw(st.sampled_from(list(body)))
    body[where] = data.draw(JSON)
    path = tmp_path_factory.getbasetemp() / "signed.json"
    path.write_text(json.dumps({**body, "digest": plan_file._digest(body)}), encoding="utf-8")
    try:
        assert isinstance(plan_file.read(path), SavedPlan)
    except DeployError as error:
        assert error.exit_code in (2, 6)
