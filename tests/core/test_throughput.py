from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven import load
from breakeven.core.engine_args import EngineArgs
from breakeven.core.memory import kv_cache
from breakeven.core.precision import Precision
from breakeven.core.throughput import BAND, Capacity, Estimate, Replica, estimate, replica, requests_of, untested
from breakeven.core.workload import Workload

A100 = load.accelerators()["a100-80gb"]
H100 = load.accelerators()["h100-80gb"]


def per_second(name: str, gpu: object, tp: int, workload: Workload) -> Estimate:
    accelerator = H100 if gpu is H100 else A100
    model = load.models()[name]
    memory = kv_cache(model, accelerator, EngineArgs(tensor_parallel_size=tp))
    return estimate(replica(model, accelerator, memory, tp), requests_of(workload))


def server(name: str, accelerator: str = "h100-80gb", tp: int = 8) -> Replica:
    model, gpu = load.models()[name], load.accelerators()[accelerator]
    return replica(model, gpu, kv_cache(model, gpu, EngineArgs(tensor_parallel_size=tp)), tp)


def test_one_replica_by_hand() -> None:
    # Qwen3-8B, A100, 500/200. 600 tokens × 147,456 B = 88.47 MB each; 256 sequences run (vLLM's default there), and
    # 256 × 500 ÷ 200 = 640 prompt tokens a step are less than the 2,048 − 256 that vLLM lets in: 896 tokens a step.
    # 8.19e9 − 2 × 151,936 × 4,096 = 6.945e9 weights. Compute: 896 × 13.89e9 ÷ (312e12 × 0.869 × 0.85) = 54.00 ms;
    # read: 13.89e9 ÷ (2,039e9 × 0.86) = 7.92 ms; they meet at 54.00 × (1 + (7.92 ÷ 54.00)^2.5)^0.4 = 54.18 ms.
    # KV cache 256 × 88.47e6 ÷ (2,039e9 × 0.83) = 13.38 ms; attention of prompts 2 × 640 × 250 × 8,192 × 36
    # ÷ (271.1e12 × 0.65) = 0.54 ms. Element-wise 896 × (1.5 × 1.696e6 + 8 × 4,096 × 36) × 2 B ÷ 2,039e9 = 3.27 ms.
    # 36 layers × 25 µs = 0.90 ms. Head 1.49 ms, logits 0.48 ms, step 0.70 ms, 257 sequences × 3.6 µs = 0.93 ms.
    # 75.87 ms in all; 256 ÷ (0.07587 × 200) = 16.87 requests/s.
    found = per_second("Qwen/Qwen3-8B", A100, 1, Workload())
    assert found.requests_per_second.value == pytest.approx(16.87, abs=0.01)


def test_the_band_is_symmetric_in_ratio() -> None:
    found = Capacity(
        requests_per_second=13.0, saturated_requests_per_second=20.0, concurrency=9.0, request_s=1.0, bound="tpot"
    )
    assert [found.low, found.high] == pytest.approx([10.0, 16.9])
    assert found.high / found.low == pytest.approx(BAND**2)


def test_a_measured_row_lies_within_twice() -> None:
    """TensorRT-LLM 0.14 measured 3.6 requests/s for Llama-3.1-8B FP16 at 1,000/1,000 on one A100.

    https://github.com/NVIDIA/TensorRT-LLM/blob/v0.14.0/docs/source/performance/perf-overview.md
    """
    found = per_second("meta-llama/Llama-3.1-8B-Instruct", A100, 1, Workload(input_tokens=1000, output_tokens=1000))
    assert 3.6 / 2 < found.requests_per_second.value < 3.6 * 2


def test_a_newer_gpu_serves_more() -> None:
    older = per_second("Qwen/Qwen3-8B", A100, 1, Workload())
    assert per_second("Qwen/Qwen3-8B", H100, 1, Workload()).requests_per_second.value > older.requests_per_second.value


def test_without_kv_cache_one_sequence_runs_at_a_time() -> None:
    found = per_second("Qwen/Qwen2.5-72B-Instruct", A100, 1, Workload())
    assert 0 < found.requests_per_second.value < 0.1


