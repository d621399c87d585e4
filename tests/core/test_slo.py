from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.replicas import CHAT, SERVER, SERVERS, SHAPES

from breakeven.core.latency import Requests, estimate, most_running
from breakeven.core.replica import Replica
from breakeven.core.slo import Slo, slo_capacity

STRICT = Slo(ttft_p99_ms=2000, tpot_ms=50)
LONG_PROMPTS = Requests(input_tokens=8000, output_tokens=200)
LONG_ANSWERS = Requests(input_tokens=200, output_tokens=3000)


def test_tpot_gives_out_before_the_kv_cache() -> None:
    found = slo_capacity(SERVER, LONG_PROMPTS, replace(STRICT, tpot_ms=30))
    assert found.bound == "tpot"
    assert found.estimate is not None
    assert found.estimate.running < 0.5 * most_running(SERVER, LONG_PROMPTS)
    assert found.estimate.tpot_ms.value == pytest.approx(30, rel=0.05)


def test_ttft_gives_out_first_where_prompts_are_long() -> None:
    assert slo_capacity(SERVER, LONG_PROMPTS, replace(STRICT, ttft_p99_ms=700, tpot_ms=None)).bound == "ttft_p99"


def test_decoding_is_bound_by_the_kv_cache() -> None:
    found = slo_capacity(SERVER, LONG_ANSWERS, STRICT)
    assert found.bound == "kv_cache"
    assert found.estimate is not None
    # n + 2.33 √n = what fits: arrivals at random need room for more than their mean.
    assert found.estimate.running + 2.33 * found.estimate.running**0.5 == pytest.approx(
        most_running(SERVER, LONG_ANSWERS)
    )


def test_a_small_limit_on_sequences_is_named() -> None:
    assert slo_capacity(replace(SERVER, max_num_seqs=8), CHAT, STRICT).bound == "max_num_seqs"


def test_an_objective_that_no_load_keeps() -> None:
    found = slo_capacity(SERVER, CHAT, replace(STRICT, tpot_ms=1))
    assert (found.estimate, found.bound) == (None, "unreachable")


def test_an_objective_is_above_zero() -> None:
    with pytest.raises(ValueError, match="tpot_ms must be above 0"):
        Slo(tpot_ms=0)


@given(SERVERS, SHAPES, st.floats(30, 5000), st.floats(1, 200))
def test_what_is_promised_is_kept(server: Replica, requests: Requests, ttft: float, tpot: float) -> None:
    slo = Slo(ttft_p99_ms=ttft, tpot_ms=tpot)
    found = slo_capacity(server, requests, slo)
    if found.estimate is None:
        assert slo.broken_by(estimate(server, requests, 1)) is not None
        return
    assert slo.broken_by(found.estimate) is None
    saturated = estimate(server, requests).requests_per_second.value
    assert found.estimate.requests_per_second.value <= saturated * (1 + 1e-9)


@given(SERVERS, SHAPES, st.floats(30, 5000), st.floats(1, 5))
def test_a_looser_objective_is_never_less_capacity(
    server: Replica, requests: Requests, ttft: float, times: float
) -> None:
    tight = slo_capacity(server, requests, Slo(ttft_p99_ms=ttft))
    loose = slo_capacity(server, requests, Slo(ttft_p99_ms=ttft * times))
    if tight.estimate is not None:
        assert loose.estimate is not None
        assert loose.estimate.concurrency >= tight.estimate.concurrency * (1 - 1e-3)
