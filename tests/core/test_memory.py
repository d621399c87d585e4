"""Memory by hand, and its laws. Against what vLLM logged: tests/test_accuracy_memory.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven import load
from breakeven.core.engine_args import EngineArgs
from breakeven.core.hardware import Accelerator
from breakeven.core.memory import MARGIN_GIB, MemoryFit, kv_cache
from breakeven.core.units import GIB
from breakeven.errors import InputError

MODELS = load.models()
A100 = load.accelerators()["a100-80gb"]
H100 = load.accelerators()["h100-80gb"]
QWEN3_8B = MODELS["Qwen/Qwen3-8B"]
LLAMA_8B = MODELS["meta-llama/Llama-3.1-8B-Instruct"]


def fit(name: str, accelerator: Accelerator = H100, **args: Any) -> MemoryFit:
    return kv_cache(MODELS[name], accelerator, EngineArgs(**args))


def test_the_terms_add_up() -> None:
    # Usable 79.15 × 0.92 = 72.818. Weights 8.19e9 × 2 B = 15.255 and 40,960 × 128 × 2 B of rotary table = 15.265.
    # Sampler 256 × 151,936 × 14 B = 0.507, hidden 2,048 × 4,096 × 2 B = 0.016, + 0.14 = 0.663. Graphs 0.25 + 36 × 0.02.
    # 72.818 − 15.265 − 0.25 − 0.663 − 0.97 = 55.670 GiB, ÷ (16 × 147,456 B) = 25,336 blocks × 16 = 405,376 tokens.
    found = kv_cache(QWEN3_8B, A100)
    assert found.usable_gib == pytest.approx(72.818)
    assert found.weights_gib == pytest.approx(15.265, abs=0.001)
    assert found.non_torch_gib == 0.25
    assert found.cuda_graph_gib == pytest.approx(0.97)
    assert found.activation_gib == pytest.approx(0.663, abs=0.001)
    assert found.kv_gib == pytest.approx(55.670, abs=0.001)
    assert found.kv_tokens == found.blocks * 16 == pytest.approx(405_376, abs=16)
    assert found.overhead_gib == pytest.approx(0.25 + 0.663 + 0.97, abs=0.001)


def test_concurrency_is_of_whole_blocks() -> None:
    # A request of 1,000 tokens takes ceil(1,000 ÷ 16) = 63 blocks.
    found = kv_cache(QWEN3_8B, A100, EngineArgs(max_model_len=1000))
    assert found.concurrency == found.blocks / 63
    assert found.kv_tokens == int(found.blocks / 63 * 1000)


def test_older_versions_neither_subtract_graphs_nor_count_tokens_so() -> None:
    old = kv_cache(QWEN3_8B, A100, EngineArgs(max_model_len=1000, vllm_version="0.19.0"))
    new = kv_cache(QWEN3_8B, A100, EngineArgs(max_model_len=1000))
    assert old.kv_gib - new.kv_gib == pytest.approx(0.97)
    assert old.kv_tokens == old.blocks * 16


@pytest.mark.parametrize("version", ["0.16.2", "1", "nightly", ""])
def test_versions_that_are_not_understood_are_refused(version: str) -> None:
    with pytest.raises(InputError, match="vLLM"):
        kv_cache(QWEN3_8B, A100, EngineArgs(vllm_version=version))


def test_two_gpus_bring_the_buffers_of_nccl() -> None:
    assert fit("Qwen/Qwen3-8B", tensor_parallel_size=2).non_torch_gib == 2.1


def test_given_memory_replaces_the_estimate() -> None:
    # 10 GiB ÷ (16 × 131,072 B) = 5,120 blocks, and no margin is kept back.
    found = kv_cache(LLAMA_8B, H100, EngineArgs(kv_cache_memory_gib=(10.0,)))
    assert (found.blocks, found.safe_blocks, found.kv_gib) == (5120, 5120, 10.0)


def test_the_tightest_stage_counts() -> None:
    # 16 layers each: 65,536 B × 16 tokens a block. 10 GiB → 10,240, 9 GiB → 9,216.
    args = EngineArgs(pipeline_parallel_size=2, kv_cache_memory_gib=(10.0, 9.0))
    assert kv_cache(LLAMA_8B, H100, args).blocks == 9216


def test_the_last_stage_samples() -> None:
    first, only = (fit("meta-llama/Llama-3.1-8B-Instruct", pipeline_parallel_size=pp) for pp in (2, 1))
    # Sampler and hidden 1.775 + 0.14 alone; with a neighbour 2 × 8,192 × 4,096 × 2 B = 0.125 on the way besides.
    assert first.activation_gib - only.activation_gib == pytest.approx(0.125)


def test_stages_share_layers_and_ends_hold_embeddings() -> None:
    # 6.979e9 × 2 B ÷ 2 = 6.500, one embedding 128,256 × 4,096 × 2 B = 0.979, rotary 0.031. Logged: 7.51.
    assert fit("meta-llama/Llama-3.1-8B-Instruct", pipeline_parallel_size=2).weights_gib == pytest.approx(
        7.51, abs=0.01
    )


def test_experts_need_workspaces() -> None:
    # 8,192 tokens × 8 experts × (max(768, 2,048) + max(1,536, 2,048)) × 2 B = 0.5 GiB. Logged in all: 2.68.
    assert fit("Qwen/Qwen3-30B-A3B").activation_gib == pytest.approx(2.70, abs=0.01)


def test_mxfp4_experts_are_padded_to_tiles() -> None:
    # 2,880 → 2,944 and 3,072: 19.110e9 × 1.0904 × 0.53125 B + 1.798e9 × 2 B + rotary = 13.67 GiB. Logged: 13.64.
    assert fit("openai/gpt-oss-20b").weights_gib == pytest.approx(13.67, abs=0.01)


def test_latents_down_projections_are_whole_on_every_gpu() -> None:
    # (512 + 64 + 1,536) × 7,168 × 61 × 1 B = 0.860 GiB, of which an eighth is each GPU's own share.
    model = MODELS["deepseek-ai/DeepSeek-V3"]
    split = model.weights_gib / 8
    whole = 2112 * 7168 * 61 / GIB
    rotary = 163_840 * 64 * 2 / GIB
    found = fit("deepseek-ai/DeepSeek-V3", tensor_parallel_size=8).weights_gib
    assert found == pytest.approx(split + whole * 7 / 8 + rotary, abs=0.02)


def test_too_few_kv_heads_are_replicated() -> None:
    # 4 KV heads on 8 GPUs: each holds 1 instead of 0.5. 2 × 128 × 0.5 × 4,096 × 94 × 2 B = 0.092 GiB.
    model = MODELS["Qwen/Qwen3-235B-A22B"]
    rotary = 40_960 * 128 * 2 / GIB
    found = kv_cache(model, H100, EngineArgs(tensor_parallel_size=8)).weights_gib
    assert found == pytest.approx(model.weights_gib / 8 + 0.092 + rotary, abs=0.002)


def test_what_does_not_fit_holds_no_token() -> None:
    found = kv_cache(MODELS["Qwen/Qwen2.5-72B-Instruct"], A100)
    assert found.kv_gib < 0
    assert (found.kv_tokens, found.fits, found.longest(1000)) == (0, False, 0)


def test_the_longest_sequence_keeps_a_margin_and_vllms_own_block() -> None:
    found = kv_cache(LLAMA_8B, H100)
    kept = (found.kv_gib - MARGIN_GIB) * GIB // (16 * 131_072)
    assert found.longest(10**9) == (kept - 1) * 16


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"max_model_len": 40_961}, "max_model_len 40,961 exceeds the context of Qwen/Qwen3-8B, 40,960"),
        (
            {"tensor_parallel_size": 3},
            "tensor_parallel_size 3 does not divide Qwen/Qwen3-8B: it has 32 attention heads",
        ),
        ({"pipeline_parallel_size": 37}, "pipeline_parallel_size 37 exceeds the 36 layers of Qwen/Qwen3-8B"),
    ],
)
def test_what_vllm_refuses_whatever_the_memory(args: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as raised:
        kv_cache(QWEN3_8B, H100, EngineArgs(**args))
    assert str(raised.value) == message


@pytest.mark.parametrize("utilization", [0.0, 1.01])
def test_utilization_is_a_share(utilization: float) -> None:
    with pytest.raises(ValueError, match="gpu_memory_utilization must be"):
        EngineArgs(gpu_memory_utilization=utilization)


names = st.sampled_from(sorted(MODELS))
sizes = st.sampled_from([1, 2, 4, 8])


def splits(name: str, tp: int) -> int:
    """The size itself, or 1 where the model does not divide by it."""
    return tp if MODELS[name].divides_by(tp) else 1


@given(names, sizes, st.floats(min_value=16, max_value=300), st.floats(min_value=0, max_value=100))
def test_more_memory_never_lowers_the_cache(name: str, tp: int, memory_gib: float, more_gib: float) -> None:
    args = EngineArgs(tensor_parallel_size=splits(name, tp))
    smaller, larger = replace(H100, memory_gib=memory_gib), replace(H100, memory_gib=memory_gib + more_gib)
    assert kv_cache(MODELS[name], larger, args).blocks >= kv_cache(MODELS[name], smaller, args).blocks


@given(names, sizes, st.integers(1, 4096), st.integers(0, 4096))
def test_a_larger_context_never_raises_concurrency(name: str, tp: int, length: int, more: int) -> None:
    limit = MODELS[name].context_length
    found = kv_cache(MODELS[name], H100, EngineArgs(tensor_parallel_size=splits(name, tp)))
    assert found.requests(min(length + more, limit)) <= found.requests(min(length, limit))


@given(names, st.sampled_from([1, 2, 4]))
def test_a_larger_share_of_the_gpu_never_lowers_it(name: str, tp: int) -> None:
    size = splits(name, tp)
    less, more = (EngineArgs(tensor_parallel_size=size, gpu_memory_utilization=u) for u in (0.8, 0.9))
    assert kv_cache(MODELS[name], H100, more).kv_gib >= kv_cache(MODELS[name], H100, less).kv_gib


@given(names, sizes)
def test_fp8_never_holds_less(name: str, tp: int) -> None:
    size = splits(name, tp)
    plain, fp8 = (EngineArgs(tensor_parallel_size=size, kv_cache_dtype=dtype) for dtype in ("auto", "fp8"))
    length = min(8192, MODELS[name].context_length)
    assert kv_cache(MODELS[name], H100, fp8).requests(length) >= kv_cache(MODELS[name], H100, plain).requests(length)


@given(names, sizes, st.integers(1, 10**6))
def test_the_longest_that_it_holds_is_the_longest(name: str, tp: int, limit: int) -> None:
    found = kv_cache(MODELS[name], H100, EngineArgs(tensor_parallel_size=splits(name, tp)))
    longest = found.longest(limit)
    assert longest == 0 or found.holds(longest)
    assert longest == limit or not found.holds(longest + 1)


def test_per_layer_embeddings_are_whole_on_every_stage() -> None:
    # Gemma 4 E2B: 2.349e9 × 2 B = 4.375 GiB and the embedding, 0.75 GiB, on both; half of the rest:
    # (5.104 − 2.349 − 0.403)e9 × 2 B ÷ 2 = 2.191 GiB. The stage before the last has 18 of 35 layers.
    one, two = (fit("google/gemma-4-E2B-it", pipeline_parallel_size=stages) for stages in (1, 2))
    rotary = 131_072 * 512 * 2 / GIB
    assert one.weights_gib - rotary == pytest.approx(5.104e9 * 2 / GIB, abs=0.001)
    assert two.weights_gib - rotary == pytest.approx(4.375 + 0.75 + 2.191 * 2 * 18 / 35, abs=0.15)


def test_nvfp4_takes_what_is_left_out_in_16_bits() -> None:
    # 115.964e9 × 0.5625 B + (122.558 − 115.964)e9 × 2 B = 78.4 GB.
    model = MODELS["nvidia/Qwen3.5-122B-A10B-NVFP4"]
    assert model.weights_bytes / 1e9 == pytest.approx(78.4, abs=0.05)
