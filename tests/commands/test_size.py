from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result

from breakeven import load
from breakeven.core.slo import TPOT_MS, TTFT_P99_MS

Deploy = Callable[..., Result]

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "size.schema.json"


def answer(deploy: Deploy, *arguments: str) -> dict[str, Any]:
    found = deploy("size", *arguments, "-o", "json")
    assert found.exit_code == 0, found.output
    data: dict[str, Any] = json.loads(found.stdout)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(data)
    return data


EXACT = """\
Profile  4xa100: Four A100 80 GB in one node
Plan     Qwen/Qwen2.5-72B-Instruct · 1 replica × 4 GPUs · 1 node of 4 × A100 80 GB SXM
Traffic  1,000,000 requests a month of 500 input and 200 output tokens; 0.38 requests/s on average
Rent     reference row of 4xa100: SOURCE, checked 2026-11-24

Memory of one GPU                              GiB
usable: gpu_memory_utilization 0.92 × 79.15   72.8
weights                                      -33.9
outside PyTorch: CUDA, NCCL                   -2.1
activations at their peak                     -0.7
CUDA graphs                                   -1.9
left for KV cache                             34.2

KV cache of a replica: 449,872 tokens, 13.7 requests of max_model_len 32,768 at once; 1.0 GiB of each GPU is kept back

Speed                                        Estimate    Low   High
within the objective, 1 replica: requests/s      5.04   3.88   6.56
saturated, 1 replica: requests/s                 7.19   5.53   9.35
saturated, 1 replica: output tokens/s           1,438  1,106  1,869
saturated, 1 replica: total tokens/s            5,032  3,871  6,542
at the mean load: TTFT, mean, ms                  145   85.2    246
at the mean load: TTFT, p99, ms                   218   75.3    629
at the mean load: TPOT, ms                       26.7   20.5   34.7

Published runs nearest to the plan, requests/s of one server; beside each, what the model of throughput says of vLLM.
Measured  Estimate  Source  Compared with the plan
    18.9      19.7  [1]     same accelerator, TP, precision
                            other LLaMA-3-70B of 70.6 B, TensorRT-LLM 0.14.0, 128 in + 128 out, saturated
    2.18      2.44  [1]     same accelerator, TP, precision
                            other LLaMA-3-70B of 70.6 B, TensorRT-LLM 0.14.0, 2,048 in + 128 out, saturated
    1.77      2.15  [1]     same accelerator, TP, precision
                            other LLaMA-3-70B of 70.6 B, TensorRT-LLM 0.14.0, 1,000 in + 1,000 out, saturated
[1] 2024-11 (v0.14 docs): https://github.com/arthurrasmusson/TensorRT-LLM/blob/e00d4e6564921307dd264b61fe1d46f116095e0e/docs/source/performance/perf-overview.md

Candidates to fill one node of 4 GPUs ($8,000.00 a month), the best first by requests/s within the objective per dollar.
Objective: TTFT p99 2,000 ms and TPOT 50 ms (median).
Parallelism  Precision  Replicas  max_model_len  KV tokens  Saturated /s  Within /s  Limited by   $/1M requests  Of best
TP 4 (up)    bf16              1         32,768    449,872          7.19       5.04  TPOT               $603.66    100 %
TP 2 × PP 2  bf16              1         32,768    459,536          7.49       0.63  TPOT             $4,819.01     13 %
TP 1 × PP 2  bf16              2         13,424     20,000          3.04       0.00  unreachable              -      0 %
TP 1 × PP 4  bf16              1         32,768    473,824          6.61       0.00  unreachable              -      0 %

The best candidate is what `deploy up` makes.
Within rests on a model of TTFT p99 that no measurement has validated; Saturated was tested on measured rows.
No measured row has pipeline parallelism: rates with PP are the model's alone.

Dropped  Precision  Why
TP 1     bf16       needs 135.4 GiB of weights, has 72.8 GiB
TP 2     bf16       needs 67.7 GiB of weights and 5.6 GiB for the engine on each of 2 GPUs, has 72.8 GiB
"""


def test_what_people_see(deploy: Deploy) -> None:
    found = deploy("size", "--profile", "4xa100")
    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout == EXACT.replace("SOURCE", load.profile("4xa100").reference.source)


