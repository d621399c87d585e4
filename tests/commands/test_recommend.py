from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result

from breakeven import load

Deploy = Callable[..., Result]

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "recommend.schema.json"


def answer(deploy: Deploy, *arguments: str) -> dict[str, Any]:
    found = deploy("recommend", *arguments, "-o", "json")
    assert found.exit_code == 0, found.output
    data: dict[str, Any] = json.loads(found.stdout)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(data)
    return data


def plans(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in data["recommended"] if one["kind"] == "plan"]


def cost(deploy: Deploy, command: str) -> dict[str, Any]:
    """`deploy cost`, as it is to be typed next."""
    program, *arguments = shlex.split(command)
    assert program == "deploy"
    found = deploy(*arguments, "-o", "json")
    assert found.exit_code == 0, found.output
    data: dict[str, Any] = json.loads(found.stdout)
    return data


TRAFFIC = ("--requests-per-month", "30000000", "--input-tokens", "800", "--output-tokens", "300")


def is_same_plan(one: dict[str, Any], priced: dict[str, Any]) -> bool:
    keys = (
        *("model", "profile", "nodes", "replicas", "tensor_parallel_size", "pipeline_parallel_size", "precision"),
        *("requests_per_month",),
    )
    return all(one[key] == priced[key] for key in keys)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        TRAFFIC,
        (*TRAFFIC, "-m", "Qwen/Qwen3-32B", "-m", "openai/gpt-oss-120b", "--tpot-ms", "25", "--peak-to-mean", "2.5"),
        ("-m", "Qwen/Qwen3-32B", "--accelerator", "h100-80gb", "--gpus", "8", "--ops-usd-per-month", "0"),
    ],
)
def test_what_is_typed_next_prices_the_same_plan_to_the_cent(deploy: Deploy, arguments: tuple[str, ...]) -> None:
    typed = [one for one in plans(answer(deploy, *arguments)) if one["next"]["first"] is None]
    assert typed
    for one in typed:
        priced = cost(deploy, one["next"]["command"])
        assert priced["self_hosted"]["monthly_usd"] == one["monthly_usd"]
        assert is_same_plan(one, priced)


def test_apis_cost_what_cost_says(deploy: Deploy) -> None:
    data = answer(deploy, *TRAFFIC, "-m", "Qwen/Qwen3-8B")
    apis = {one["comparator"]: one["monthly_usd"] for one in data["recommended"] if one["kind"] == "api"}
    priced = cost(deploy, f"deploy cost --profile 1xa100 {' '.join(TRAFFIC)}")
    assert {one["comparator"]: one["monthly_usd"] for one in priced["api"]}.items() <= apis.items()
    assert {"openrouter/qwen/qwen3-8b", *load.comparators()} == set(apis)
    (hosted,) = (one for one in data["recommended"] if one.get("same_weights_as"))
    assert (hosted["comparator"], hosted["same_weights_as"]) == ("openrouter/qwen/qwen3-8b", "Qwen/Qwen3-8B")


def test_deploy_yaml_says_the_traffic_and_not_the_choice(deploy: Deploy) -> None:
    Path("deploy.yaml").write_text(
        "profile: 8xh100\nmodel: Qwen/Qwen3-32B\nnodes: 3\nengine: {precision: fp8}\n"
        "workload: {requests_per_month: 30000000}\nprices: {offer: aws-p5}\n",
        encoding="utf-8",
    )
    data = answer(deploy)
    assert data["workload"]["requests_per_month"] == 30_000_000
    assert {one["model"] for one in plans(data)} == {"Qwen/Qwen3-32B"}
    assert {one["profile"] for one in plans(data)} > {"8xh100"}
    for one in plans(data):
        if one["offer"] is not None:
            # The command reads the file, too, and has to overrule it.
            priced = cost(deploy, one["next"]["command"])
            assert (priced["self_hosted"]["monthly_usd"], priced["nodes"]) == (one["monthly_usd"], one["nodes"])
            assert is_same_plan(one, priced)


def test_a_replica_over_nodes_in_deploy_yaml_is_overruled(deploy: Deploy) -> None:
    Path("deploy.yaml").write_text(
        "profile: 8xh100\nmodel: Qwen/Qwen3-235B-A22B\nengine: {nodes_per_replica: 2}\n", encoding="utf-8"
    )
    for one in plans(answer(deploy)):
        if one["offer"] is not None:
            priced = cost(deploy, one["next"]["command"])
            assert priced["self_hosted"]["monthly_usd"] == one["monthly_usd"]


def test_the_file_that_was_named_is_named_next(deploy: Deploy) -> None:
    # No objective for the first token: no flag says that.
    text = "profile: 1xa100\nslo: {ttft_p99_ms: null}\nworkload: {input_tokens: 30000}\n"
    Path("long prompts.yaml").write_text(text, encoding="utf-8")
    (one, *_) = plans(answer(deploy, "-f", "long prompts.yaml"))
    assert one["next"]["command"].startswith("deploy cost --file 'long prompts.yaml' --profile ")
    assert cost(deploy, one["next"]["command"])["self_hosted"]["monthly_usd"] == one["monthly_usd"]


