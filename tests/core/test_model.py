from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from breakeven import load
from breakeven.core.architecture import Experts, Sliding
from breakeven.core.precision import Precision

QWEN3_8B = load.models()["Qwen/Qwen3-8B"]
QWEN3_235B = load.models()["Qwen/Qwen3-235B-A22B"]


def test_weights_are_two_bytes_a_parameter() -> None:
    # 8.19e9 × 2 B ÷ 2^30 = 15.255 GiB
    assert QWEN3_8B.weights_bytes == pytest.approx(16.38e9)
    assert QWEN3_8B.weights_gib == pytest.approx(15.255, abs=0.001)


def test_kv_bytes_are_keys_and_values_of_all_layers() -> None:
    # 2 × 36 layers × 8 heads × 128 × 2 B = 147,456 B; half of the heads on each of two GPUs.
    assert QWEN3_8B.kv_bytes_per_token(1) == 147_456
    assert QWEN3_8B.kv_bytes_per_token(2) == 73_728


def test_kv_heads_are_replicated_when_gpus_outnumber_them() -> None:
    # 4 KV heads: one each on 4 GPUs, and one each on 8 too. 2 × 94 × 1 × 128 × 2 B = 48,128 B.
    assert QWEN3_235B.kv_bytes_per_token(4) == QWEN3_235B.kv_bytes_per_token(8) == 48_128


@pytest.mark.parametrize(
    ("tp", "divides"), [(1, True), (2, True), (3, False), (4, True), (8, True), (16, True), (64, False)]
)
def test_heads_must_divide(tp: int, divides: bool) -> None:
    # 32 attention and 8 KV heads: 16 GPUs share KV heads, 64 would cut attention heads.
    assert QWEN3_8B.divides_by(tp) is divides


def test_experts_are_told_by_the_active_parameters() -> None:
    assert QWEN3_235B.is_moe
    assert not QWEN3_8B.is_moe


@pytest.mark.parametrize("field", ["parameters_billion", "layers", "kv_heads", "context_length"])
def test_facts_must_be_positive(field: str) -> None:
    with pytest.raises(ValueError, match=rf"^{field} must be above 0"):
        replace(QWEN3_8B, **cast(Any, {field: 0}))


def test_active_parameters_are_part_of_all() -> None:
    with pytest.raises(ValueError, match="active_parameters_billion must not exceed parameters_billion"):
        replace(QWEN3_8B, active_parameters_billion=9.0)


def test_the_vocabulary_must_divide_once_it_is_padded_to_64() -> None:
    # Qwen3-14B: 40 heads ÷ 5, but 151,936 = 64 × 2,374 does not; 49,155 pads to 49,216 = 64 × 769.
    assert load.models()["Qwen/Qwen3-14B"].why_not_split(5) == "a vocabulary of 151,936"
    assert load.models()["ibm-granite/granite-3.1-8b-instruct"].why_not_split(32) is None


def test_latents_are_not_split() -> None:
    # (512 + 64) × 2 B × 61 layers on every GPU; heads still divide: 128.
    deepseek = load.models()["deepseek-ai/DeepSeek-V3"]
    assert deepseek.kv_bytes_per_token(1) == deepseek.kv_bytes_per_token(8) == 70_272
    assert deepseek.divides_by(128)
    assert deepseek.why_not_split(256) == "128 attention heads"


def test_fp8_halves_the_cache() -> None:
    assert QWEN3_8B.kv_bytes_per_token(1, 1) == 73_728
    # Sparse latents are packed: 656 B, and the index stays.
    assert load.models()["deepseek-ai/DeepSeek-V3.2"].kv_bytes_per_token(1, 1) == 61 * (656 + 132)


@pytest.mark.parametrize(
    ("name", "precision", "gb"),
    [
        # Embeddings 2 × 128,256 × 4,096 = 1.051 B × 2 B = 2.101 GB; the other 6.979 B in each precision.
        ("meta-llama/Llama-3.1-8B-Instruct", "bf16", 16.06),
        ("meta-llama/Llama-3.1-8B-Instruct", "fp8", 2.101 + 6.979 * (1 + 4 / 16384)),
        ("meta-llama/Llama-3.1-8B-Instruct", "int8", 2.101 + 6.979 * (1 + 2 / 4096)),
        ("meta-llama/Llama-3.1-8B-Instruct", "int4", 2.101 + 6.979 * (0.5 + 2.5 / 128)),
        # 19.110 B of experts × (0.5 + 1 ÷ 32) B, the other 1.798 B in bf16.
        ("openai/gpt-oss-20b", "mxfp4", 19.110 * 0.53125 + 1.798 * 2),
    ],
)
def test_weights_by_precision(name: str, precision: Precision, gb: float) -> None:
    assert load.models()[name].weights_bytes_in(precision) / 1e9 == pytest.approx(gb, abs=0.002)


def test_dense_models_have_nothing_for_mxfp4() -> None:
    assert QWEN3_8B.weights_bytes_in("mxfp4") == QWEN3_8B.weights_bytes


def test_windows_and_states_are_part_of_the_layers() -> None:
    with pytest.raises(ValueError, match=r"^layers must be at least"):
        replace(QWEN3_8B, sliding=Sliding(layers=37, window=1024))
    with pytest.raises(ValueError, match=r"^layers must be at least"):
        replace(QWEN3_8B, attention_layers=37)


def test_parameters_are_more_than_the_embeddings() -> None:
    with pytest.raises(ValueError, match="parameters_billion must exceed the embeddings"):
        replace(QWEN3_8B, parameters_billion=1.2, active_parameters_billion=1.2)


def test_chosen_experts_are_some_of_all() -> None:
    with pytest.raises(ValueError, match="per_token must not exceed count"):
        Experts(count=4, per_token=5, intermediate_size=1, parameters_billion=1.0)