@pytest.mark.parametrize("profile", sorted(load.profiles()))
def test_the_memory_that_is_printed_adds_up(deploy: Deploy, profile: str) -> None:
    table = deploy("size", "--profile", profile).stdout.split("\n\n")[1]
    *terms, left = [Decimal(row.split()[-1]) for row in table.splitlines()[1:]]
    assert sum(terms) == left


@pytest.mark.parametrize("profile", sorted(load.profiles()))
def test_each_profile(deploy: Deploy, profile: str) -> None:
    data = answer(deploy, "--profile", profile)
    (chosen,) = [one for one in data["candidates"] if one["chosen_by_up"]]
    plan = data["plan"]
    assert chosen["memory"] == plan["memory"]
    memory = plan["memory"]
    taken = sum(memory[term] for term in ("weights_gib", "non_torch_gib", "activation_gib", "cuda_graph_gib"))
    assert memory["kv_gib"] == pytest.approx(memory["usable_gib"] - taken, abs=0.003)
    for name in ("ttft_ms", "ttft_p99_ms", "tpot_ms"):
        figure = plan["mean_load"][name]
        assert figure["low"] < figure["estimate"] < figure["high"]


def test_it_says_the_same_as_cost(deploy: Deploy) -> None:
    cost = json.loads(deploy("cost", "--profile", "8xh100", "-o", "json").stdout)
    plan = answer(deploy, "--profile", "8xh100")["plan"]
    assert plan["slo_requests_per_second"] == cost["requests_per_second"]["estimate"]
    assert plan["saturated"]["requests_per_second"]["estimate"] == cost["saturated_requests_per_second"]
    assert (plan["utilisation"], plan["requests_per_month"]) == (cost["utilisation"], cost["requests_per_month"])


def test_a_better_candidate_than_ups_is_said(deploy: Deploy) -> None:
    text = deploy("size", "--profile", "8xh100").stdout
    assert (
        "The best candidate is TP 4 in fp8, KV fp8; `deploy up` takes the best as published in one pipeline stage, "
        "unless told otherwise: TP 8 in bf16.\n"
    ) in text
    assert "that no measurement has validated" in text
    assert "\n--precision fp8 and --kv-cache-dtype fp8 quantise; what" in text


def test_a_screen_of_candidates_and_the_plans(deploy: Deploy) -> None:
    arguments = ("--profile", "8xh100", "--model", "Qwen/Qwen3-8B")
    text = deploy("size", *arguments).stdout
    rows = [line for line in text.splitlines() if re.match(r"TP \d.* (bf16|fp8)", line)]
    everything = answer(deploy, *arguments)["candidates"]
    assert len(everything) > len(rows) >= 12
    assert f"\n{len(everything) - len(rows)} more serve less; -o json has them all.\n" in text
    assert any("(up)" in row for row in rows)
    assert {one["kv_cache_dtype"] for one in everything} == {"auto", "fp8"}


def test_a_reason_is_given_once(deploy: Deploy) -> None:
    dropped = deploy("size", "--profile", "8xh100").stdout.split("Dropped")[1].splitlines()
    assert sum(line.startswith("TP 1         bf16 ") for line in dropped) == 1


def test_an_fp8_cache_if_asked_for(deploy: Deploy) -> None:
    plan = answer(deploy, "--profile", "8xh100", "--kv-cache-dtype", "fp8")["plan"]
    assert (plan["kv_cache_dtype"], plan["precision"]) == ("fp8", "bf16")
    both = answer(deploy, "--profile", "8xh100", "--kv-cache-dtype", "fp8", "--precision", "fp8")["plan"]
    assert (both["kv_cache_dtype"], both["precision"]) == ("fp8", "fp8")


def test_what_only_up_refuses(deploy: Deploy) -> None:
    arguments = ("--profile", "8xh100", "--model", "meta-llama/Llama-3.1-405B-Instruct")
    data = answer(deploy, *arguments)
    assert data["plan"] is None
    assert "needs 756.2 GiB of weights" in data["refused"]
    text = deploy("size", *arguments).stdout
    assert "Plan     `deploy up` refuses: meta-llama/Llama-3.1-405B-Instruct does not fit" in text
    assert "and there is none." in text


