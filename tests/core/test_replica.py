from __future__ import annotations

from dataclasses import replace

import pytest
from tests.core.replicas import LLAMA_8B, MIXTRAL, SERVER


def test_parameters_of_a_mixture() -> None:
    # (46.7 − 12.9) ÷ (1 − 2/8) = 45.07 billion in experts; embeddings 2 × 32,000 × 4,096 = 0.26; 1.37 are left.
    assert MIXTRAL.expert_parameters == pytest.approx(45.07e9, rel=1e-3)
    assert MIXTRAL.shared_parameters == pytest.approx(1.37e9, rel=1e-2)
    assert MIXTRAL.layer_outputs == pytest.approx((12.9e9 - 0.262e9) / 4096, rel=1e-3)


def test_a_dense_model_has_no_experts() -> None:
    assert LLAMA_8B.expert_parameters == 0


def test_sequences_held() -> None:
    # 50 GiB ÷ (1,000 × 131,072 B) = 409.6; twice that over two stages; a window of 10 MiB each counts besides.
    assert SERVER.sequences_held(1000) == pytest.approx(409.6)
    assert replace(SERVER, pipeline_parallel_size=2).sequences_held(1000) == pytest.approx(819.2)
    windowed = replace(SERVER, model=replace(LLAMA_8B, kv_bytes_per_sequence=131_072_000))
    assert windowed.sequences_held(1000) == pytest.approx(204.8)
    assert replace(SERVER, kv_cache_gib=-3).sequences_held(1000) == 1


def test_a_window_counts_up_to_its_end() -> None:
    # 1,000 tokens in full, and of another 50,000 B a token the last 600: 131,072,000 + 30,000,000 B.
    model = replace(LLAMA_8B, kv_bytes_per_window_token=50_000, window_tokens=600)
    assert model.kv_bytes(1000) == 161_072_000
    assert model.kv_bytes(100) == 100 * 181_072


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": 0}, "layers must be above 0"),
        ({"active_parameters_billion": 9.0}, "must not exceed"),
        ({"experts": 8, "experts_per_token": 9}, "experts_per_token"),
        ({"experts": 8}, "experts_per_token"),
    ],
)
def test_shapes_that_cannot_be(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(LLAMA_8B, **changes)  # type: ignore[arg-type]


def test_a_replica_has_gpus() -> None:
    with pytest.raises(ValueError, match="tensor_parallel_size must be above 0"):
        replace(SERVER, tensor_parallel_size=0)
