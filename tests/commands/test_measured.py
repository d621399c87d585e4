"""--measured, and `measured` in deploy.yaml."""

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
RUN = """\
model: Qwen/Qwen2.5-72B-Instruct
accelerator: a100-80gb
tensor_parallel_size: 4
input_tokens: 512
output_tokens: 200
requests_per_second: 6.2
source: load test 17
date: 2026-11-20
"""
SERVES = (
    "This plan serves 6.20 requests/s of that shape within TTFT p99 2,000 ms and TPOT 50 ms, "
    "measured 2026-11-20: load test 17; 7.19 saturated, estimated."
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(RUN, encoding="utf-8")
    return path


def answer(found: Result, schema: str) -> dict[str, Any]:
    assert found.exit_code == 0, found.output
    data: dict[str, Any] = json.loads(found.stdout)
    jsonschema.validate(data, json.loads((SCHEMAS / f"{schema}.schema.json").read_text(encoding="utf-8")))
    return data


def test_cost_and_size_say_so(deploy: Deploy, run: Path) -> None:
    arguments = ("--profile", "4xa100", "--measured", str(run))
    assert SERVES in deploy("cost", *arguments).stdout
    assert SERVES in deploy("cost", *arguments, "-o", "markdown").stdout
    text = deploy("size", *arguments).stdout
    assert "\nwithin the objective, measured, 1 replica: requests/s      6.20   6.20   6.20\n" in text
    assert "\nMeasured 2026-11-20: load test 17. Everything else is estimated.\n" in text
    capacity = {"basis": "measured", "saturated_basis": "estimate", "source": "load test 17", "date": "2026-11-20"}
    assert answer(deploy("cost", *arguments, "-o", "json"), "cost")["capacity"] == capacity
    assert answer(deploy("size", *arguments, "-o", "json"), "size")["plan"]["capacity"] == capacity


def test_an_estimate_is_called_one(deploy: Deploy) -> None:
    found = answer(deploy("cost", "--profile", "4xa100", "-o", "json"), "cost")["capacity"]
    assert found["basis"] == found["saturated_basis"] == "estimate"
    assert "docs/accuracy-throughput.md" in found["source"]


def test_a_saturated_run(deploy: Deploy, run: Path) -> None:
    run.write_text(RUN.replace("requests_per_second", "saturated_requests_per_second"), encoding="utf-8")
    text = deploy("cost", "--profile", "4xa100", "--measured", str(run)).stdout
    assert "estimated from 6.20 saturated, measured 2026-11-20: load test 17." in text
    run.write_text(f"{RUN}saturated_requests_per_second: 7\n", encoding="utf-8")
    assert "7.00 saturated, measured, too." in deploy("cost", "--profile", "4xa100", "--measured", str(run)).stdout


def test_json_with_a_date_in_text(deploy: Deploy, tmp_path: Path) -> None:
    pairs = [line.split(": ") for line in RUN.splitlines()]
    path = tmp_path / "run.json"
    data = {key: float(value) if value.replace(".", "").isdigit() else value for key, value in pairs}
    data |= {key: int(data[key]) for key in ("tensor_parallel_size", "input_tokens", "output_tokens")}
    path.write_text(json.dumps(data), encoding="utf-8")
    assert SERVES in deploy("cost", "--profile", "4xa100", "--measured", str(path)).stdout


def test_a_path_in_the_deployment_file_is_beside_it(deploy: Deploy, run: Path, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    file = tmp_path / "below" / "deploy.yaml"
    file.write_text("profile: 4xa100\nmeasured: ../run.yaml\n", encoding="utf-8")
    assert SERVES in deploy("cost", "--file", str(file)).stdout


def test_inline(deploy: Deploy, tmp_path: Path) -> None:
    file = tmp_path / "deploy.yaml"
    lines = "".join(f"  {line}\n" for line in RUN.splitlines())
    file.write_text(f"profile: 4xa100\nmeasured:\n{lines}", encoding="utf-8")
    assert SERVES in deploy("cost", "--file", str(file)).stdout


def test_the_decision_says_what_was_measured(deploy: Deploy, run: Path) -> None:
    arguments = ("--profile", "4xa100", "--replicas", "1", "--requests-per-month", "50000000", "--measured", str(run))
    assert "this plan serves a measured 6.20 within" in deploy("cost", *arguments).stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "run.yaml: is empty; expected what was measured"),
        ("model: x\n", "run.yaml:1: measured.accelerator: is required"),
        (f"{RUN}colour: red\n", "run.yaml:9: measured.colour: unknown key"),
        (RUN.replace("2026-11-20", "yesterday"), "run.yaml:8: measured.date: expected a date such as 2026-11-24"),
        (RUN.replace("6.2", "0"), "run.yaml:6: measured.requests_per_second: must be above 0"),
        (RUN.replace("size: 4", "size: 2"), "It has tensor_parallel_size 2, the plan 4"),
        ("- 1\n", "expected a mapping of keys, got a list"),
    ],
)
def test_what_is_refused_says_where(deploy: Deploy, run: Path, text: str, message: str) -> None:
    run.write_text(text, encoding="utf-8")
    found = deploy("cost", "--profile", "4xa100", "--measured", str(run))
    assert (found.exit_code, found.stdout) == (2, "")
    assert message in found.stderr


def test_a_file_that_is_not_there(deploy: Deploy) -> None:
    found = deploy("cost", "--profile", "4xa100", "--measured", "nowhere.yaml")
    assert found.exit_code == 2
    assert found.stderr == "Error: --measured: there is no file nowhere.yaml\n"
