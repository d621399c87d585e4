from __future__ import annotations

import csv
import json
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result

from breakeven import load

Deploy = Callable[..., Result]

DOCS = Path(__file__).parents[2] / "docs"

# The brief's worked example.
EXAMPLE = (
    "cost",
    *("--profile", "4xa100"),
    *("--requests-per-month", "1000000"),
    *("--input-tokens", "500"),
    *("--output-tokens", "200"),
    *("--compare-with", "openai/gpt-4o-mini"),
)


def answer(deploy: Deploy, *arguments: str) -> dict[str, Any]:
    found = deploy(*arguments, "-o", "json")
    assert found.exit_code == 0, found.output
    data: dict[str, Any] = json.loads(found.stdout)
    schema = json.loads((DOCS / "schemas" / "cost.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(data)
    return data


def test_the_briefs_example(deploy: Deploy) -> None:
    # 8,000 + 1,000 + 500 = 9,500; 1,000,000 × (500 × 0.15 + 200 × 0.60) ÷ 1,000,000 = 195; 9,500 ÷ 0.000195.
    data = answer(deploy, *EXAMPLE)
    assert data["self_hosted"]["monthly_usd"] == "9500.00"
    assert data["self_hosted"]["at_least"] is False
    (api,) = data["api"]
    assert api == {
        "comparator": "openai/gpt-4o-mini",
        "usd_per_request": "0.000195",
        "monthly_usd": "195.00",
        "usd_per_million_tokens": "0.2786",
        "break_even_requests_per_month": 48_717_949,
        "break_even_requests_per_second": 18.538,
        "break_even_utilisation": 3.6761,
        "break_even_nodes": None,
        "reachable": False,
        "source": "genai-prices 0.2.3 of 2026-11-10: $0.15/$0.60 per million tokens",
        "checked": "2026-11-10",
        "age_days": 14,
        "stale": False,
    }
    assert data["decision"]["choice"] == "api"
    # 9,500 − 195
    assert "costs $9,305.00 a month less than this plan" in data["decision"]["reasons"][1]


@pytest.mark.parametrize(
    ("comparator", "daily", "monthly", "yearly"),
    [
        # 10,000 requests a day × (500 × 0.15 + 200 × 0.60) ÷ 1,000,000; × (500 × 2.50 + 200 × 10) ÷ 1,000,000.
        ("openai/gpt-4o-mini", "1.95", "58.50", "711.75"),
        ("openai/gpt-4o", "32.50", "975.00", "11862.50"),
    ],
)
def test_the_briefs_calendar_estimate(deploy: Deploy, comparator: str, daily: str, monthly: str, yearly: str) -> None:
    """Its `estimate_api_costs` has months of 30 and years of 365 days; ours have 730 and 8,760 hours."""
    data = answer(deploy, "cost", "--profile", "4xa100", "--compare-with", comparator)
    of_a_day = 10_000 * Decimal(data["api"][0]["usd_per_request"])
    assert [f"{of_a_day * days:.2f}" for days in (1, 30, 365)] == [daily, monthly, yearly]


def test_the_briefs_example_as_people_see_it(deploy: Deploy) -> None:
    found = deploy(*EXAMPLE)
    assert found.exit_code == 0
    assert found.stderr == ""
    for figure in ("$9,500.00", "$195.00", "48,717,949", "never", "reference row of 4xa100", "$3,474.80 to $10,725.16"):
        assert figure in found.stdout


def test_the_documented_output_is_the_real_one(deploy: Deploy) -> None:
    documented = (DOCS / "cost.md").read_text(encoding="utf-8")
    assert f"```console\n$ deploy {' '.join(EXAMPLE)}\n{deploy(*EXAMPLE).stdout}```" in documented


@pytest.mark.parametrize("profile", sorted(load.profiles()))
def test_printed_totals_are_the_sums_of_printed_lines(deploy: Deploy, profile: str) -> None:
    hosted = answer(deploy, "cost", "--profile", profile)["self_hosted"]
    for column in ("daily_usd", "monthly_usd", "yearly_usd"):
        assert Decimal(hosted[column]) == sum(Decimal(line[column]) for line in hosted["lines"])
    assert all(line["source"] for line in hosted["lines"])


def test_by_default_the_packaged_comparators_and_the_weights_hosted(deploy: Deploy) -> None:
    data = answer(deploy, "cost", "--profile", "1xa100")
    assert [api["comparator"] for api in data["api"]] == [
        "openai/gpt-4o-mini",
        "openai/gpt-4o",
        "openai/gpt-5.4-mini",
        "anthropic/claude-sonnet-5-5",
        "google/gemini-3.8-flash",
        "openrouter/qwen/qwen3-8b",
    ]


def test_a_comparator_asked_for_twice_counts_once(deploy: Deploy) -> None:
    twice = ("--compare-with", "openai/gpt-4o") * 2
    assert len(answer(deploy, "cost", "--profile", "1xa100", *twice)["api"]) == 1


def test_unused_gpus_are_said(deploy: Deploy) -> None:
    data = answer(deploy, "cost", "--profile", "8xh100", "--model", "Qwen/Qwen3-32B", "--replicas", "1")
    assert (data["gpus"], data["gpus_unused"], data["nodes"]) == (2, 6, 1)
    text = deploy("cost", "--profile", "8xh100", "--model", "Qwen/Qwen3-32B", "--replicas", "1").stdout
    assert "6 GPUs paid and unused" in text


def test_a_source_of_api_prices_is_said_once(deploy: Deploy, tmp_path: Path) -> None:
    book = "\n\nAPI prices: genai-prices 0.2.3 of 2026-11-10\n\n"
    assert book in deploy("cost", "--profile", "1xa100").stdout
    own = tmp_path / "contract.yaml"
    own.write_text(
        "- {comparator: openai/gpt-4o, usd_per_million_input_tokens: 2.00, usd_per_million_output_tokens: 8.00,\n"
        "   source: 'contract: 17', checked: 2026-10-01}\n",
        encoding="utf-8",
    )
    file = tmp_path / "deploy.yaml"
    file.write_text(f"profile: 1xa100\nprices: {{api_overrides: {own}}}\n", encoding="utf-8")
    asked = ("--compare-with", "openai/gpt-4o", "--compare-with", "openai/gpt-5.4-mini")
    text = deploy("cost", "--file", str(file), *asked).stdout
    assert "yes        $2.00/$8.00\n" in text
    assert "API price of openai/gpt-4o: contract: 17 of 2026-10-01\n" in text
    assert "API price of openai/gpt-5.4-mini: genai-prices 0.2.3 of 2026-11-10\n" in text


def test_what_rounds_to_nothing_is_not_called_0(deploy: Deploy) -> None:
    # 1,000 ÷ 2,628,000 s = 0.0004 requests/s.
    text = deploy("cost", "--profile", "4xa100", "--requests-per-month", "1000").stdout
    assert "output tokens; under 0.01 requests/s on average" in text
    assert "this traffic keeps it under 1 % busy" in text


def test_what_more_nodes_would_reach_is_not_called_never(deploy: Deploy) -> None:
    text = deploy("cost", "--profile", "serverless", "--compare-with", "openrouter/qwen/qwen3-8b").stdout
    assert "from 18 replicas" in text
    assert "18 replicas would break even" in text
    assert "never" not in text


def test_an_unknown_price_makes_the_total_at_least(deploy: Deploy) -> None:
    data = answer(deploy, "cost", "--profile", "4xa100", "--weights-storage", "pvc")
    assert (data["self_hosted"]["monthly_usd"], data["self_hosted"]["at_least"]) == ("9500.00", True)
    assert [line["monthly_usd"] for line in data["self_hosted"]["lines"]][1] is None
    assert {(api["break_even_requests_per_month"], api["reachable"]) for api in data["api"]} == {(None, None)}
    assert data["decision"]["choice"] == "undecided"
    assert "at least $9,500.00" in deploy("cost", "--profile", "4xa100", "--weights-storage", "pvc").stdout


def test_an_offer_instead_of_the_reference(deploy: Deploy) -> None:
    data = answer(deploy, "cost", "--profile", "8xh100", "--offer", "lambda-8xh100")
    # 31.92 × 730 = 23,301.60
    assert data["self_hosted"]["lines"][0]["monthly_usd"] == "23301.60"
    assert data["self_hosted"]["lines"][0]["checked"] == "2026-09-25"


def test_serverless(deploy: Deploy) -> None:
    data = answer(deploy, "cost", "--profile", "serverless")
    assert data["serverless"] is True
    assert data["self_hosted"]["lines"][0]["name"] == "GPU seconds"
    assert "by the second" in deploy("cost", "--profile", "serverless").stdout


def test_markdown_is_for_a_pull_request(deploy: Deploy) -> None:
    found = deploy(*EXAMPLE, "-o", "markdown").stdout
    assert "| **Total** | **$312.33** | **$9,500.00** | **$114,000.00** |  |" in found
    assert "| openai/gpt-4o-mini | $195.00 | $0.28 | 48,717,949 | never |" in found
    assert "**Decision: use the API**" in found


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "Error: no profile given\nNext: add --profile NAME"),
        (("-p", "4xa10"), 2, "Error: unknown profile '4xa10'\nNext: did you mean 4xa100 or 1xa100?"),
        (("-p", "4xa100", "--replicas", "0"), 2, "Error: --replicas: must be from 1 to 5,000, got 0"),
        (("-p", "4xa100", "--replicas", "two"), 2, "'two' is not a valid integer"),
        (("-p", "4xa100", "--ops-usd-per-month", "much"), 2, "'much' is not an amount of USD"),
        (("-p", "4xa100", "--ops-usd-per-month", "nan"), 2, "Error: --ops-usd-per-month: expected an amount of USD"),
        (("-p", "4xa100", "--ops-usd-per-month", "snan"), 2, "Error: --ops-usd-per-month: expected an amount of USD"),
        (("-p", "4xa100", "--input-tokens", "-1"), 2, "Error: --input-tokens: must be above 0"),
        (("-p", "4xa100", "--replicas", "1", "--nodes", "1"), 2, "Error: give replicas (vLLM servers) or nodes"),
        (("-p", "4xa100", "--offer", "aws-p5"), 2, "Error: unknown offer 'aws-p5' of profile 4xa100"),
        (("-p", "4xa100", "--compare-with", "gpt-4o"), 2, "Error: --compare-with: expected PROVIDER/MODEL such as"),
        (("-p", "4xa100", "--compare-with", "openai/gpt-4p"), 2, "Error: unknown model 'gpt-4p' of openai"),
        (
            ("-p", "1xa100", "-m", "Qwen/Qwen2.5-72B-Instruct"),
            3,
            "Error: Qwen/Qwen2.5-72B-Instruct does not fit 1xa100",
        ),
        (("-f", "missing.yaml"), 2, "Error: missing.yaml: cannot read it: No such file or directory"),
    ],
)
def test_what_is_refused_says_why(deploy: Deploy, arguments: tuple[str, ...], code: int, message: str) -> None:
    found = deploy("cost", *arguments)
    assert found.exit_code == code
    assert found.stdout == ""
    assert message in found.stderr


