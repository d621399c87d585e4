from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.charts.choices import CHOICES

from breakeven import load, price_book, resources
from breakeven.core.deployment import Deployment, Prices
from breakeven.core.workload import Workload
from breakeven.errors import InputError


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of profiles with one valid copy in it."""
    path = tmp_path / "1xa100.yaml"
    path.write_text((resources.profiles() / "1xa100.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(resources, "profiles", lambda: tmp_path)
    load.profiles.cache_clear()
    yield tmp_path
    load.profiles.cache_clear()


def spoil(profiles: Path, old: str, new: str) -> str:
    """What the profile is refused with after `old` became `new`, without the folder's name."""
    path = profiles / "1xa100.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as raised:
        load.profiles()
    return str(raised.value).removeprefix(f"{profiles}/")


def test_the_packaged_profiles() -> None:
    assert list(load.profiles()) == ["1xa100", "4xa100", "8xh100", "serverless"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("gpus_per_node: 1", "gpus_per_node: 0", "1xa100.yaml:6: gpus_per_node: must be above 0 and below"),
        ("gpus_per_node: 1", "gpus_per_node: -4", "1xa100.yaml:6: gpus_per_node: must be above 0 and below"),
        ("gpus_per_node: 1", "gpus: 1", "1xa100.yaml:6: gpus: unknown key; expected one of accelerator, gpus_per_node"),
        ("kind: node", "kind: nodes", "1xa100.yaml:4: kind: expected one of node, serverless, got 'nodes'"),
        ("name: 1xa100", "name: other", "1xa100.yaml:2: name: expected '1xa100', the name of the file, got 'other'"),
        ("ops_usd_per_month: 1000\n", "", "1xa100.yaml:2: ops_usd_per_month: is required"),
        ("usd_per_month: 2000", "usd_per_month: 0", "1xa100.yaml:41: reference.usd_per_month: must be above 0"),
        (
            "checked: 2026-11-24",
            "checked: yesterday",
            "1xa100.yaml:45: reference.checked: expected a date such as 2026-11-24, got 'yesterday'",
        ),
        ("- platform: gke", "- platform: eks", "1xa100.yaml:15: placement[1].platform: expected one of gfd, gke,"),
        ("[nvidia-a100-80gb]", "[]", "1xa100.yaml:17: placement[1].labels[0]: label cloud.google.com/gke-accelerator"),
        ("[nvidia-a100-80gb]", "80", "1xa100.yaml:18: placement[1].labels[0].values: expected a list, got 80"),
    ],
)
def test_a_bad_profile_is_named_by_line_and_key(profiles: Path, old: str, new: str, message: str) -> None:
    assert spoil(profiles, old, new).startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("accelerator: a100-80gb", "accelerator: a100", "unknown accelerator 'a100' of profile 1xa100"),
        ("model: Qwen/Qwen3-8B", "model: Qwen/Qwen3", "unknown model 'Qwen/Qwen3'"),
        ("  - runpod-secure-a100", "  - runpod-secure", "unknown offer 'runpod-secure' of profile 1xa100"),
    ],
)
def test_a_profile_that_names_what_is_not_there(profiles: Path, old: str, new: str, message: str) -> None:
    path = profiles / "1xa100.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as raised:
        load.offers_of(load.facts(Deployment(profile="1xa100")).profile)
    assert str(raised.value) == message


@pytest.mark.parametrize("name", sorted(load.profiles()))
def test_packaged_names_lead_somewhere(name: str) -> None:
    profile = load.profiles()[name]
    assert profile.accelerator in load.accelerators()
    assert profile.model in load.models()
    for offer in load.offers_of(profile):
        # Nodes with the PCIe form of the GPU are accepted, too.
        assert offer.accelerator.removesuffix("-pcie") == profile.accelerator


def test_every_packaged_comparator_has_a_price() -> None:
    hosted = {model.comparator for model in load.models().values() if model.comparator}
    for comparator in {*load.comparators(), *hosted}:
        assert price_book.price(comparator, Workload(), date(2026, 11, 24)).usd_per_request > 0


def test_every_packaged_offer_has_a_source_and_a_date() -> None:
    for offer in load.offers().values():
        assert offer.source
        assert offer.checked.isoformat() <= "2026-11-24"


def test_offers_are_listed_cheapest_gpu_first() -> None:
    prices = [offer.usd_per_gpu_hour for offer in load.offers_of(load.profile("8xh100"))]
    assert prices == sorted(prices)
    assert len(prices) == 7


