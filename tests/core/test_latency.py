from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.replicas import BARE, CHAT, H100, ONE, SERVER, SERVERS, SHAPES

from breakeven.core.calibration import CALIBRATION
from breakeven.core.latency import RATE_BAND, TTFT_BAND, Estimate, Figure, Requests, cycle, estimate, most_running
from breakeven.core.replica import Replica


def test_a_lone_request_by_hand() -> None:
    # Weights 10 ms a step. A prompt of 1,000 tokens takes 100 ms of matmuls (+ 0.1 attention) in a mixed step.
    # 11 steps of one request: one of them mixed would take in its successor, share 1 × 1,000 ÷ 11 ÷ 1,000 = 1/11:
    # TPOT = (10 × 10 + 100.2) ÷ 11 = 18.2 ms. The step under way: (10 × 10² + 100.2²) ÷ 11 ÷ 18.2 = 55 ms, half of it
    # 27.6, then 100.2. A step full of prompts takes 820 ms for 8,191 tokens, so that 1,000 of them take 100.1 ms of it.
    # Alone a request takes 27.6 + 100.2 + 10 × 18.2 = 309.8 ms = 3.095 such: (1 − 6.19) ρ² + 8.19 ρ = 2, ρ = 0.302, and
    # it waits for ρ ÷ 2(1 − ρ) × 100.1 = 21.7 ms. TTFT = 149.5 ms.
    requests = Requests(input_tokens=1000, output_tokens=11)
    found = estimate(ONE, requests, 1, BARE)
    assert found.tpot_ms.value == pytest.approx(18.3, abs=0.2)
    assert found.ttft_ms.value == pytest.approx(149.5, abs=1.5)
    # 1 ÷ (0.1495 + 10 × 0.0182) = 3.02 = ρ ÷ 0.1001
    assert found.requests_per_second.value == pytest.approx(3.02, abs=0.05)


def test_saturated_by_hand() -> None:
    # 40 GiB ÷ (100,000 B × (100 + 20 ÷ 2)) = 3,904 sequences, of which max_num_seqs lets 10 run. Each step 10 ms of
    # weights and 10 × 110 × 100,000 B ÷ 2,000 GB/s = 0.055 ms of KV cache; prompts 10 × 100 ÷ 20 = 50 tokens a step, in
    # chunks of 100, which with the 10 make 110 × 0.1 ms = 11 ms: half the steps. (10.055 + 11.055) ÷ 2 = 10.555 ms.
    # 10 ÷ (20 × 10.555 ms) = 47.4 requests/s.
    ten = replace(ONE, max_num_seqs=10)
    found = estimate(ten, Requests(input_tokens=100, output_tokens=20), k=BARE)
    assert found.running == 10
    assert found.tpot_ms.value == pytest.approx(10.555, rel=0.01)
    assert found.requests_per_second.value == pytest.approx(47.4, rel=0.01)
    assert found.output_tokens_per_second.value == pytest.approx(20 * found.requests_per_second.value)
    assert found.total_tokens_per_second.value == pytest.approx(120 * found.requests_per_second.value)


def test_who_does_not_fit_waits() -> None:
    # Little's law: of 30 open requests 10 run, 20 wait for 20 ÷ rate.
    ten = replace(ONE, max_num_seqs=10)
    requests = Requests(input_tokens=100, output_tokens=20)
    full, queued = estimate(ten, requests, 10, BARE), estimate(ten, requests, 30, BARE)
    assert queued.running == 10
    assert queued.requests_per_second == full.requests_per_second
    waited = queued.ttft_ms.value - full.ttft_ms.value
    assert waited == pytest.approx(20 / full.requests_per_second.value * 1e3)


def test_the_band_is_symmetric_in_ratio() -> None:
    figure = Figure(value=13.0, band=1.3)
    assert [figure.low, figure.high] == pytest.approx([10.0, 16.9])


def test_chunks_are_bounded_by_max_num_batched_tokens() -> None:
    long = Requests(input_tokens=20_000, output_tokens=500)
    assert cycle(SERVER, long, 10).chunk_tokens == 8192 - 10
    assert cycle(SERVER, CHAT, 10).chunk_tokens == 500


def test_a_prompt_of_one_token_more_than_a_step_costs_one_small_step_more() -> None:
    alone = replace(SERVER, max_num_batched_tokens=4097)
    fits, spills = (estimate(alone, Requests(input_tokens=n, output_tokens=500), 1) for n in (4096, 4097))
    assert spills.ttft_ms.value - fits.ttft_ms.value < 10


def test_a_cached_prefix_is_not_computed_again() -> None:
    shared = replace(CHAT, cached_share=0.8)
    assert shared.new_tokens == pytest.approx(100)
    assert most_running(SERVER, shared) == most_running(SERVER, CHAT)
    cold, warm = estimate(SERVER, CHAT, 64), estimate(SERVER, shared, 64)
    assert warm.requests_per_second.value > cold.requests_per_second.value
    assert warm.ttft_ms.value < cold.ttft_ms.value


