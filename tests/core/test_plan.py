from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven import load
from breakeven.core.deployment import Deployment
from breakeven.core.plan import Facts, Plan, plan
from breakeven.core.workload import Workload
from breakeven.errors import InfeasibleError, InputError

Planned = Callable[..., Plan]


@pytest.mark.parametrize(
    ("profile", "tp", "replicas", "nodes"),
    [
        # 15.3 GiB of weights on one GPU.
        ("1xa100", 1, 1, 1),
        # 135.4 ÷ 2 = 67.7 GiB + 2.1 + 0.7 + 1.9 and a margin of 1.0 > 72.8: 4 GPUs, although 2 × 80 GB look enough.
        ("4xa100", 4, 1, 1),
        # 437.9 GiB ÷ 8 = 54.7.
        ("8xh100", 8, 1, 1),
        ("serverless", 1, 1, 1),
    ],
)
def test_each_profile_serves_its_default_model(
    planned: Planned, profile: str, tp: int, replicas: int, nodes: int
) -> None:
    found = planned(profile)
    assert (found.tensor_parallel_size, found.replicas, found.nodes) == (tp, replicas, nodes)
    assert found.gpus_unused == 0


def test_a_small_model_fills_the_node_with_replicas(planned: Planned) -> None:
    found = planned("4xa100", model="Qwen/Qwen3-8B")
    assert (found.tensor_parallel_size, found.replicas, found.gpus, found.nodes) == (1, 4, 4, 1)


def test_nodes_are_filled(planned: Planned) -> None:
    found = planned("4xa100", model="Qwen/Qwen3-8B", nodes=2)
    assert (found.replicas, found.gpus, found.nodes) == (8, 8, 2)


def test_replicas_are_taken_as_asked_and_the_rest_is_unused(planned: Planned) -> None:
    # 5 GPUs need 2 nodes of 4: 3 are paid and unused.
    found = planned("4xa100", model="Qwen/Qwen3-8B", replicas=5)
    assert (found.gpus, found.nodes, found.gpus_unused) == (5, 2, 3)


def test_serverless_scales_to_its_mean_traffic(planned: Planned) -> None:
    # 16.87 requests/s, 12.98 at the low end of the band; 100,000,000 a month are 38.05 a second: 3 instances.
    found = planned("serverless", workload=Workload(requests_per_month=100_000_000))
    assert found.replicas == 3
    assert found.gpus_unused == 0


def test_max_model_len_is_the_models_context_if_the_cache_holds_it(planned: Planned) -> None:
    assert planned("1xa100").max_model_len == 40_960


def test_max_model_len_shrinks_to_the_cache(planned: Planned) -> None:
    # Qwen3-32B on one A100: 72.8 − 61.0 − 0.25 − 0.7 − 1.5 = 9.3 GiB, less the margin of 1.0, ÷ 262,144 B a token:
    # about 34,000 of its 40,960 tokens.
    found = planned("1xa100", model="Qwen/Qwen3-32B")
    assert found.memory.holds(found.max_model_len)
    assert not found.memory.holds(found.max_model_len + 1)
    assert 33_500 < found.max_model_len < 34_500


def test_a_longer_sequence_takes_more_gpus(planned: Planned) -> None:
    found = planned("4xa100", model="Qwen/Qwen3-32B", max_model_len=40_960)
    assert found.tensor_parallel_size == 2


def test_names_of_the_objects_begin_with_a_letter(planned: Planned) -> None:
    found = planned("4xa100")
    assert (found.stack, found.release, found.namespace) == ("4xa100", "llm-4xa100", "llm-4xa100")
    assert found.endpoint == "http://llm-4xa100.llm-4xa100.svc:8000/v1"
    assert planned("4xa100", namespace="prod").namespace == "prod"


def test_knatives_gateway_needs_no_port(planned: Planned) -> None:
    assert planned("serverless").endpoint == "http://llm-serverless.llm-serverless.svc/v1"


def test_what_does_not_fit_says_what_would(planned: Planned) -> None:
    with pytest.raises(InfeasibleError) as raised:
        planned("1xa100", model="Qwen/Qwen2.5-72B-Instruct")
    assert str(raised.value) == (
        "Qwen/Qwen2.5-72B-Instruct does not fit 1xa100, 1 × A100 80 GB SXM: "
        "needs 145 GB of weights, has 72.8 GiB: use 4 GPUs, or int4"
    )
    assert raised.value.hint.startswith("choose a larger profile")
    assert raised.value.exit_code == 3


def test_what_no_node_holds_says_so(planned: Planned) -> None:
    facts = planned("1xa100").facts
    giant = replace(facts.model, name="giant", parameters_billion=50_000.0, active_parameters_billion=50_000.0)
    with pytest.raises(InfeasibleError) as raised:
        plan(Deployment(profile="1xa100"), replace(facts, model=giant))
    assert str(raised.value).endswith("needs 100,000 GB of weights, has 72.8 GiB: no change makes it fit")


def test_a_context_that_the_model_lacks_is_bad_input(planned: Planned) -> None:
    with pytest.raises(InputError, match=r"max_model_len 40,961 exceeds the context of Qwen/Qwen3-8B, 40,960"):
        planned("1xa100", max_model_len=40_961)
    assert planned("1xa100", max_model_len=40_960).max_model_len == 40_960


def test_a_request_longer_than_the_context_is_bad_input(planned: Planned) -> None:
    with pytest.raises(InputError, match=r"a request of 40,961 tokens exceeds max_model_len 40,960 of Qwen/Qwen3-8B"):
        planned("1xa100", workload=Workload(input_tokens=40_760, output_tokens=201))
    assert planned("1xa100", workload=Workload(input_tokens=40_760, output_tokens=200)).max_model_len == 40_960


def test_a_start_may_take_the_download_and_ten_minutes(planned: Planned) -> None:
    # 16.38 GB ÷ 0.2 GB/s = 81.9 s, rounded up, and 600 s.
    assert planned("1xa100").startup_budget_s == 682


@given(st.sampled_from(sorted(load.profiles())), st.sampled_from(sorted(load.models())), st.integers(1, 50))
def test_what_is_used_is_rented(profile: str, model: str, replicas: int) -> None:
    facts: Facts
    deployment = Deployment(profile=profile, model=model, replicas=replicas)
    try:
        found = plan(deployment, facts := load.facts(deployment))
    except InfeasibleError:
        return
    per_node = facts.profile.gpus_per_node
    assert found.gpus == replicas * found.tensor_parallel_size <= found.nodes * per_node
    assert found.nodes * per_node - found.gpus < per_node
    assert found.workload.tokens_per_request <= found.max_model_len
    assert found.memory.holds(found.max_model_len)
