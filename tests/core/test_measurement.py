from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from breakeven import load
from breakeven.core.deployment import Deployment, EngineChoice
from breakeven.core.measurement import Measurement
from breakeven.core.plan import Plan
from breakeven.core.record import record_plan
from breakeven.core.sizing import size
from breakeven.core.slo import Slo
from breakeven.core.throughput import BAND
from breakeven.core.workload import Workload
from breakeven.errors import InputError

Planned = Callable[..., Plan]

RUN = Measurement(
    model="Qwen/Qwen2.5-72B-Instruct",
    accelerator="a100-80gb",
    tensor_parallel_size=4,
    input_tokens=500,
    output_tokens=200,
    requests_per_second=2.0,
    source="load test 17",
    date=date(2026, 11, 20),
)
SATURATED = replace(RUN, requests_per_second=None, saturated_requests_per_second=3.0)


def test_a_measured_rate_takes_the_place_of_the_estimate(planned: Planned) -> None:
    estimated, found = planned("4xa100"), planned("4xa100", measured=RUN)
    assert estimated.capacity.basis == "estimate"
    assert "docs/accuracy-throughput.md" in estimated.capacity.source
    one = found.capacity
    assert (one.requests_per_second, one.low, one.high) == (2.0, 2.0, 2.0)
    assert (one.basis, one.source, one.date) == ("measured", "load test 17", date(2026, 11, 20))
    assert one.saturated_basis == "estimate"
    assert one.saturated_requests_per_second == estimated.capacity.saturated_requests_per_second
    # Little's law: as many fewer are open as are served.
    share = 2.0 / estimated.capacity.requests_per_second
    assert one.concurrency == pytest.approx(share * estimated.capacity.concurrency)


def test_replicas_follow_it(planned: Planned) -> None:
    """20 million requests a month are 7.61 a second; 77 % of 2.0 a replica: 4.94, so 5."""
    workload = Workload(requests_per_month=20_000_000)
    assert planned("4xa100", workload=workload, measured=RUN).replicas == 5


def test_of_a_saturated_run_the_share_within_the_objective_is_the_models(planned: Planned) -> None:
    estimated, one = planned("4xa100").capacity, planned("4xa100", measured=SATURATED).capacity
    share = estimated.requests_per_second / estimated.saturated_requests_per_second
    assert one.saturated_requests_per_second == 3.0
    assert one.requests_per_second == pytest.approx(3.0 * share)
    assert (one.basis, one.saturated_basis, one.source) == ("estimate", "measured", "load test 17")
    assert one.high == pytest.approx(one.requests_per_second * BAND)


def test_more_within_the_objective_than_was_thought_possible(planned: Planned) -> None:
    one = planned("4xa100", measured=replace(RUN, requests_per_second=50.0)).capacity
    assert (one.requests_per_second, one.saturated_requests_per_second) == (50.0, 50.0)


def test_what_was_measured_within_the_objective_is_possible(planned: Planned) -> None:
    with pytest.raises(Exception, match="even one request alone"):
        planned("4xa100", slo=Slo(tpot_ms=5))
    assert planned("4xa100", slo=Slo(tpot_ms=5), measured=RUN).capacity.requests_per_second == 2.0
    with pytest.raises(Exception, match="even one request alone"):
        planned("4xa100", slo=Slo(tpot_ms=5), measured=SATURATED)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model": "Qwen/Qwen3-32B"}, "is of Qwen/Qwen3-32B, the plan Qwen/Qwen2.5-72B-Instruct"),
        ({"accelerator": "h100-80gb"}, "ran on h100-80gb, the plan a100-80gb"),
        ({"engine": "TensorRT-LLM"}, "ran in tensorrt-llm, the plan vllm"),
        ({"tensor_parallel_size": 2}, "has tensor_parallel_size 2, the plan 4"),
        ({"pipeline_parallel_size": 2}, "has pipeline_parallel_size 2, the plan 1"),
        ({"precision": "fp8"}, "has precision fp8, the plan bf16"),
        ({"kv_cache_dtype": "fp8"}, "has kv_cache_dtype fp8, the plan auto"),
        ({"cached_share": 0.5}, "has cached_share 0.5, the plan 0.0"),
        ({"input_tokens": 600}, "has input_tokens 600, the plan 500"),
        ({"output_tokens": 150}, "has output_tokens 150, the plan 200"),
        ({"tpot_ms": 51.0}, "took tpot_ms 51, the plan allows 50"),
        ({"ttft_p99_ms": 2500.0}, "took ttft_p99_ms 2,500, the plan allows 2,000"),
    ],
)
def test_another_run_is_refused_with_the_reason(planned: Planned, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match="does not fit the plan") as refused:
        planned("4xa100", measured=replace(RUN, **change))
    assert refused.value.message.endswith(f"It {reason}")
    assert refused.value.exit_code == 2


def test_every_reason_is_said_at_once(planned: Planned) -> None:
    with pytest.raises(InputError, match=r"It ran in sglang, the plan vllm; it has tensor_parallel_size 2, the plan 4"):
        planned("4xa100", measured=replace(RUN, engine="sglang", tensor_parallel_size=2))


def test_about_the_same_shape_will_do(planned: Planned) -> None:
    run = replace(RUN, input_tokens=512, output_tokens=190, ttft_p99_ms=1900.0, tpot_ms=49.0, engine="vLLM")
    assert planned("4xa100", measured=run).capacity.basis == "measured"


def test_a_choice_of_the_engine_plans_what_was_measured(planned: Planned) -> None:
    run = replace(RUN, model="Qwen/Qwen3-8B", tensor_parallel_size=2)
    with pytest.raises(InputError, match="tensor_parallel_size"):
        planned("4xa100", model="Qwen/Qwen3-8B", measured=run)
    asked = EngineChoice(tensor_parallel_size=2)
    assert planned("4xa100", model="Qwen/Qwen3-8B", engine=asked, measured=run).capacity.basis == "measured"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"requests_per_second": None}, "requests_per_second must be given, or saturated_requests_per_second"),
        ({"saturated_requests_per_second": 1.0}, "must not exceed saturated_requests_per_second"),
        ({"requests_per_second": -1.0}, "requests_per_second must be above 0"),
        ({"source": " "}, "source must say where the figures are from"),
    ],
)
def test_what_is_no_measurement(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(RUN, **change)


def test_a_stack_records_it_and_reads_the_same_again(planned: Planned) -> None:
    made = Deployment(profile="4xa100", measured=RUN)
    recorded = json.loads(json.dumps(load.plain(made)))
    assert recorded["measured"]["date"] == "2026-11-20"
    assert load.deployment_from(recorded, "stack") == made
    assert record_plan(planned("4xa100", measured=RUN))["capacity"] == {
        "requests_per_second": 2.0,
        "basis": "measured",
        "source": "load test 17",
        "date": "2026-11-20",
    }


def test_saturated_rates_in_size_are_the_measured_ones() -> None:
    made = Deployment(profile="4xa100", measured=SATURATED)
    found = size(made, load.facts(made)).planned
    assert found is not None
    rates = found.saturated
    assert (rates.requests_per_second.low, rates.requests_per_second.high) == (3.0, 3.0)
    assert rates.output_tokens_per_second.value == pytest.approx(600)
    assert rates.total_tokens_per_second.value == pytest.approx(2100)
