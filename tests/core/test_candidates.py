from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven import load
from breakeven.core.candidates import Candidate, Candidates, candidates
from breakeven.core.deployment import Deployment
from breakeven.core.facts import Facts
from breakeven.core.plan import plan
from breakeven.core.slo import Slo
from breakeven.core.split import Split, splits
from breakeven.core.workload import Workload
from breakeven.errors import InputError

SLO = Slo()
MODELS = ["Qwen/Qwen3-8B", "Qwen/Qwen3-32B", "Qwen/Qwen2.5-72B-Instruct", "Qwen/Qwen3-235B-A22B", "openai/gpt-oss-120b"]


def facts(profile: str, model: str | None = None) -> Facts:
    return load.facts(Deployment(profile=profile, model=model))


def found(profile: str, model: str | None = None, slo: Slo = SLO, **inputs: object) -> Candidates:
    deployment = Deployment(profile=profile, model=model, slo=slo, **inputs)  # type: ignore[arg-type]
    known = load.facts(deployment)
    return candidates(deployment, known, splits(known))


def named(split: Split) -> tuple[int, int, str]:
    return split.tensor_parallel_size, split.pipeline_parallel_size, split.precision


def test_even_parts_of_the_node() -> None:
    # TP × PP divides 4; an A100 has no fp8 arithmetic.
    expected = [(1, 1), (1, 2), (1, 4), (2, 1), (2, 2), (4, 1)]
    assert [named(split)[:2] for split in splits(facts("4xa100"))] == expected
    # Ten parts of 8, weights as published and in fp8, the KV cache as the activations and in fp8.
    assert len(list(splits(facts("8xh100")))) == 40
    assert {split.kv_cache_dtype for split in splits(facts("4xa100"))} == {"auto"}
    # A quantised checkpoint stays as it is.
    assert {split.precision for split in splits(facts("8xh100", "Qwen/Qwen3-235B-A22B-FP8"))} == {"fp8"}


def test_what_does_not_fit_is_dropped_with_its_smallest_reason() -> None:
    # 145.4 GB, 135.4 GiB, on one GPU; 67.7 + 5.6 > 72.8 GiB on each of two. Two stages hold it: NCCL takes less.
    reasons = {named(one.split)[:2]: one.reason for one in found("4xa100").dropped}
    assert reasons == {
        (1, 1): "needs 135.4 GiB of weights, has 72.8 GiB",
        (2, 1): "needs 67.7 GiB of weights and 5.6 GiB for the engine on each of 2 GPUs, has 72.8 GiB",
    }


def test_heads_that_do_not_divide_are_a_reason() -> None:
    # 28 heads on 8 GPUs.
    dropped = found("8xh100", "Qwen/Qwen2.5-7B-Instruct").dropped
    assert {named(one.split)[:2] for one in dropped} == {(8, 1)}
    assert "does not divide Qwen/Qwen2.5-7B-Instruct: it has 28 attention heads" in dropped[0].reason


def test_the_price_of_a_request_by_hand() -> None:
    # $8,000 ÷ (requests/s × 2.628 million seconds).
    best = found("4xa100").ranked[0]
    assert named(best.split) == (4, 1, "bf16")
    assert best.node_usd_per_month == Decimal(8000)
    assert float(best.usd_per_million_requests or 0) == pytest.approx(8000 / (best.slo_requests_per_second * 2.628))
    assert best.slo_requests_per_second_per_usd == pytest.approx(best.slo_requests_per_second / 8000)


def test_a_node_at_the_plans_own_price() -> None:
    assert facts("8xh100").node_usd_per_month == Decimal(30_000)
    offered = facts("8xh100")
    offer = next(one for one in load.offers_of(offered.profile) if one.name == "lambda-8xh100")
    # 31.92 × 730
    assert replace(offered, offer=offer).node_usd_per_month == Decimal("23301.60")


def test_an_unknown_rent_ranks_by_requests() -> None:
    known = facts("4xa100", "Qwen/Qwen3-32B")
    profile = replace(known.profile, reference=replace(known.profile.reference, usd_per_month=None))
    unpriced = candidates(Deployment(profile="4xa100"), replace(known, profile=profile), splits(known))
    assert [one.split for one in unpriced.ranked] == [one.split for one in found("4xa100", "Qwen/Qwen3-32B").ranked]
    assert {one.usd_per_million_requests for one in unpriced.ranked} == {None}


def test_fp8_by_hand() -> None:
    # Qwen3-32B: 32.762e9 − 2 × 151,936 × 5,120 = 31.206e9 in 1 + 4 ÷ 128² bytes, 1.556e9 in 2, and 10 MiB of rotary
    # positions: 34.33 GB = 31.98 GiB.
    ranked = found("8xh100", "Qwen/Qwen3-32B").ranked
    (fp8,) = [one for one in ranked if named(one.split) == (1, 1, "fp8") and one.split.kv_cache_dtype == "auto"]
    assert fp8.memory.weights_gib == pytest.approx(31.98, abs=0.01)
    assert fp8.replicas == 8
    (bf16,) = [one for one in ranked if named(one.split) == (1, 1, "bf16") and one.split.kv_cache_dtype == "auto"]
    assert fp8.requests_per_second > bf16.requests_per_second


