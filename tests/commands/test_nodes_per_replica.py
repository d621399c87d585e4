"""A model that one node does not hold: refused with the next step, and priced where it is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result

Deploy = Callable[..., Result]

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
MODEL = ("--profile", "8xh100", "--model", "deepseek-ai/DeepSeek-V3")
TWO = (*MODEL, "--nodes-per-replica", "2")
NETWORK = "The network between the nodes of a replica is not estimated"


def answer(deploy: Deploy, verb: str) -> dict[str, Any]:
    found = deploy(verb, *TWO, "-o", "json")
    assert found.exit_code == 0, found.output
    data: dict[str, Any] = json.loads(found.stdout)
    schema = json.loads((SCHEMAS / f"{verb}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(data)
    return data


@pytest.mark.parametrize("verb", ["cost", "size"])
def test_it_is_refused_with_the_number_of_nodes(deploy: Deploy, verb: str) -> None:
    found = deploy(verb, *MODEL)
    assert found.exit_code == 3
    assert "needs 633.0 GiB of weights, has 582.8 GiB: use 16 GPUs" in found.output
    assert "(`deploy models`); over 2 nodes it fits: --nodes-per-replica 2" in found.output


def test_the_bill_is_of_whole_nodes(deploy: Deploy) -> None:
    data = answer(deploy, "cost")
    assert (data["nodes_per_replica"], data["nodes"], data["gpus"]) == (2, 2, 16)
    assert data["self_hosted"]["lines"][0]["monthly_usd"] == "60000.00"


def test_each_candidate_fills_the_nodes(deploy: Deploy) -> None:
    data = answer(deploy, "size")
    assert {(one["nodes_per_replica"], one["replicas_per_node"]) for one in data["candidates"]} == {(2, 1)}
    best = data["candidates"][0]
    # $60,000 ÷ (its requests/s × 2,628,000 s) × 1,000,000.
    usd = 60_000 / (best["slo_requests_per_second"] * 2.628)
    assert float(best["usd_per_million_requests"]) == pytest.approx(usd, rel=1e-4)


@pytest.mark.parametrize("verb", ["cost", "size"])
def test_what_is_not_estimated_is_said(deploy: Deploy, verb: str) -> None:
    assert NETWORK in deploy(verb, *TWO).output
    assert NETWORK in deploy(verb, *TWO, "-o", "markdown").output
    assert NETWORK not in deploy(verb, "--profile", "8xh100").output


def test_a_recommended_plan_overrules_the_nodes_of_the_file(deploy: Deploy) -> None:
    engine = "engine: {nodes_per_replica: 2}\n"
    Path("deploy.yaml").write_text(f"profile: 8xh100\nmodel: Qwen/Qwen3-32B\n{engine}", encoding="utf-8")
    found = deploy("recommend", "-o", "json")
    assert found.exit_code == 0, found.output
    assert "--nodes-per-replica 1" in found.stdout


def test_the_plan_names_nodes_and_gpus(deploy: Deploy) -> None:
    said = deploy("size", *TWO).output
    assert "1 replica × 2 nodes × 8 GPUs · 2 nodes of 8 × H100 80 GB SXM" in said
    assert "Candidates to fill 2 nodes of 8 GPUs ($30,000.00 a month each)" in said