@pytest.mark.parametrize(
    ("find", "message", "hint"),
    [
        (
            lambda: load.profile("4xA10"),
            "unknown profile '4xA10'",
            "did you mean 4xa100 or 1xa100? `deploy profiles` lists them all",
        ),
        (lambda: load.profile("zzz"), "unknown profile 'zzz'", "`deploy profiles` lists them all"),
        (
            lambda: load.model("qwen/qwen3-8b"),
            "unknown model 'qwen/qwen3-8b'",
            "did you mean Qwen/Qwen3-8B or Qwen/Qwen3-4B? `deploy models` lists them all",
        ),
        (
            lambda: load.facts(Deployment(profile="8xh100", prices=Prices(offer="aws-p4"))),
            "unknown offer 'aws-p4' of profile 8xh100",
            "did you mean aws-p5? `deploy profiles 8xh100` lists them all",
        ),
    ],
)
def test_close_names_are_proposed(find: object, message: str, hint: str) -> None:
    assert callable(find)
    with pytest.raises(InputError) as raised:
        find()
    assert (str(raised.value), raised.value.hint) == (message, hint)


def test_without_an_offer_the_reference_counts_or_the_first_if_serverless() -> None:
    assert load.facts(Deployment(profile="4xa100")).offer is None
    offer = load.facts(Deployment(profile="serverless")).offer
    assert offer is not None
    assert offer.name == "modal-a100-80gb"


def test_flags_lie_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "deploy.yaml"
    path.write_text("profile: 4xa100\nworkload: {input_tokens: 10, output_tokens: 20}\n", encoding="utf-8")
    found = load.deployment(
        path, {("workload", "input_tokens"): (30, "--input-tokens"), ("replicas",): (2, "--replicas")}
    )
    assert (found.replicas, found.workload.input_tokens, found.workload.output_tokens) == (2, 30, 20)


def test_an_empty_file_is_as_good_as_none(tmp_path: Path) -> None:
    path = tmp_path / "deploy.yaml"
    path.write_text("# everything is a flag\n", encoding="utf-8")
    assert load.deployment(path, {("profile",): ("4xa100", "--profile")}) == Deployment(profile="4xa100")
    with pytest.raises(InputError) as raised:
        load.deployment(path, {})
    assert str(raised.value) == f"{path}: profile: is required"


def test_a_file_that_is_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "deploy.yaml"
    path.write_text("- profile: 4xa100\n", encoding="utf-8")
    with pytest.raises(InputError) as raised:
        load.deployment(path, {("profile",): ("4xa100", "--profile")})
    assert str(raised.value) == f"{path}:1: expected a mapping of keys, got a list"


def test_what_is_recorded_is_read_back() -> None:
    deployment = Deployment(
        profile="4xa100",
        replicas=2,
        workload=Workload(input_tokens=7),
        prices=Prices(offer="azure-nc24ads-a100", ops_usd_per_month=Decimal("0.10")),
    )
    recorded = load.plain(deployment)
    assert recorded["prices"] == {"offer": "azure-nc24ads-a100", "ops_usd_per_month": "0.10"}
    assert "name" not in recorded
    assert load.deployment_from(recorded, "stack prod") == deployment


def test_a_foreign_record_is_named() -> None:
    with pytest.raises(InputError) as raised:
        load.deployment_from({"profile": "4xa100", "gpus": 4}, "stack prod")
    assert str(raised.value).startswith("stack prod: gpus: unknown key; expected one of ")


@pytest.mark.parametrize("name", CHOICES)
def test_what_is_chosen_of_the_chart_survives_being_recorded(name: str) -> None:
    given = Deployment(profile="8xh100", **CHOICES[name])
    assert load.deployment_from(json.loads(json.dumps(load.plain(given))), "recorded") == given


def test_nothing_of_the_chart_is_recorded_unless_it_was_chosen() -> None:
    assert not load.plain(Deployment(profile="8xh100")).keys() & {"chart", "weights"}


@pytest.mark.parametrize("written", ["fp8", "int4"])
def test_a_choice_that_may_be_left_out(tmp_path: Path, written: str) -> None:
    (tmp_path / "deploy.yaml").write_text(f"profile: 4xa100\nengine:\n  precision: {written}\n", encoding="utf-8")
    wanted = load.deployment(tmp_path / "deploy.yaml", {})
    assert wanted.engine.precision == written
    assert load.deployment_from(load.plain(wanted), "a record") == wanted


def test_flags_lie_over_what_was_saved() -> None:
    base = load.plain(Deployment(profile="4xa100", replicas=2))
    assert load.deployment(None, {("name",): ("chat", "--name")}, saved=base) == Deployment(
        profile="4xa100", replicas=2, name="chat"
    )