def test_an_fp8_cache_holds_twice_as_much() -> None:
    ranked = found("8xh100", "Qwen/Qwen3-32B").ranked
    auto, fp8 = (
        next(one for one in ranked if one.split == Split(tensor_parallel_size=4, precision="bf16", kv_cache_dtype=kind))
        for kind in ("auto", "fp8")
    )
    assert fp8.memory.kv_gib == auto.memory.kv_gib
    assert fp8.memory.blocks == pytest.approx(2 * auto.memory.blocks, abs=1)
    assert fp8.slo_requests_per_second > auto.slo_requests_per_second


def test_the_lengths_that_are_tried() -> None:
    # A request has 700 tokens, the context 40,960.
    one = found("4xa100", "Qwen/Qwen3-8B").ranked[0]
    assert [length.max_model_len for length in one.lengths] == [2048, 4096, 8192, 16384, 32768, 40960]
    assert all(length.fits for length in one.lengths)
    assert one.lengths[-1].concurrency == one.memory.concurrency
    (asked,) = found("4xa100", "Qwen/Qwen3-8B", max_model_len=9000).ranked[0].lengths
    assert asked.max_model_len == 9000
    long = found("4xa100", "Qwen/Qwen3-8B", workload=Workload(input_tokens=9000)).ranked[0]
    assert [length.max_model_len for length in long.lengths] == [16384, 32768, 40960]


def test_a_length_that_does_not_fit_says_so() -> None:
    # Two GPUs in stages keep 13,424 tokens of Qwen2.5-72B.
    (one,) = [one for one in found("4xa100").ranked if named(one.split) == (1, 2, "bf16")]
    assert {length.max_model_len: length.fits for length in one.lengths} == {
        2048: True,
        4096: True,
        8192: True,
        16384: False,
        32768: False,
    }


def test_what_keeps_no_objective_is_last_by_gpus() -> None:
    ranked = found("4xa100", "Qwen/Qwen3-8B", Slo(tpot_ms=1)).ranked
    assert {one.under_slo.bound for one in ranked} == {"unreachable"}
    assert {one.usd_per_million_requests for one in ranked} == {None}
    assert [one.split.gpus for one in ranked] == sorted(one.split.gpus for one in ranked)


def test_max_model_len_as_asked() -> None:
    ranked = found("4xa100", "Qwen/Qwen3-32B", max_model_len=40_960).ranked
    assert {one.memory.max_model_len for one in ranked} == {40_960}
    # One GPU holds about 34,000 tokens.
    assert (1, 1, "bf16") not in {named(one.split) for one in ranked}


def test_a_request_beyond_the_context_is_bad_input() -> None:
    with pytest.raises(InputError, match="exceeds max_model_len 40,960"):
        found("4xa100", "Qwen/Qwen3-8B", workload=Workload(input_tokens=50_000))


@pytest.mark.parametrize("profile", sorted(load.profiles()))
def test_the_plan_is_among_them_with_its_own_figures(profile: str) -> None:
    made = plan(Deployment(profile=profile), facts(profile))
    (same,) = [one for one in found(profile).ranked if one.split == made.split]
    assert same.memory == made.memory
    assert same.slo_requests_per_second == made.capacity.requests_per_second * same.replicas
    assert same.saturated.requests_per_second.value == made.capacity.saturated_requests_per_second


def key(one: Candidate) -> tuple[float, int]:
    return -one.slo_requests_per_second / float(one.node_usd_per_month or 1), one.split.gpus


SHAPES = st.builds(Workload, input_tokens=st.integers(1, 8000), output_tokens=st.integers(1, 4000))


@given(
    st.sampled_from(sorted(load.profiles())), st.sampled_from(MODELS), SHAPES, st.floats(200, 5000), st.floats(5, 100)
)
def test_each_fits_fills_the_node_and_is_in_order(
    profile: str, model: str, workload: Workload, ttft: float, tpot: float
) -> None:
    slo = Slo(ttft_p99_ms=ttft, tpot_ms=tpot)
    deployment = Deployment(profile=profile, model=model, workload=workload, slo=slo)
    known = load.facts(deployment)
    both = candidates(deployment, known, splits(known))
    for one in both.ranked:
        assert one.memory.fits
        assert one.memory.max_model_len >= workload.tokens_per_request
        assert one.replicas * one.split.gpus == known.profile.gpus_per_node
    assert list(map(key, both.ranked)) == sorted(map(key, both.ranked))
    judged = [one.split for one in both.ranked] + [one.split for one in both.dropped]
    assert sorted(map(named, judged)) == sorted(map(named, splits(known)))


@given(st.sampled_from(["4xa100", "8xh100"]), st.sampled_from(MODELS), st.floats(10, 200), st.floats(0, 1))
def test_less_memory_adds_none(profile: str, model: str, memory_gib: float, share: float) -> None:
    known = facts(profile, model)

    def fitting(gib: float) -> set[Split]:
        smaller = replace(known, accelerator=replace(known.accelerator, memory_gib=gib))
        return {one.split for one in candidates(Deployment(profile=profile), smaller, splits(smaller)).ranked}

    assert fitting(max(1.0, memory_gib * share)) <= fitting(memory_gib)
