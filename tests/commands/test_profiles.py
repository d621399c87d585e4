from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date

import pytest
from click.testing import Result

from breakeven import load
from breakeven.output import profiles

Deploy = Callable[..., Result]


def test_the_list(deploy: Deploy) -> None:
    found = deploy("profiles")
    assert found.exit_code == 0
    rows, source = found.stdout.split("\n\n")
    assert [line.split("  ")[0] for line in rows.splitlines()] == [
        "Profile",
        "1xa100",
        "4xa100",
        "8xh100",
        "serverless",
    ]
    assert rows.splitlines()[2] == (
        "4xa100      Four A100 80 GB in one node                  4               $8,000.00  2026-11-24  "
        "Qwen/Qwen2.5-72B-Instruct"
    )
    assert source == (
        "Source of the rents: the product brief (price and rounded requests/s); "
        "https://github.com/NVIDIA/TensorRT-LLM/blob/v0.14.0/docs/source/performance/perf-overview.md (measurement)\n"
    )


@pytest.mark.parametrize("name", sorted(load.profiles()))
@pytest.mark.parametrize("output", ["table", "markdown"])
def test_one_in_full(deploy: Deploy, name: str, output: str) -> None:
    found = deploy("profiles", name, "-o", output).stdout
    profile = load.profiles()[name]
    assert profile.reference.workload in found
    assert profile.reference.source in found
    for placement in profile.placement:
        assert placement.platform in found
        assert placement.source in found
    for offer in profile.offers:
        assert offer in found
        assert load.offers()[offer].source in found
        assert load.offers()[offer].checked.isoformat() in found


@pytest.mark.parametrize(("name", "header"), [("4xa100", "Node a month"), ("serverless", "Busy all month")])
def test_a_month_of_what_is_paid_by_the_second_is_a_busy_one(deploy: Deploy, name: str, header: str) -> None:
    (headers,) = (line for line in deploy("profiles", name).stdout.splitlines() if line.startswith("Offer "))
    assert re.split(r"  +", headers)[2] == header


def test_offers_show_their_age() -> None:
    profile = load.profile("serverless")
    text = profiles.render("table", profile, load.accelerator_of(profile), load.offers_of(profile), date(2026, 11, 24))
    # 2026-05-07 to 2026-11-24: 24 + 30 + 31 + 31 + 30 + 31 + 24 = 201 days; 2.4984 × 730 = 1,823.83
    assert text.splitlines()[-2] == (
        "modal-a100-80gb      $2.4984/h       $1,823.83  1 GPU, Modal A100 80 GB      on-demand  second     2026-05-07"
        "  stale: 201 days old  https://techbytes.app/posts/serverless-gpu-pricing-matrix-modal-replicate-lambda-2026/"
    )


@pytest.mark.parametrize(("at", "marked"), [("2027-01-23", False), ("2027-01-24", True)])
def test_a_reference_rent_grows_stale_too(deploy: Deploy, at: str, marked: bool) -> None:
    """It was checked on 2026-11-24: 60 days later it still counts."""
    for arguments in (("profiles",), ("profiles", "4xa100")):
        found = deploy(*arguments, "--prices-at", at).stdout
        assert ("2026-11-24 (stale: 61 days old)" in found) is marked
    (one,) = (
        p
        for p in json.loads(deploy("profiles", "--prices-at", at, "-o", "json").stdout)["profiles"]
        if p["name"] == "4xa100"
    )
    assert one["reference"]["stale"] is marked


def test_age_is_reckoned_from_today_by_default(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BREAKEVEN_PRICES_AT")
    (first, *_) = json.loads(deploy("profiles", "4xa100", "-o", "json").stdout)["offers"]
    assert first["age_days"] == (date.today() - date.fromisoformat(first["checked"])).days


def test_json(deploy: Deploy) -> None:
    listed = json.loads(deploy("profiles", "-o", "json").stdout)
    assert listed["schema"] == "breakeven.profiles/1"
    assert [profile["name"] for profile in listed["profiles"]] == ["1xa100", "4xa100", "8xh100", "serverless"]
    one = json.loads(deploy("profiles", "4xa100", "-o", "json").stdout)
    assert one["schema"] == "breakeven.profile/1"
    assert one["reference"]["usd_per_month"] == "8000"
    # 1.19 × 4 × 730
    assert one["offers"][0]["node_monthly_usd"] == "3474.80"
    assert one["offers"][0]["age_days"] == 15


def test_an_unknown_name(deploy: Deploy) -> None:
    found = deploy("profiles", "8xh10")
    assert found.exit_code == 2
    assert found.stdout == ""
    assert found.stderr.startswith("Error: unknown profile '8xh10'\nNext: did you mean 8xh100")
