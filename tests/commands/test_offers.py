"""`deploy offers`, the price of one's own, and how old a price is, wherever it is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result

from breakeven import load

Deploy = Callable[..., Result]

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


def listed(deploy: Deploy, *arguments: str) -> list[dict[str, Any]]:
    found = deploy("offers", *arguments, "-o", "json")
    assert found.exit_code == 0, found.output
    data = json.loads(found.stdout)
    schema = json.loads((SCHEMAS / "offers.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(data)
    offers: list[dict[str, Any]] = data["offers"]
    return offers


def test_all_of_them_cheapest_gpu_first(deploy: Deploy) -> None:
    offers = listed(deploy)
    assert {offer["name"] for offer in offers} == set(load.offers())
    prices = [float(offer["usd_per_gpu_hour"]) for offer in offers]
    assert prices == sorted(prices)


def test_those_of_one_accelerator(deploy: Deploy) -> None:
    assert {offer["accelerator"] for offer in listed(deploy, "--accelerator", "h200-141gb")} == {"h200-141gb"}
    found = deploy("offers", "--accelerator", "h100")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "unknown accelerator 'h100'\nNext: did you mean h100-80gb" in found.stderr
    none = deploy("offers", "--accelerator", "mi300x-192gb").stdout
    assert none == "No dated offer of it is known; --usd-per-gpu-hour takes a price of your own.\n"


def test_in_another_order(deploy: Deploy) -> None:
    days = [offer["checked"] for offer in listed(deploy, "--sort", "checked")]
    assert days == sorted(days, reverse=True)
    providers = [offer["provider"].casefold() for offer in listed(deploy, "--sort", "provider")]
    assert providers == sorted(providers)
    assert deploy("offers", "--sort", "name").exit_code == 2


def test_what_people_see(deploy: Deploy) -> None:
    lines = deploy("offers", "--accelerator", "t4-16gb").stdout.splitlines()
    # 2026-05-07 to 2026-11-24: 201 days
    assert lines[1] == (
        "modal-t4      t4-16gb      $0.5904/h  1 GPU, Modal T4      on-demand  second     "
        "2026-05-07 (stale: 201 days old)  "
        "https://techbytes.app/posts/serverless-gpu-pricing-matrix-modal-replicate-lambda-2026/"
    )
    assert lines[-1] == "2 offers, 2 of them stale: checked more than 60 days from 2026-11-24"
    assert "stale" not in deploy("offers", "--accelerator", "t4-16gb", "--prices-at", "2026-07-06").stdout


def test_billing_and_commitment(deploy: Deploy) -> None:
    by_name = {offer["name"]: offer for offer in listed(deploy)}
    assert by_name["lambda-8xh100"]["billed_by"] == "minute"
    assert (by_name["modal-h100"]["billed_by"], by_name["modal-h100"]["billed_by_second"]) == ("second", True)
    assert by_name["gcp-a3-highgpu-1g-spot"]["commitment"] == "spot"


@pytest.mark.parametrize("name", sorted(load.offers()))
def test_every_record_can_be_followed(name: str) -> None:
    offer = load.offers()[name]
    assert offer.source.startswith("https://")
    assert offer.accelerator in load.accelerators()
    assert date(2026, 5, 1) <= offer.checked <= date(2026, 11, 24)


@pytest.mark.parametrize("name", ["azure-nc48ads-a100", "azure-nc96ads-a100", "gcp-a3-highgpu-1g", "vast-h100"])
def test_suspicious_records_are_left_out(name: str) -> None:
    assert name not in load.offers()


def test_a_price_of_ones_own(deploy: Deploy) -> None:
    # 4 × 2.10 × 730 = 6,132.00
    arguments = ("--profile", "4xa100", "--usd-per-gpu-hour", "2.10")
    data = json.loads(deploy("cost", *arguments, "-o", "json").stdout)
    rent = data["self_hosted"]["lines"][0]
    assert (rent["monthly_usd"], rent["source"]) == ("6132.00", "prices.usd_per_gpu_hour")
    assert rent["detail"] == "1 node × 4 GPUs × $2.10/GPU-h × 730 h, as given"
    assert (rent["checked"], rent["age_days"], rent["stale"]) == (None, None, None)
    sized = json.loads(deploy("size", *arguments, "-o", "json").stdout)
    assert (sized["node_usd_per_month"], sized["rent_price"]["source"]) == ("6132.00", "prices.usd_per_gpu_hour")
    # The dated offers stay beside it.
    assert [offer["monthly_usd"] for offer in data["offers"]] == ["3474.80", "4058.80", "5226.80", "10725.16"]


def test_a_price_of_ones_own_by_the_second(deploy: Deploy) -> None:
    # Half of Modal's 2.4984: half of its 1,823.83, always on.
    found = deploy("cost", "--profile", "serverless", "--usd-per-gpu-hour", "1.2492", "-o", "json").stdout
    assert json.loads(found)["self_hosted"]["lines"][0]["monthly_usd"] == "911.92"


def test_owned_gpus_may_cost_nothing_but_not_less(deploy: Deploy) -> None:
    found = json.loads(deploy("cost", "--profile", "4xa100", "--usd-per-gpu-hour", "0", "-o", "json").stdout)
    assert found["self_hosted"]["lines"][0]["monthly_usd"] == "0.00"
    assert deploy("size", "--profile", "4xa100", "--usd-per-gpu-hour", "0").exit_code == 0
    refused = deploy("cost", "--profile", "4xa100", "--usd-per-gpu-hour", "-1")
    assert refused.exit_code == 2
    assert refused.stderr.startswith("Error: --usd-per-gpu-hour: must be 0 or above")


def test_one_price_or_the_other(deploy: Deploy) -> None:
    both = ("--offer", "runpod-secure-a100", "--usd-per-gpu-hour", "2")
    found = deploy("cost", "--profile", "4xa100", *both)
    assert found.exit_code == 2
    assert "give offer (a dated price) or usd_per_gpu_hour (your own), not both" in found.stderr
    # A flag replaces what the file says.
    Path("deploy.yaml").write_text("profile: 4xa100\nprices: {usd_per_gpu_hour: 2}\n", encoding="utf-8")
    assert "as given" in deploy("cost").stdout
    assert "offer runpod-secure-a100" in deploy("cost", "--offer", "runpod-secure-a100").stdout


def test_a_stale_price_is_marked_wherever_it_is_shown(deploy: Deploy) -> None:
    """2026-05-07 is 201 days before the day; 2026-11-09 is 112 days before the first of March, and the book 111."""
    mark = "stale: 201 days old"
    for output in ("table", "markdown"):
        assert mark in deploy("offers", "-o", output).stdout
        assert mark in deploy("profiles", "serverless", "-o", output).stdout
        cost = deploy("cost", "--profile", "serverless", "-o", output).stdout
        assert cost.count(mark) == 3, "the line of the bill, and two offers"
        assert "checked 2026-05-07, 2 of 2 stale" in cost
        assert mark in deploy("size", "--profile", "serverless", "-o", output).stdout
        later = ("--profile", "4xa100", "--offer", "azure-nc24ads-a100", "--prices-at", "2027-03-01", "-o", output)
        assert deploy("cost", *later).stdout.count("stale: 112 days old") == 5
        assert deploy("cost", *later).stdout.count("stale: 111 days old") == 1, "the price book"


def test_age_in_json(deploy: Deploy) -> None:
    cost = json.loads(deploy("cost", "--profile", "serverless", "-o", "json").stdout)
    assert cost["prices_at"] == "2026-11-24"
    rent = cost["self_hosted"]["lines"][0]
    assert (rent["age_days"], rent["stale"]) == (201, True)
    assert {(offer["age_days"], offer["stale"]) for offer in cost["offers"]} == {(201, True)}
    assert {(api["checked"], api["age_days"], api["stale"]) for api in cost["api"]} == {("2026-11-10", 14, False)}
    size = json.loads(deploy("size", "--profile", "serverless", "-o", "json").stdout)
    assert (size["rent_price"]["age_days"], size["rent_price"]["stale"]) == (201, True)
    (offer, _) = json.loads(deploy("profiles", "serverless", "-o", "json").stdout)["offers"]
    assert (offer["age_days"], offer["stale"]) == (201, True)


def test_a_day_long_before_the_record_is_as_doubtful(deploy: Deploy) -> None:
    found = deploy("offers", "--accelerator", "t4-16gb", "--prices-at", "2026-01-01").stdout
    assert "2026-05-07 (stale: checked 126 days later)" in found


@pytest.mark.parametrize("verb", ["offers", "profiles", "cost", "size", "preview", "up"])
def test_what_is_no_day_is_refused(deploy: Deploy, verb: str) -> None:
    found = deploy(verb, "--prices-at", "tomorrow")
    assert found.exit_code == 2
    assert "'tomorrow' is not a date such as 2026-11-24" in found.stderr


OVERRIDES = """\
- comparator: openai/gpt-4o
  usd_per_million_input_tokens: 1.00
  usd_per_million_output_tokens: 2
  source: our contract of 2026
  checked: 2026-11-01
