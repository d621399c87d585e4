from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.replicas import CHAT, SERVER, SERVERS, SHAPES

from breakeven import load
from breakeven.core.deployment import Deployment, EngineChoice
from breakeven.core.latency import Requests, estimate, most_running
from breakeven.core.replica import Replica
from breakeven.core.sizing import Sizing, at_rate, size
from breakeven.core.workload import Workload
from breakeven.errors import InfeasibleError


def sized(profile: str, model: str | None = None, **inputs: object) -> Sizing:
    deployment = Deployment(profile=profile, model=model, **inputs)  # type: ignore[arg-type]
    return size(deployment, load.facts(deployment))


def test_the_plan_is_the_chosen_candidate() -> None:
    # In fp8 it would serve more, but a plan takes the checkpoint as published.
    found = sized("8xh100", "Qwen/Qwen3-32B")
    assert found.chosen is not None
    assert found.chosen is not found.candidates.ranked[0]
    assert (found.chosen.split.precision, found.candidates.ranked[0].split.precision) == ("bf16", "fp8")


def test_what_up_refuses_may_have_candidates() -> None:
    # 812 GB = 756.2 GiB of weights do not fit 8 × 72.9 GiB; half of that does.
    found = sized("8xh100", "meta-llama/Llama-3.1-405B-Instruct")
    assert found.planned is None
    assert found.chosen is None
    assert found.refused is not None and "needs 756.2 GiB of weights, has 582.8 GiB" in found.refused
    assert {one.split.precision for one in found.candidates.ranked} == {"fp8"}


@pytest.mark.parametrize(("asked", "named"), [(None, "auto"), ("auto", "auto"), ("fp8", "fp8")])
def test_a_cache_that_the_checkpoint_wants_in_fp8_is_one_candidate(
    asked: Literal["auto", "fp8"] | None, named: str
) -> None:
    """auto and fp8 are the same then."""
    found = sized("8xh100", "nvidia/Qwen3-235B-A22B-NVFP4", engine=EngineChoice(kv_cache_dtype=asked))
    assert {one.split.kv_cache_dtype for one in found.candidates.ranked} == {named}
    assert {one.split.kv_cache_dtype for one in found.candidates.dropped} == {named}
    ways = [(one.split.tensor_parallel_size, one.split.pipeline_parallel_size) for one in found.candidates.ranked]
    assert len(ways) == len(set(ways)) > 1
    assert found.chosen is not None


def test_an_fp8_cache_that_the_gpu_refuses_still_has_candidates() -> None:
    found = sized("4xa100", "nvidia/Qwen3-235B-A22B-NVFP4", engine=EngineChoice(kv_cache_dtype="fp8"))
    assert found.refused is not None and "has no fp8 arithmetic" in found.refused
    assert {one.split.kv_cache_dtype for one in found.candidates.ranked} == {"auto"}


def test_nothing_fits() -> None:
    with pytest.raises(InfeasibleError, match="use 4 GPUs, or int4"):
        sized("1xa100", "Qwen/Qwen2.5-72B-Instruct")


def test_the_mean_load_is_shared_by_the_replicas() -> None:
    # 105,120,000 ÷ 2,628,000 s = 40 a second, 10 for each of four.
    found = sized("4xa100", "Qwen/Qwen3-8B", workload=Workload(requests_per_month=105_120_000)).planned
    assert found is not None and found.mean_load is not None
    assert found.mean_load.requests_per_second.value == pytest.approx(10, rel=1e-3)
    too_much = sized("4xa100", "Qwen/Qwen3-8B", replicas=1, workload=Workload(requests_per_month=105_120_000)).planned
    assert too_much is not None and too_much.mean_load is None


def test_a_trickle_is_one_request_at_a_time() -> None:
    assert at_rate(SERVER, CHAT, 0.001) == estimate(SERVER, CHAT, 1)


@given(SERVERS, SHAPES, st.floats(0.01, 0.99))
def test_a_rate_is_met(server: Replica, requests: Requests, share: float) -> None:
    most = estimate(server, requests, most_running(server, requests)).requests_per_second.value
    found = at_rate(server, requests, share * most)
    assert found is not None
    assert found.requests_per_second.value >= share * most
