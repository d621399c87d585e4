from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from breakeven import load

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


@pytest.mark.parametrize("name", sorted(load.models()))
def test_packaged_models_name_a_source_and_a_hosted_twin(name: str) -> None:
    model = load.models()[name]
    assert model.source.startswith("https://")
    assert "/" in model.comparator
    assert model.attention_heads % model.kv_heads == 0