def test_the_objective_is_the_users(deploy: Deploy) -> None:
    assert answer(deploy, "--profile", "4xa100")["slo"] == {
        "ttft_p99_ms": TTFT_P99_MS,
        "tpot_ms": TPOT_MS,
        "ttft_p99_validated": False,
    }
    assert (TTFT_P99_MS, TPOT_MS) == (2000, 50), "what the help says"
    strict = answer(deploy, "--profile", "4xa100", "--ttft-p99-ms", "100", "--tpot-ms", "1")
    assert {one["bound"] for one in strict["candidates"]} == {"unreachable"}
    text = deploy("size", "--profile", "4xa100", "--tpot-ms", "1").stdout
    assert "No candidate keeps the latency objective at any load." in text


def test_measured_runs_of_the_same_server(deploy: Deploy) -> None:
    arguments = ("--profile", "8xh100", "--model", "openai/gpt-oss-120b")
    first = answer(deploy, *arguments)["measured_near"][0]
    assert first["model"] == "openai/gpt-oss-120b"
    assert {"model", "accelerator", "precision", "engine"} <= set(first["same"])
    assert first["measured"] == "2026-03-27"
    markdown = deploy("size", *arguments, "-o", "markdown").stdout
    assert "\n\n| Measured | Estimate | Source | Compared with the plan |\n" in markdown
    assert "\n\n[1] 2026-03-27: https://github.com/ai-dynamo/aiconfigurator" in markdown


def test_no_other_verb_reads_them(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes 36 ms."""
    monkeypatch.setattr(load, "measured", lambda: pytest.fail("read"))
    for verb in ("cost --profile 1xa100", "models", "profiles"):
        assert deploy(*verb.split()).exit_code == 0
    with pytest.raises(pytest.fail.Exception):
        deploy("size", "--profile", "1xa100")


def test_no_measured_run_is_said_too(deploy: Deploy) -> None:
    arguments = ("--profile", "1xa100", "--model", "google/gemma-2-27b-it")
    assert answer(deploy, *arguments)["measured_near"] == []
    assert "\nNo published run that is packaged here is near this plan" in deploy("size", *arguments).stdout


def test_markdown(deploy: Deploy) -> None:
    text = deploy("size", "--profile", "4xa100", "-o", "markdown").stdout
    assert "\n\n| Parallelism | Precision |" in text
    assert "| TP 4 (up) | bf16 | 1 | 32,768 |" in text


def test_more_traffic_than_it_serves(deploy: Deploy) -> None:
    arguments = ("--profile", "4xa100", "--requests-per-month", "900000000", "--replicas", "1")
    assert answer(deploy, *arguments)["plan"]["mean_load"] is None
    assert "at the mean load: more requests than it serves" in deploy("size", *arguments).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ("-m", "Qwen/Qwen2.5-72B-Instruct"),
            3,
            "needs 135.4 GiB of weights, has 72.8 GiB: use 4 GPUs, or int4\nNext: ",
        ),
        (("--tpot-ms", "0"), 2, "Invalid value for '--tpot-ms': must be above 0"),
        (("--tpot-ms", "-5"), 2, "Invalid value for '--tpot-ms': must be above 0"),
        (("--ttft-p99-ms", "nan"), 2, "Invalid value for '--ttft-p99-ms': must be above 0"),
        (("--ttft-p99-ms", "inf"), 2, "Invalid value for '--ttft-p99-ms': must be above 0"),
        (("--ttft-p99-ms", "soon"), 2, "'soon' is not a number of milliseconds"),
        (("--input-tokens", "50000"), 2, "exceeds max_model_len 40,960"),
    ],
)
def test_what_is_refused_says_why(deploy: Deploy, arguments: tuple[str, ...], code: int, message: str) -> None:
    found = deploy("size", "--profile", "1xa100", *arguments)
    assert (found.exit_code, found.stdout) == (code, "")
    assert message in found.stderr


def test_a_variable_is_named(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BREAKEVEN_TPOT_MS", "-1")
    assert "Invalid value for 'BREAKEVEN_TPOT_MS'" in deploy("size", "--profile", "1xa100").stderr


def test_an_estimate_that_no_run_tested_says_so(deploy: Deploy) -> None:
    asked = ("--profile", "8xh100", "--model", "nvidia/Qwen3-235B-A22B-NVFP4")
    said = "No run in nvfp4 was measured: its speed is estimated as 4-bit weights that are unpacked"
    assert said in deploy("size", *asked).stdout
    assert answer(deploy, *asked)["untested"].startswith(said)
    assert said in deploy("cost", *asked, "--explain").stdout
    assert answer(deploy, "--profile", "8xh100")["untested"] is None
