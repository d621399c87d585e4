from __future__ import annotations

from dataclasses import replace
from math import log

import pytest

from breakeven import load
from breakeven.core.measured import Near, Run, Series, Sought, nearest
from breakeven.core.split import Split

MODELS, ACCELERATORS = load.models(), load.accelerators()

RUN = Run(input_tokens=512, output_tokens=256, requests_per_second=20.0, concurrency=64)
SERIES = Series(
    model="meta-llama/Llama-3.1-8B-Instruct",
    ran="Llama-3.1-8B",
    accelerator="h100-80gb",
    tensor_parallel_size=1,
    precision="bf16",
    engine="vllm",
    source="https://example.org/table",
    measured="2026-03",
    runs=(RUN,),
)
SOUGHT = Sought(
    model=MODELS["meta-llama/Llama-3.1-8B-Instruct"],
    accelerator=ACCELERATORS["h100-80gb"],
    split=Split(tensor_parallel_size=1, precision="bf16"),
    input_tokens=512,
    output_tokens=256,
    concurrency=64,
    saturated_concurrency=64,
)


def near(*series: Series, sought: Sought = SOUGHT) -> tuple[Near, ...]:
    return nearest(series, MODELS, ACCELERATORS, sought)


def test_the_very_run() -> None:
    (found,) = near(SERIES)
    assert found.distance == 0
    assert found.same == ("model", "accelerator", "TP", "precision", "engine", "shape", "load")
    assert found.other == ()
    assert found.estimated_requests_per_second == pytest.approx(20, rel=0.3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"accelerator": "h200-141gb"}, "H200 141 GB SXM"),
        ({"tensor_parallel_size": 2}, "TP 2"),
        ({"precision": "fp8"}, "fp8"),
        ({"kv_cache_dtype": "fp8"}, "bf16, KV fp8"),
        ({"engine": "TensorRT-LLM", "engine_version": "1.0"}, "TensorRT-LLM 1.0"),
        ({"model": "meta-llama/Meta-Llama-3-8B-Instruct"}, "Llama-3.1-8B of the same shape"),
        ({"model": "Qwen/Qwen3-8B"}, "Llama-3.1-8B of 8.2 B"),
        ({"runs": (replace(RUN, input_tokens=1000),)}, "1,000 in + 256 out"),
        ({"runs": (replace(RUN, concurrency=8),)}, "8 at once"),
    ],
)
def test_each_difference_is_named_and_puts_a_run_further_away(change: dict[str, object], said: str) -> None:
    first, second = near(replace(SERIES, **change), SERIES)  # type: ignore[arg-type]
    assert first.distance == 0
    assert second.distance > 0
    assert second.other == (said,)


def test_distance_by_hand() -> None:
    # TP 2 weighs 0.7 × ln 2, a prompt twice as long 0.5 × ln 2, four times as many at once 0.25 × ln 4.
    run = replace(RUN, input_tokens=1024, concurrency=256)
    (found,) = near(replace(SERIES, tensor_parallel_size=2, runs=(run,)))
    assert found.distance == pytest.approx((0.7 + 0.5 + 0.25 * 2) * log(2))


def test_a_run_without_concurrency_is_as_full_as_the_plan_can_be() -> None:
    saturated = replace(SERIES, runs=(replace(RUN, concurrency=None),))
    (found,) = near(saturated, sought=replace(SOUGHT, saturated_concurrency=128))
    assert found.other == ("saturated",)
    assert near(saturated)[0].distance == 0


def test_one_run_of_each_shape_of_request_at_the_nearest_load() -> None:
    runs = (replace(RUN, concurrency=8), RUN, replace(RUN, concurrency=512), replace(RUN, input_tokens=500))
    found = near(replace(SERIES, runs=runs))
    assert [(one.run.input_tokens, one.run.concurrency) for one in found] == [(512, 64), (500, 64)]


def test_what_is_not_comparable_is_not_shown() -> None:
    assert near(replace(SERIES, model="meta-llama/Llama-3.3-70B-Instruct")) == (), "another size"
    assert near(replace(SERIES, model="Qwen/Qwen3-30B-A3B")) == (), "experts"
    assert near(replace(SERIES, runs=(replace(RUN, input_tokens=100_000, output_tokens=20_000),))) == (), "too far"


def test_at_most_three() -> None:
    runs = tuple(replace(RUN, input_tokens=512 + number) for number in range(9))
    assert [one.run.input_tokens for one in near(replace(SERIES, runs=runs))] == [512, 513, 514]


def test_no_estimate_of_what_would_not_fit() -> None:
    sought = replace(SOUGHT, accelerator=ACCELERATORS["t4-16gb"])
    (found,) = near(replace(SERIES, accelerator="t4-16gb"), sought=sought)
    assert found.estimated_requests_per_second is None


def test_only_positive_figures() -> None:
    with pytest.raises(ValueError, match="requests_per_second must be above 0"):
        replace(RUN, requests_per_second=0)
