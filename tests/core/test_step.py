"""By hand, with every share 1 and every fixed time 0 unless a test sets it, so that the arithmetic is a datasheet's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.core.replicas import BARE, DENSE, GPU, ONE

from breakeven.core.step import StepLoad, step_seconds

LIGHT = StepLoad(decodes=1, decode_context=0)


def test_few_sequences_wait_for_the_weights() -> None:
    # 10e9 × 2 B ÷ 2,000 GB/s = 10 ms; 1 × 2 × 10e9 ÷ 200 TFLOPS = 0.1 ms.
    assert step_seconds(ONE, LIGHT, BARE) == pytest.approx(10e-3, rel=1e-3)


def test_many_tokens_wait_for_the_matmuls() -> None:
    # 1,000 × 2 × 10e9 ÷ 200 TFLOPS = 100 ms.
    assert step_seconds(ONE, StepLoad(decodes=1000, decode_context=0), BARE) == pytest.approx(100e-3, rel=1e-3)


def test_decoding_reads_the_kv_cache_besides() -> None:
    # 50 × 4,000 tokens × 100,000 B ÷ 2,000 GB/s = 10 ms, after 10 ms of weights.
    load = StepLoad(decodes=50, decode_context=4000)
    assert step_seconds(ONE, load, BARE) == pytest.approx(20e-3, rel=1e-3)


def test_a_prompt_multiplies_its_attention() -> None:
    # Matmuls 1,000 × 2 × 10e9 ÷ 200 TFLOPS = 100 ms; attention 2 × 1,000 × 500 × 2,000 × 10 ÷ 200 TFLOPS = 0.1 ms.
    load = StepLoad(decodes=0, decode_context=0, prompt_tokens=1000, prompt_context=500)
    assert step_seconds(ONE, load, BARE) == pytest.approx(100.1e-3, rel=1e-5)


def test_a_mixture_reads_the_experts_that_are_chosen() -> None:
    # Total 10, active 4, 1 of 4 experts: experts hold (10 − 4) ÷ (1 − 1/4) = 8, the rest 2.
    # Two sequences: 1 − (3/4)² = 0.4375 of the experts. (2 + 0.4375 × 8) × 1e9 × 2 B ÷ 2,000 GB/s = 5.5 ms.
    model = replace(DENSE, active_parameters_billion=4, experts=4, experts_per_token=1)
    found = step_seconds(replace(ONE, model=model), StepLoad(decodes=2, decode_context=0), BARE)
    assert found == pytest.approx(5.5e-3, rel=1e-3)


def test_experts_work_in_whole_tiles() -> None:
    # All 4 experts are chosen; each pads half a tile of 128. 400 tokens ÷ 4 + 64 = 164 rows of 8e9 parameters:
    # 2 × 8e9 × 164 ÷ 200 TFLOPS = 13.12 ms; the rest 400 × 2 × 2e9 ÷ 200 TFLOPS = 8 ms.
    model = replace(DENSE, active_parameters_billion=4, experts=4, experts_per_token=1)
    tiled = replace(BARE, expert_tile_rows=128)
    found = step_seconds(replace(ONE, model=model), StepLoad(decodes=400, decode_context=0), tiled)
    assert found == pytest.approx(21.12e-3, rel=1e-3)


def test_tensor_parallel_gpus_halve_the_work_and_talk_about_it() -> None:
    # Weights 5 ms. Two all-reduces in each of 10 layers: 2 × 10 × (10 µs + 50 × 1,000 × 2 B × 2 × ½ ÷ 100 GB/s = 1 µs)
    # = 0.22 ms.
    pair = replace(ONE, tensor_parallel_size=2)
    found = step_seconds(pair, StepLoad(decodes=50, decode_context=0), replace(BARE, all_reduce_s=10e-6))
    assert found == pytest.approx(5.22e-3, rel=1e-3)


def test_pcie_has_a_share_of_its_own() -> None:
    # As above, over 100 GB/s of which a tenth is reached: 2 × 10 × 10 µs = 0.2 ms.
    pair = replace(ONE, tensor_parallel_size=2, accelerator=replace(GPU, link="pcie"))
    found = step_seconds(pair, StepLoad(decodes=50, decode_context=0), replace(BARE, pcie_share=0.1))
    assert found == pytest.approx(5.2e-3, rel=1e-3)


def test_a_stage_has_its_share_of_the_layers() -> None:
    # 10 ms of weights ÷ 2; sending 1 × 1,000 × 2 B × 2 is 0.04 µs.
    assert step_seconds(replace(ONE, pipeline_parallel_size=2), LIGHT, BARE) == pytest.approx(5e-3, rel=1e-3)


def test_fixed_times_add_up() -> None:
    # 10 ms + 10 layers × 20 µs + 1 ms + 1 sequence × 5 µs = 11.205 ms.
    fixed = replace(BARE, layer_s=20e-6, step_s=1e-3, sequence_s=5e-6)
    assert step_seconds(ONE, LIGHT, fixed) == pytest.approx(11.205e-3, rel=1e-4)


def test_elementwise_traffic() -> None:
    # Per token 1.5 × 10e9 ÷ 1,000 + 8 × 1,000 × 10 = 15,080,000 numbers × 2 B; 1,000 tokens ÷ (2,000 × 0.8 GB/s)
    # = 18.85 ms, after 100 ms of matmuls.
    found = step_seconds(ONE, StepLoad(decodes=1000, decode_context=0), replace(BARE, activation_traffic=1.0))
    assert found == pytest.approx(118.85e-3, rel=1e-3)


def test_unpacking_slows_matmuls_of_four_bit_weights() -> None:
    # 1,000 × 2 × 10e9 ÷ (200 TFLOPS × ½) = 200 ms.
    packed = replace(ONE, model=replace(DENSE, bytes_per_weight=0.5))
    found = step_seconds(packed, StepLoad(decodes=1000, decode_context=0), replace(BARE, unpack_share=0.5))
    assert found == pytest.approx(200e-3, rel=1e-3)


def test_what_is_not_an_expert_may_be_wider() -> None:
    # Experts 8e9 × 0.5 B, chosen by all; the rest 2e9 × 2 B: 8 GB ÷ 2,000 GB/s = 4 ms.
    model = replace(
        DENSE,
        active_parameters_billion=4,
        experts=4,
        experts_per_token=1,
        bytes_per_weight=0.5,
        shared_bytes_per_weight=2.0,
    )
    found = step_seconds(replace(ONE, model=model), StepLoad(decodes=30, decode_context=0), BARE)
    assert found == pytest.approx(4e-3, rel=1e-3)


def test_the_two_bounds_meet_softly() -> None:
    # Both 10 ms, at 100 tokens: with power 2, √2 × 10 ms.
    soft = replace(BARE, roofline_power=2.0)
    found = step_seconds(ONE, StepLoad(decodes=100, decode_context=0), soft)
    assert found == pytest.approx(14.142e-3, rel=1e-3)


def test_a_prompt_looks_no_further_than_its_window() -> None:
    # 10 layers look at all 500 tokens before, 10 at 100: 2 × 1,000 × 6,000 × 2,000 ÷ 200 TFLOPS = 0.12 ms.
    windowed = replace(ONE, model=replace(DENSE, window_layers=10, window_tokens=100))
    load = StepLoad(decodes=0, decode_context=0, prompt_tokens=1000, prompt_context=500)
    blind = replace(ONE, model=replace(DENSE, attention_layers=0))
    found = step_seconds(windowed, load, BARE) - step_seconds(blind, load, BARE)
    assert found == pytest.approx(0.12e-3, rel=1e-3)
