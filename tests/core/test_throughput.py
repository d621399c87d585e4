from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven import load
from breakeven.core.memory import fit
from breakeven.core.throughput import BAND, Capacity, capacity
from breakeven.core.workload import Workload

A100 = load.accelerators()["a100-80gb"]
H100 = load.accelerators()["h100-80gb"]


def per_second(name: str, gpu: object, tp: int, workload: Workload) -> Capacity:
    accelerator = H100 if gpu is H100 else A100
    model = load.models()[name]
    return capacity(model, accelerator, fit(model, accelerator, tp), tp, workload)


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
    assert found.requests_per_second == pytest.approx(16.87, abs=0.01)


def test_the_band_is_symmetric_in_ratio() -> None:
    found = Capacity(requests_per_second=13.0)
    assert [found.low, found.high] == pytest.approx([10.0, 16.9])
    assert found.high / found.low == pytest.approx(BAND**2)


def test_a_measured_row_lies_within_twice() -> None:
    """TensorRT-LLM 0.14 measured 3.6 requests/s for Llama-3.1-8B FP16 at 1,000/1,000 on one A100.

    https://github.com/NVIDIA/TensorRT-LLM/blob/v0.14.0/docs/source/performance/perf-overview.md
    """
    found = per_second("meta-llama/Llama-3.1-8B-Instruct", A100, 1, Workload(input_tokens=1000, output_tokens=1000))
    assert 3.6 / 2 < found.requests_per_second < 3.6 * 2


def test_a_newer_gpu_serves_more() -> None:
    older = per_second("Qwen/Qwen3-8B", A100, 1, Workload())
    assert per_second("Qwen/Qwen3-8B", H100, 1, Workload()).requests_per_second > older.requests_per_second


def test_without_kv_cache_one_sequence_runs_at_a_time() -> None:
    found = per_second("Qwen/Qwen2.5-72B-Instruct", A100, 1, Workload())
    assert 0 < found.requests_per_second < 0.1


@given(st.integers(1, 8_000), st.integers(1, 2_000), st.integers(1, 1_000))
def test_longer_requests_are_served_less_often(input_tokens: int, output_tokens: int, more: int) -> None:
    shorter = Workload(input_tokens=input_tokens, output_tokens=output_tokens)
    longer = Workload(input_tokens=input_tokens + more, output_tokens=output_tokens)
    for name in ("Qwen/Qwen3-8B", "meta-llama/Llama-3.3-70B-Instruct"):
        slow, fast = per_second(name, H100, 4, longer), per_second(name, H100, 4, shorter)
        assert 0 < slow.requests_per_second <= fast.requests_per_second * (1 + 1e-9)