def test_every_record_makes_a_server() -> None:
    for name in load.models():
        shape = server(name, tp=1).model
        assert shape.kv_bytes(1000) > 0
        assert (shape.experts > 0) == load.models()[name].is_moe


def test_experts_are_the_records() -> None:
    shape = server("meta-llama/Llama-4-Scout-17B-16E-Instruct").model
    assert (shape.experts, shape.experts_per_token) == (16, 1)


def test_layers_with_a_window_count_up_to_its_end() -> None:
    # 48 layers with 1 of 8 KV heads on each of 8 GPUs: 2 × 128 × 2 B each, of which 36 within 8,192 tokens.
    shape = server("meta-llama/Llama-4-Scout-17B-16E-Instruct").model
    assert shape.kv_bytes(1000) == 1000 * 48 * 512
    assert shape.kv_bytes(10_000) == 10_000 * 12 * 512 + 8_192 * 36 * 512


def test_a_latent_is_whole_on_every_gpu() -> None:
    # 61 layers × 576 × 2 B; a head's query is 128 + 64 wide, its value 128.
    shape = server("deepseek-ai/DeepSeek-V3", "h200-141gb").model
    assert shape.kv_bytes(1) == 61 * 576 * 2
    assert shape.attention_width == 128 * 320


def test_a_recurrent_state_has_no_length() -> None:
    # 3,207,168 B × 48 layers on one GPU, twice; the other 16 keep 4 KV heads of 256.
    shape = server("Qwen/Qwen3.5-27B", tp=1).model
    assert shape.kv_bytes(100) == 100 * 16 * 2 * 4 * 256 * 2 + 2 * 48 * 3_207_168


def test_each_precision_has_its_width_and_its_flops() -> None:
    fp8, weight_only = server("Qwen/Qwen3-32B-FP8", tp=1), server("Qwen/Qwen3-32B-FP8", "a100-80gb", tp=1)
    assert fp8.model.bytes_per_weight == pytest.approx(1, abs=0.001)
    assert fp8.accelerator.tflops == pytest.approx(1979 * 0.709)
    assert weight_only.accelerator.tflops == weight_only.accelerator.bf16_tflops == pytest.approx(312 * 0.869)
    mxfp4 = server("openai/gpt-oss-120b").model
    assert (mxfp4.bytes_per_weight, mxfp4.shared_bytes_per_weight) == (0.53125, 2)
    assert server("Qwen/Qwen3-8B").model.shared_bytes_per_weight is None


@pytest.mark.parametrize("name", load.accelerators())
def test_every_accelerator_has_a_link(name: str) -> None:
    link = server("Qwen/Qwen3-0.6B", name, tp=1).accelerator.link
    assert (link == "pcie") == (load.accelerators()[name].link == "pcie")


@given(st.integers(1, 8_000), st.integers(1, 2_000), st.integers(1, 1_000))
def test_longer_requests_are_served_less_often(input_tokens: int, output_tokens: int, more: int) -> None:
    shorter = Workload(input_tokens=input_tokens, output_tokens=output_tokens)
    longer = Workload(input_tokens=input_tokens + more, output_tokens=output_tokens)
    for name in ("Qwen/Qwen3-8B", "meta-llama/Llama-3.3-70B-Instruct"):
        slow, fast = per_second(name, H100, 4, longer), per_second(name, H100, 4, shorter)
        assert 0 < slow.requests_per_second.value <= fast.requests_per_second.value * (1 + 1e-9)


def test_what_is_looked_up_is_not_multiplied() -> None:
    # Gemma 4 E2B: 5.104 − 2.349 billion; 35 layers read what 15 keep, and 3 + 4 of them look at the whole context.
    shape = server("google/gemma-4-E2B-it", tp=1).model
    assert shape.active_parameters_billion == pytest.approx(2.755)
    assert shape.reads_per_kept == pytest.approx(35 / 15)
    assert (shape.attention_layers, shape.window_layers) == (7, 28)


def test_a_precision_that_was_never_measured_says_so() -> None:
    measured = {series.precision for series in load.measured()}
    for precision in get_args(Precision):
        assert (untested(precision) is None) == (precision in measured), precision
    assert "No run in nvfp4 was measured" in str(untested("nvfp4"))
