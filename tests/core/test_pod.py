from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Any

import pytest

from breakeven import load
from breakeven.core.deployment import Deployment, Weights
from breakeven.core.plan import Plan, plan
from breakeven.core.pod import pod
from breakeven.core.slo import Slo


def planned(profile: str, **inputs: Any) -> Plan:
    deployment = Deployment(profile=profile, **inputs)
    return plan(deployment, load.facts(deployment))


def test_a_replica_asks_for_its_share_of_a_node() -> None:
    # Qwen2.5-72B on 4 GPUs: 4 × 6 CPU; 4 × 48 GiB of memory + 4 × 2 GiB of shared memory.
    found = pod(planned("4xa100"))
    assert (found.cpu, found.memory_gib, found.shm_gib) == (24, 200, 8)


def test_one_gpu_has_shared_memory_too() -> None:
    assert pod(planned("1xa100")).shm_gib == 2


def test_weights_on_the_nodes_disk_are_requested_there() -> None:
    # 8.19e9 parameters × 2 B ÷ 2^30 = 15.26 GiB; × 1.2 → 19 GiB; and 10 GiB of scratch.
    found = pod(planned("1xa100"))
    assert (found.weights_gib, found.ephemeral_storage_gib) == (19, 29)


def test_weights_on_a_claim_leave_the_nodes_disk_free() -> None:
    found = pod(planned("1xa100", weights=Weights(storage="pvc")))
    assert (found.weights_gib, found.ephemeral_storage_gib) == (19, 10)


@pytest.mark.parametrize(
    ("profile", "replicas", "mode"),
    [
        ("4xa100", 1, "ReadWriteOnce"),
        ("4xa100", 2, "ReadWriteMany"),
        # The next revision starts while the last one still holds the volume.
        ("serverless", 1, "ReadWriteMany"),
    ],
)
def test_a_claim_is_shared_where_pods_share_it(profile: str, replicas: int, mode: str) -> None:
    assert pod(planned(profile, replicas=replicas, weights=Weights(storage="pvc"))).weights_access_mode == mode


def test_the_probe_waits_for_the_whole_startup_budget() -> None:
    # 235.09e9 × 2 B ÷ 0.2 GB/s = 2,351 s, and 600 s of start: 2,951 s in steps of 10 s.
    found = pod(planned("8xh100"))
    assert found.startup_failure_threshold * found.startup_period_s == 2960


@pytest.mark.parametrize("profile", sorted(load.profiles()))
@pytest.mark.parametrize("replicas", [1, 8])
def test_nobody_gives_up_before_the_one_below(profile: str, replicas: int) -> None:
    plan = planned(profile, replicas=replicas)
    found = pod(plan)
    probe_s = found.startup_period_s * found.startup_failure_threshold
    assert plan.startup_budget_s <= probe_s < found.progress_deadline_s
    assert found.progress_deadline_s * replicas < found.pulumi_timeout_s
    assert found.pre_stop_s + found.shutdown_timeout_s < found.termination_grace_s


def test_a_server_takes_no_more_requests_than_it_serves_within_the_objective() -> None:
    relaxed, strict = (planned("1xa100", slo=Slo(tpot_ms=tpot_ms)) for tpot_ms in (50, 20))
    assert pod(strict).concurrency == int(strict.capacity.concurrency) < pod(relaxed).concurrency


def test_a_request_that_finds_no_server_waits_for_the_start_and_its_answer() -> None:
    # Qwen2.5-72B: 277 s, and 145.41 GB ÷ 0.36 GB/s = 404 s; then 200 tokens, each within 50 ms: at most 10 s.
    slow = planned("4xa100")
    assert 681 < pod(slow).request_timeout_s == ceil(slow.startup_s + slow.capacity.request_s) < 691
    # What Knative allows unless it is told otherwise.
    assert planned("serverless").startup_s < pod(planned("serverless")).request_timeout_s == 600


def test_one_request_is_always_taken() -> None:
    plan = planned("1xa100")
    assert pod(replace(plan, capacity=replace(plan.capacity, concurrency=0.5))).concurrency == 1


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Qwen/Qwen3-8B", "Qwen-Qwen3-8B"),
        ("_a b/ç_", "a-b"),
        ("x/" + "y" * 100, "x-" + "y" * 61),
        ("x/" + "y" * 60 + "--z", "x-" + "y" * 60),
    ],
)
def test_model_names_become_label_values(name: str, label: str) -> None:
    plan = planned("1xa100")
    facts = replace(plan.facts, model=replace(plan.facts.model, name=name))
    assert pod(replace(plan, facts=facts)).model_label == label
