"""Live objects against what was applied: only what was applied counts, and it is priced by its GPUs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.core.drift import Difference, compare, drift
from breakeven.core.plan import Plan


def deployment(replicas: int = 1, gpus: int = 4, **spec: Any) -> dict[str, Any]:
    container = {"name": "vllm", "resources": {"limits": {"nvidia.com/gpu": gpus, "memory": "2048Gi"}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "n", "labels": {"a.b/c": "x"}},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [container], **spec}}},
    }


def differences(applied: dict[str, Any], live: dict[str, Any]) -> list[Difference]:
    found = compare(applied, live)
    return list(found.differences) if found else []


def test_what_the_server_and_others_add_is_no_drift() -> None:
    live = deployment()
    live["metadata"] |= {"uid": "u", "annotations": {"other": "1"}}
    live["spec"]["revisionHistoryLimit"] = 10
    live["spec"]["template"]["spec"]["containers"][0]["terminationMessagePath"] = "/dev/termination-log"
    live["status"] = {"readyReplicas": 1}
    assert compare(deployment(), live) is None


def test_quantities_and_numbers_may_be_written_otherwise() -> None:
    live = deployment()
    limits = live["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    limits |= {"nvidia.com/gpu": "4", "memory": "2Ti"}
    assert compare(deployment(), live) is None
    limits["memory"] = "2T"
    assert [each.path for each in differences(deployment(), live)] == [
        "spec.template.spec.containers[0].resources.limits.memory"
    ]


def test_what_is_empty_or_false_may_be_left_out() -> None:
    assert compare(deployment(hostNetwork=False, volumes=[], nodeSelector={}), deployment()) is None
    assert differences(deployment(hostNetwork=True), deployment()) == [
        Difference(path="spec.template.spec.hostNetwork", applied="True", live="absent")
    ]


def test_each_difference_has_its_path_and_both_values() -> None:
    live = deployment(replicas=3)
    live["metadata"]["labels"]["a.b/c"] = "y"
    live["spec"]["template"]["spec"]["containers"].append({"name": "sidecar"})
    assert differences(deployment(), live) == [
        Difference(path='metadata.labels["a.b/c"]', applied="x", live="y"),
        Difference(path="spec.replicas", applied="1", live="3"),
        Difference(path="spec.template.spec.containers", applied="1 item", live="2 items"),
    ]


def test_an_object_that_is_gone() -> None:
    found = compare(deployment(), None)
    assert found
    assert found.is_missing
    assert (found.kind, found.name, found.namespace) == ("Deployment", "d", "n")


# A node of 4xa100 has 4 GPUs and costs $8,000 a month by its reference row; operations and setup are $1,500.
@pytest.mark.parametrize(
    ("live", "gpus", "delta"),
    [
        (deployment(), 4, "0.00"),
        (deployment(replicas=3), 12, "16000.00"),
        (deployment(gpus=8), 8, "8000.00"),
        (deployment(gpus=6), 6, "8000.00"),  # a part of a second node is a node
        (deployment(replicas=0), 0, "-9500.00"),
        (None, 0, "-9500.00"),
    ],
)
def test_dollars_follow_the_live_gpus(
    planned: Callable[..., Plan], live: dict[str, Any] | None, gpus: int, delta: str
) -> None:
    found = drift(planned("4xa100"), [(deployment(), live)])
    assert (found.gpus_applied, found.gpus_live) == (4, gpus)
    assert found.diff.delta_usd == Decimal(delta)
    assert found.is_none == (live == deployment())


LEAVES = st.one_of(st.integers(1, 9), st.text("abc", min_size=1), st.just(True))
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.text("xyz", min_size=1), inner)
)


@given(TREES, TREES)
def test_an_addition_beside_what_was_applied_is_never_drift(applied: Any, added: Any) -> None:
    before = {"kind": "K", "metadata": {"name": "n"}, "spec": applied}
    after = {**copy.deepcopy(before), "status": added}
    after["metadata"]["annotations"] = added
    assert compare(before, after) is None


@given(TREES, LEAVES)
def test_another_value_is_always_drift(applied: Any, other: Any) -> None:
    before = {"kind": "K", "metadata": {"name": "n"}, "spec": applied}
    found = compare(before, {**before, "spec": other})
    assert bool(found) == (str(applied) != str(other))


def test_what_an_autoscaler_sets_is_no_drift(planned: Callable[..., Plan]) -> None:
    applied, live = deployment(), deployment(replicas=3)
    del applied["spec"]["replicas"]
    hpa: dict[str, Any] = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "d", "namespace": "n"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "d"}, "minReplicas": 1, "maxReplicas": 5},
    }
    found = drift(planned("4xa100"), [(applied, live), (hpa, hpa)])
    assert found.is_none
    assert (found.gpus_applied, found.gpus_live) == (20, 20)
    more = {**hpa, "spec": {**hpa["spec"], "maxReplicas": 6}}
    assert drift(planned("4xa100"), [(applied, live), (hpa, more)]).gpus_live == 24