"""


def test_api_prices_of_ones_own(deploy: Deploy) -> None:
    Path("deploy.yaml").write_text("profile: 4xa100\nprices: {api_overrides: contract.yaml}\n", encoding="utf-8")
    Path("contract.yaml").write_text(OVERRIDES, encoding="utf-8")
    arguments = ("cost", "--compare-with", "openai/gpt-4o", "-o", "json")
    # 500 × 1 + 200 × 2 = 900 per million
    (api,) = json.loads(deploy(*arguments).stdout)["api"]
    assert (api["monthly_usd"], api["checked"]) == ("900.00", "2026-11-01")
    assert api["source"] == "our contract of 2026 of 2026-11-01: $1.00/$2.00 per million tokens"
    (before,) = json.loads(deploy(*arguments, "--prices-at", "2026-10-31").stdout)["api"]
    assert before["monthly_usd"] == "3250.00"
    Path("contract.yaml").write_text(OVERRIDES.replace("1.00", "free"), encoding="utf-8")
    spoilt = deploy(*arguments)
    assert spoilt.exit_code == 2
    assert spoilt.stderr.startswith(
        "Error: contract.yaml:2: prices.api_overrides[0].usd_per_million_input_tokens: expected an amount of USD, got"
    )
    Path("contract.yaml").write_text("", encoding="utf-8")
    assert deploy(*arguments).stderr == "Error: contract.yaml: is empty; expected a list of API prices\n"
    Path("contract.yaml").unlink()
    said = deploy(*arguments).stderr
    assert said == "Error: deploy.yaml:2: prices.api_overrides: there is no file contract.yaml\n"
    Path("contract.yaml").mkdir()
    assert deploy(*arguments).stderr == said


def test_a_path_is_from_the_file_that_names_it(deploy: Deploy) -> None:
    """Of an overlay and of its base, from wherever it is priced; and prices may stand in the file itself."""
    for folder in ("below", "elsewhere"):
        Path(folder).mkdir()
    overlay = Path("below/deploy.yaml")
    arguments = ("cost", "-f", str(overlay), "--compare-with", "openai/gpt-4o", "-o", "json")
    Path("contract.yaml").write_text(OVERRIDES, encoding="utf-8")
    Path("base.yaml").write_text("profile: 4xa100\nprices: {api_overrides: contract.yaml}\n", encoding="utf-8")
    overlay.write_text("base: ../base.yaml\n", encoding="utf-8")
    assert json.loads(deploy(*arguments).stdout)["api"][0]["monthly_usd"] == "900.00"
    Path("elsewhere/own.yaml").write_text(OVERRIDES.replace("1.00", "3.00"), encoding="utf-8")
    overlay.write_text("base: ../base.yaml\nprices: {api_overrides: ../elsewhere/own.yaml}\n", encoding="utf-8")
    assert json.loads(deploy(*arguments).stdout)["api"][0]["monthly_usd"] == "1900.00"
    overlay.write_text("base: ../base.yaml\nprices: {api_overrides: null}\n", encoding="utf-8")
    assert json.loads(deploy(*arguments).stdout)["api"][0]["monthly_usd"] == "3250.00"
    inline = "".join(f"    {line}\n" for line in OVERRIDES.splitlines())
    overlay.write_text(f"profile: 4xa100\nprices:\n  api_overrides:\n{inline}", encoding="utf-8")
    assert json.loads(deploy(*arguments).stdout)["api"][0]["monthly_usd"] == "900.00"


def test_cached_input_makes_the_api_cheaper(deploy: Deploy) -> None:
    Path("deploy.yaml").write_text("profile: 4xa100\nworkload: {cached_share: 0.5}\n", encoding="utf-8")
    (api,) = json.loads(deploy("cost", "--compare-with", "openai/gpt-4o-mini", "-o", "json").stdout)["api"]
    # 250 × 0.15 + 250 × 0.075 + 200 × 0.60 = 176.25
    assert api["monthly_usd"] == "176.25"
    Path("deploy.yaml").write_text("profile: 4xa100\nworkload: {cached_share: 1}\n", encoding="utf-8")
    assert deploy("cost").stderr.startswith(
        "Error: deploy.yaml:2: workload.cached_share: must be 0 or above and below 1"
    )