def test_deploy_yaml_is_read_where_it_lies(deploy: Deploy) -> None:
    Path("deploy.yaml").write_text("profile: 4xa100\nnodes: 2\n", encoding="utf-8")
    assert answer(deploy, "cost")["nodes"] == 2
    assert answer(deploy, "cost", "--nodes", "3")["nodes"] == 3
    Path("deploy.yaml").write_text("profile: 4xa100\nnodes: -2\n", encoding="utf-8")
    assert deploy("cost").stderr.startswith("Error: deploy.yaml:2: nodes: must be from 1 to 5,000, got -2")


def test_the_environment_stands_in_for_flags(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BREAKEVEN_COST_PROFILE", "8xh100")
    assert answer(deploy, "cost")["profile"] == "8xh100"


CONFIGS = Path(__file__).parents[1] / "data" / "model_configs"


def test_a_config_file_is_planned_like_a_packaged_model(deploy: Deploy) -> None:
    by_file = answer(deploy, "cost", "--profile", "1xa100", "--model", str(CONFIGS / "Qwen--Qwen3-8B.json"))
    by_name = answer(deploy, "cost", "--profile", "1xa100", "--model", "Qwen/Qwen3-8B")
    assert by_file["self_hosted"] == by_name["self_hosted"]
    # It names no hosted twin: only the packaged comparators are asked.
    assert [api["comparator"] for api in by_file["api"]] == list(load.comparators())


def test_a_config_file_that_is_not_understood_is_refused(deploy: Deploy) -> None:
    path = str(CONFIGS / "deepseek-ai--DeepSeek-V4-Flash.json")
    found = deploy("cost", "--profile", "8xh100", "--model", path)
    assert found.exit_code == 2
    assert "the architecture DeepseekV4ForCausalLM is not understood" in found.stderr


def test_text_json_markdown_and_csv_say_the_same(deploy: Deploy) -> None:
    data = answer(deploy, *EXAMPLE)
    text, markdown = deploy(*EXAMPLE).stdout, deploy(*EXAMPLE, "-o", "markdown").stdout
    rows = list(csv.DictReader(StringIO(deploy(*EXAMPLE, "-o", "csv").stdout)))
    for line in data["self_hosted"]["lines"]:
        for column in ("daily_usd", "monthly_usd", "yearly_usd"):
            shown = f"${Decimal(line[column]):,.2f}"
            assert shown in text and f"| {shown} |" in markdown
    ours = [row["BilledCost"] for row in rows if row["x_Side"] == "self-host"]
    assert ours == [line["monthly_usd"] for line in data["self_hosted"]["lines"]]
    assert [row["BilledCost"] for row in rows if row["x_Side"] == "api"] == [api["monthly_usd"] for api in data["api"]]
    assert all(row["x_Source"] for row in rows)


def test_a_quantity_times_its_price_is_the_line(deploy: Deploy) -> None:
    out = deploy("cost", "--profile", "4xa100", "--offer", "runpod-secure-a100", "-o", "csv").stdout
    rent = next(csv.DictReader(StringIO(out)))
    assert (rent["PricingQuantity"], rent["PricingUnit"], rent["ProviderName"]) == ("2920", "GPU-hour", "RunPod Secure")
    assert Decimal(rent["PricingQuantity"]) * Decimal(rent["ListUnitPrice"]) == Decimal(rent["BilledCost"])


def test_explained(deploy: Deploy) -> None:
    text = deploy(*EXAMPLE, "--explain").stdout
    for line in (
        "  GPU rent: 1 node × $8,000.00, reference row of 4xa100 = $8,000.00 a month; the product brief",
        "  Replicas: 0.38 requests/s × 1 at the peak ÷ (5.04 × 0.77), rounded up; 1 replica on 1 node\n",
        "  openai/gpt-4o-mini: 1,000,000 requests × $0.000195 = $195.00 a month; genai-prices 0.2.3 of 2026-11-10",
        "  Break-even with openai/gpt-4o-mini: $9,500.00 ÷ $0.000195: 48,717,949 requests a month",
        "needs.api_below_requests_per_month 100,000, needs.break_even_above_requests_per_month 500,000",
        "\nSensitivity, against openai/gpt-4o-mini\n",
        "self-host  hidden  idle capacity (part of GPU rent)",
    ):
        assert line in text
    assert text.startswith(deploy(*EXAMPLE).stdout)
    assert "| Side | Kind |" in deploy(*EXAMPLE, "--explain", "-o", "markdown").stdout


def test_needs_and_fixed_infrastructure_come_from_the_file(deploy: Deploy, tmp_path: Path) -> None:
    path = tmp_path / "deploy.yaml"
    path.write_text(
        "profile: 4xa100\nneeds:\n  privacy: true\nprices:\n  fixed:\n    control_plane_usd_per_month: 73\n"
    )
    data = answer(deploy, "cost", "--file", str(path))
    assert data["decision"] == {
        "choice": "self-host",
        "reasons": ["privacy: prompts must not leave your own machines"],
        "self_hosted_share": 1.0,
    }
    assert data["self_hosted"]["monthly_usd"] == "9573.00"
    assert data["self_hosted"]["not_included"] == ["CPU nodes", "Load balancer", "Egress"]


def test_a_scaled_plan_has_a_range(deploy: Deploy, tmp_path: Path) -> None:
    path = tmp_path / "deploy.yaml"
    path.write_text("profile: 4xa100\nmodel: Qwen/Qwen3-8B\nscaling:\n  max_replicas: 9\n")
    data = answer(deploy, "cost", "--file", str(path))
    assert data["replicas_range"] == [1, 9]
    assert data["self_hosted"]["range"] == {"low_usd": "9500.00", "high_usd": "25500.00"}
    assert "With 1 replicas all month" not in (text := deploy("cost", "--file", str(path)).stdout)
    assert "From 1 to 9 replicas: $9,500.00 to $25,500.00 a month\n" in text