def test_every_price_has_its_source_and_date(deploy: Deploy) -> None:
    data = answer(deploy, *TRAFFIC, "-m", "Qwen/Qwen3-8B", "--accelerator", "any")
    for one in data["recommended"]:
        if one["kind"] == "api":
            assert one["source"]
            continue
        rent, *others = one["self_hosted"]["lines"]
        assert rent["source"]
        assert rent["checked"]
        assert all(line["source"] for line in others)
    text = deploy("recommend", *TRAFFIC, "-m", "Qwen/Qwen3-8B", "--accelerator", "any").stdout
    for one in plans(data)[:10]:
        assert f"{one['offer']['name']}: {one['offer']['source']}, checked {one['offer']['checked']}" in text


def test_a_node_without_a_profile_says_what_to_write(deploy: Deploy) -> None:
    (one, *_) = plans(answer(deploy, "-m", "Qwen/Qwen3-32B", "--accelerator", "h100-80gb", "--gpus", "2"))
    assert (one["profile"], one["profile_exists"], one["gpus_per_node"]) == ("2xh100-80gb", False, 2)
    assert one["next"]["first"].startswith(
        f"write profiles/2xh100-80gb.yaml (accelerator h100-80gb, gpus_per_node 2, offers [{one['offer']['name']}]"
    )
    assert one["next"]["command"].startswith("deploy cost --profile 2xh100-80gb --model Qwen/Qwen3-32B ")


def test_what_to_write_is_said_once_for_all_that_need_it(deploy: Deploy) -> None:
    arguments = ("-m", "Qwen/Qwen3-32B", "--accelerator", "any", "--max-usd", "3300")
    found = {one["next"]["first"] for one in plans(answer(deploy, *arguments))}
    assert len(found) < len(plans(answer(deploy, *arguments)))
    text = deploy("recommend", *arguments).stdout
    assert [text.count(first) for first in found] == [1] * len(found)
    assert re.search(r"^  first, for \d+, \d+: write profiles/", text, re.MULTILINE)


def test_the_same_in_text_markdown_and_json(deploy: Deploy) -> None:
    data = answer(deploy, *TRAFFIC)
    text = deploy("recommend", *TRAFFIC).stdout
    markdown = deploy("recommend", *TRAFFIC, "-o", "markdown").stdout
    assert "\n- Prices: of 2026-11-24\n" in markdown
    assert "| No. | Per month | What |" in markdown
    assert len(plans(data)) <= 10
    for one in data["recommended"]:
        usd = f"${float(one['monthly_usd']):,.2f}"
        assert usd in text
        assert usd in markdown
    for one in plans(data):
        assert one["next"]["command"] in text
        assert one["next"]["command"] in markdown


def test_more_than_ten_plans_are_in_json(deploy: Deploy) -> None:
    arguments = ("-m", "Qwen/Qwen3-32B", "--accelerator", "any")
    more = len(plans(answer(deploy, *arguments))) - 10
    assert more > 1
    text = deploy("recommend", *arguments).stdout
    assert f"{more} dearer plans of that kind: -o json." in text
    assert "Not looked at, since no dated offer prices them: " in text


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--accelerator", "h100-80gb"), 2, "Error: --model: which models would do?\nNext: name one or more"),
        (("--accelerator", "h100", "-m", "Qwen/Qwen3-8B"), 2, "Error: unknown accelerator 'h100'\nNext: did you mean"),
        (("-m", "Qwen/Qwen3-8"), 2, "Error: unknown model 'Qwen/Qwen3-8'"),
        (("--gpus", "0", "-m", "Qwen/Qwen3-8B"), 2, "Invalid value for '--gpus'"),
        (("--input-tokens", "-1"), 2, "Error: --input-tokens: must be above 0"),
        (("--max-usd", "nan"), 2, "Invalid value for '--max-usd': must be an amount above 0, got NaN"),
        (("--max-usd", "0"), 2, "Invalid value for '--max-usd': must be an amount above 0, got 0"),
        (("--max-usd", "1"), 3, "Error: no plan and no API will do; the nearest miss: Qwen/Qwen3-8B on 1xa100"),
        (("--compare-with", "gpt-4o"), 2, "Error: --compare-with: expected PROVIDER/MODEL"),
        (("-f", "missing.yaml"), 2, "Error: missing.yaml: cannot read it: No such file or directory"),
    ],
)
def test_what_is_refused_says_why(deploy: Deploy, arguments: tuple[str, ...], code: int, message: str) -> None:
    found = deploy("recommend", *arguments)
    assert found.exit_code == code
    assert found.stdout == ""
    assert message in found.stderr


def test_an_api_is_an_answer_where_no_plan_will_do(deploy: Deploy) -> None:
    data = answer(deploy, "-m", "Qwen/Qwen3-32B", "--tpot-ms", "1")
    assert plans(data) == []
    (miss,) = data["misses"]
    assert miss["model"] == "Qwen/Qwen3-32B"
    assert "TPOT 1 ms: even one request alone" in miss["reason"]
    text = deploy("recommend", "-m", "Qwen/Qwen3-32B", "--tpot-ms", "1").stdout
    assert "no plan of your own will do" in text
    assert miss["reason"] in text
