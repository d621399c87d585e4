"""Blocks of hybrid models by hand (formulas: vllm/v1/core/kv_cache_utils.py)."""

from __future__ import annotations

from typing import Any

from breakeven import load
from breakeven.core.engine_args import EngineArgs, rules
from breakeven.core.kv_layout import Group, KvLayout, kv_layout


def layout(name: str, in_flight: int = 8192, **args: Any) -> KvLayout:
    given = EngineArgs(**args)
    return kv_layout(load.models()[name], given, rules(given.vllm_version), in_flight)


def tables(found: KvLayout) -> dict[str, int]:
    return {group.kind: group.tables for group in found.groups}


def test_one_table_for_uniform_layers() -> None:
    # 36 layers × 4,096 B × 16 tokens.
    found = layout("Qwen/Qwen3-8B")
    assert tables(found) == {"full": 1}
    assert found.bytes_per_block() == 36 * 4096 * 16
    assert found.blocks_per_request(33) == 3


def test_the_index_is_part_of_the_block() -> None:
    # 64 tokens × 61 layers × (1,152 + 132) B.
    assert layout("deepseek-ai/DeepSeek-V3.2").bytes_per_block() == 64 * 61 * 1284


def test_windows_are_dealt_into_groups_of_the_smaller_kind() -> None:
    # Gemma 3 12B: 8 full and 40 sliding layers: 1 and 5 tables of 8 layers.
    found = layout("google/gemma-3-12b-it")
    assert (tables(found), found.group_layers) == ({"full": 1, "sliding": 5}, 8)
    # 32,768 tokens: full 2,048 blocks; sliding ceil((1,024 − 1 + 8,192) ÷ 16) + 1 = 577 each.
    assert found.blocks_per_request(32_768) == 2048 + 5 * 577
    # Shorter than the window and what is in flight: 512 blocks, and sliding 513 each.
    assert found.blocks_per_request(8192) == 512 + 5 * 513


def test_kinds_of_similar_size_make_groups_of_the_larger() -> None:
    # Gemma 2 2B: 13 of each. gpt-oss with one layer more of a kind would be padded: 13 < 1.5 × 12.
    found = layout("google/gemma-2-2b-it")
    assert (tables(found), found.group_layers) == ({"full": 1, "sliding": 1}, 13)


def test_unequal_heads_share_a_page() -> None:
    # Gemma 4 26B: sliding 2 × 8 × 256 × 2 B = 8,192 B a token, full 2 × 2 × 512 × 2 B = 4,096 B: twice the tokens.
    found = layout("google/gemma-4-26B-A4B-it")
    assert {group.kind: group.block_tokens for group in found.groups} == {"full": 32, "sliding": 16}
    assert (tables(found), found.page_bytes) == ({"full": 1, "sliding": 5}, 16 * 8192)


def test_states_stretch_the_block() -> None:
    # Qwen3.5 27B: 48 × 128 × 128 × 4 B + 10,240 × 3 × 2 B = 3,207,168 B; ÷ (16 × 4,096 B) = 48.9, so 49 × 16 tokens.
    found = layout("Qwen/Qwen3.5-27B")
    assert (found.block_tokens, found.page_bytes) == (784, 784 * 4096)
    # 16 attention and 48 recurrent layers: 1 and 3 tables; two states each with prefix caching, one without.
    assert found.blocks_per_request(784) == 1 + 3 * 2
    assert layout("Qwen/Qwen3.5-27B", enable_prefix_caching=False).blocks_per_request(785) == 2 + 3


def test_states_are_split_over_the_gpus() -> None:
    # Half a state, and half the heads: the block stays.
    assert layout("Qwen/Qwen3.5-27B", tensor_parallel_size=2).block_tokens == 784
    # 2 KV heads are replicated from 4 GPUs on, the state is not.
    assert (
        layout("Qwen/Qwen3.5-35B-A3B", tensor_parallel_size=4).block_tokens
        < layout("Qwen/Qwen3.5-35B-A3B", tensor_parallel_size=2).block_tokens
    )


def test_chunks_are_freed_since_0_32() -> None:
    # Llama 4 Scout: 12 full and 36 chunked layers of 8,192 tokens.
    found = layout("meta-llama/Llama-4-Scout-17B-16E-Instruct")
    assert (tables(found), found.group_layers) == ({"full": 1, "chunked": 3}, 12)
    # 65,536 tokens: 4,096 blocks, and (8,192 + 8,192) ÷ 16 = 1,024 for each of three tables.
    assert found.blocks_per_request(65_536) == 4096 + 3 * 1024
    assert tables(layout("meta-llama/Llama-4-Scout-17B-16E-Instruct", vllm_version="0.19.0")) == {"full": 1}


def test_stages_hold_their_share_of_a_group() -> None:
    found = layout("google/gemma-3-12b-it")
    assert found.bytes_per_block(0.5) == found.bytes_per_block() // 2


def test_a_window_may_begin_within_a_block() -> None:
    # 4 tokens in blocks of 4 may lie in two.
    assert Group(kind="sliding", tables=1, block_tokens=4, window=4).blocks(100, 1) == 2


def test_layers_that_share_a_cache_are_in_no_group() -> None:
    # Gemma 4 E2B: 3 full layers of 2,048 B a token and 12 sliding ones of 1,024 B, of 35.
    found = layout("google/gemma-4-E2B-it")
    assert (tables(found), found.group_layers, found.page_bytes) == ({"full": 1, "sliding": 4}, 3, 16 * 2048)


def test_auto_is_what_the_checkpoint_asks_for() -> None:
    in_16_bits, asked = layout("Qwen/Qwen3-235B-A22B"), layout("nvidia/Qwen3-235B-A22B-NVFP4")
    assert 2 * asked.bytes_per_block() == in_16_bits.bytes_per_block()
    assert asked == layout("nvidia/Qwen3-235B-A22B-NVFP4", kv_cache_dtype="fp8")
