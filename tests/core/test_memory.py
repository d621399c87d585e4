"""Memory against what startup logs of vLLM say (data/kv_cache_measured.json; each row has its source and date)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven import load
from breakeven.core.memory import GPU_MEMORY_UTILIZATION, fit
from breakeven.core.units import GIB

MEASURED: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "data" / "kv_cache_measured.json").read_text(encoding="utf-8")
)
A100 = load.accelerators()["a100-80gb"]
H100 = load.accelerators()["h100-80gb"]
QWEN3_8B = load.models()["Qwen/Qwen3-8B"]


def as_we_run_it_gib(row: dict[str, Any]) -> float:
    """The logged KV cache at our utilization, and without the CUDA graphs.

    The logs are of vLLM 0.19.0, which did not subtract the graphs; the pinned version does.
    """
    lower_limit = (row["gpu_memory_utilization"] - GPU_MEMORY_UTILIZATION) * row["gpu_total_gib"]
    return float(row["kv_available_gib"] - lower_limit - row["cuda_graph_gib"])


def row_id(row: dict[str, Any]) -> str:
    return f"{row['model']}-tp{row['tp']}"


@pytest.mark.parametrize("row", MEASURED, ids=row_id)
def test_kv_cache_is_never_above_what_was_measured(row: dict[str, Any]) -> None:
    model, tp = load.models()[row["model"]], row["tp"]
    ours = fit(model, H100, tp)
    measured_gib = as_we_run_it_gib(row)
    assert ours.kv_gib <= measured_gib
    assert ours.kv_tokens <= max(0, measured_gib * GIB / model.kv_bytes_per_token(tp))


@pytest.mark.parametrize("row", MEASURED, ids=row_id)
def test_kv_cache_is_within_a_gib_and_a_half_of_it(row: dict[str, Any]) -> None:
    """Erring towards "does not fit" must not become refusing what fits."""
    assert as_we_run_it_gib(row) - fit(load.models()[row["model"]], H100, row["tp"]).kv_gib < 1.5


@pytest.mark.parametrize("row", MEASURED, ids=row_id)
def test_bytes_per_token_are_those_of_the_log(row: dict[str, Any]) -> None:
    logged = row["kv_available_gib"] * GIB / row["kv_tokens"]
    assert load.models()[row["model"]].kv_bytes_per_token(row["tp"]) == pytest.approx(logged, rel=0.001)


@pytest.mark.parametrize("row", MEASURED, ids=row_id)
def test_weights_are_those_of_the_log(row: dict[str, Any]) -> None:
    ours = fit(load.models()[row["model"]], H100, row["tp"]).weights_gib
    assert ours == pytest.approx(row["weights_gib"], rel=0.01)


def test_the_terms_add_up() -> None:
    # Usable 79.15 × 0.92 = 72.818. Overhead: 4.1 × 1024 × 151936 × 4 B = 2.376, + 0.25 + 1.85 = 4.476.
    # 72.818 − 15.255 − 4.476 = 53.087 GiB, ÷ 147,456 B = 386,569 tokens, in blocks of 16: 386,560.
    found = fit(QWEN3_8B, A100, 1)
    assert found.usable_gib == pytest.approx(72.818)
    assert found.overhead_gib == pytest.approx(4.476, abs=0.001)
    assert found.kv_gib == pytest.approx(53.087, abs=0.001)
    assert found.kv_tokens == 386_560


def test_two_gpus_bring_the_buffers_of_nccl() -> None:
    # 2.2 − 0.25 = 1.95 GiB more on each GPU.
    assert fit(QWEN3_8B, A100, 2).overhead_gib - fit(QWEN3_8B, A100, 1).overhead_gib == pytest.approx(1.95)


def test_what_does_not_fit_holds_no_token() -> None:
    # 135.4 GiB of weights on one GPU of 72.8 GiB.
    found = fit(load.models()["Qwen/Qwen2.5-72B-Instruct"], A100, 1)
    assert found.kv_gib < 0
    assert found.kv_tokens == 0


@given(st.sampled_from(sorted(load.models())), st.sampled_from([1, 2, 4]), st.sampled_from([A100, H100]))
def test_kv_tokens_rise_with_tensor_parallelism(name: str, tp: int, accelerator: Any) -> None:
    model = load.models()[name]
    assert fit(model, accelerator, 2 * tp).kv_tokens >= fit(model, accelerator, tp).kv_tokens


@given(st.floats(min_value=16, max_value=200), st.floats(min_value=0, max_value=100))
def test_kv_tokens_rise_with_memory(memory_gib: float, more_gib: float) -> None:
    smaller, larger = replace(A100, memory_gib=memory_gib), replace(A100, memory_gib=memory_gib + more_gib)
    assert fit(QWEN3_8B, larger, 1).kv_tokens >= fit(QWEN3_8B, smaller, 1).kv_tokens