def test_pcie_is_slower_than_nvlink() -> None:
    pair = replace(SERVER, tensor_parallel_size=4)
    cards = replace(pair, accelerator=replace(H100, link="pcie", link_gb_per_s=20))
    assert rate(estimate(cards, CHAT)) < rate(estimate(pair, CHAT)) / 2


def test_a_pipeline_saturates_higher_and_answers_later() -> None:
    two = replace(SERVER, pipeline_parallel_size=2)
    assert rate(estimate(two, CHAT, 512)) > rate(estimate(SERVER, CHAT, 512))
    assert estimate(two, CHAT, 1).tpot_ms.value > estimate(SERVER, CHAT, 1).tpot_ms.value


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_is_a_share(share: float) -> None:
    with pytest.raises(ValueError, match="cached_share"):
        Requests(input_tokens=1, output_tokens=1, cached_share=share)


def test_requests_have_tokens() -> None:
    with pytest.raises(ValueError, match="output_tokens must be above 0"):
        Requests(input_tokens=1, output_tokens=0)


def rate(found: Estimate) -> float:
    return found.requests_per_second.value


@given(SERVERS, SHAPES, st.floats(1, 2000))
def test_every_band_holds_its_value(server: Replica, requests: Requests, concurrency: float) -> None:
    found = estimate(server, requests, concurrency)
    for figure in (found.requests_per_second, found.ttft_ms, found.ttft_p99_ms, found.tpot_ms):
        assert 0 < figure.low < figure.value < figure.high
    assert found.ttft_p99_ms.value >= found.ttft_ms.value
    assert found.requests_per_second.band == RATE_BAND
    assert found.ttft_ms.band == TTFT_BAND


@given(SERVERS, SHAPES, st.floats(1, 2000), st.floats(1, 4))
def test_more_bandwidth_is_never_slower(server: Replica, requests: Requests, concurrency: float, times: float) -> None:
    accelerator = replace(server.accelerator, bandwidth_gb_per_s=server.accelerator.bandwidth_gb_per_s * times)
    faster = estimate(replace(server, accelerator=accelerator), requests, concurrency)
    slower = estimate(server, requests, concurrency)
    assert faster.tpot_ms.value <= slower.tpot_ms.value * (1 + 1e-9)


@given(SERVERS, SHAPES, st.floats(1, 4))
def test_more_flops_are_never_slower(server: Replica, requests: Requests, times: float) -> None:
    more = replace(
        server.accelerator, tflops=server.accelerator.tflops * times, bf16_tflops=server.accelerator.bf16_tflops * times
    )
    faster, slower = estimate(replace(server, accelerator=more), requests), estimate(server, requests)
    assert rate(faster) >= rate(slower) * (1 - 1e-9)


@given(SERVERS, SHAPES, st.integers(1, 2000))
def test_a_longer_answer_is_never_served_more_often(server: Replica, requests: Requests, more: int) -> None:
    longer = replace(requests, output_tokens=requests.output_tokens + more)
    assert rate(estimate(server, longer)) <= rate(estimate(server, requests)) * (1 + 1e-9)


@given(SERVERS, SHAPES)
def test_no_more_is_served_than_matmuls_allow(server: Replica, requests: Requests) -> None:
    """The compute ceiling: FLOPs of new tokens at the accelerators' best rate, which rises with every GPU."""
    gpus = server.tensor_parallel_size * server.pipeline_parallel_size
    active = server.model.active_parameters_billion * 1e9 - 2 * server.model.head_parameters
    flop = 2 * active * (requests.new_tokens + requests.output_tokens)
    assert rate(estimate(server, requests)) <= gpus * server.accelerator.tflops * 1e12 / flop * (1 + 1e-9)


@given(SERVERS, SHAPES, st.floats(1, 1000), st.floats(1, 1000))
def test_more_load_never_speeds_a_token_up(server: Replica, requests: Requests, load: float, more: float) -> None:
    lighter, heavier = estimate(server, requests, load), estimate(server, requests, load + more)
    assert heavier.tpot_ms.value >= lighter.tpot_ms.value * (1 - 1e-9)
    assert heavier.ttft_ms.value >= lighter.ttft_ms.value * (1 - 1e-9)
    assert heavier.ttft_p99_ms.value >= lighter.ttft_p99_ms.value * (1 - 1e-9)


@given(SERVERS, SHAPES, st.floats(1, 2000))
def test_saturation_is_the_most(server: Replica, requests: Requests, concurrency: float) -> None:
    assert rate(estimate(server, requests, concurrency)) <= rate(estimate(server, requests)) * (1 + 1e-9)


def test_calibration_is_a_default() -> None:
    assert estimate(SERVER, CHAT, 8) == estimate(SERVER, CHAT, 8, CALIBRATION)
