"""What a rollout would wait for in vain, by its manifests alone."""

from __future__ import annotations

from typing import Any

import pytest

from breakeven.core import rollout_rules
from breakeven.core.live import Check

CLAIM = {
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "weights"},
    "spec": {"accessModes": ["ReadWriteOnce"]},
}


def deployment(**spec: Any) -> dict[str, Any]:
    probe = {"periodSeconds": 10, "failureThreshold": 60}
    template = {
        "containers": [{"startupProbe": probe}, {}],
        "volumes": [{"name": "w", "persistentVolumeClaim": {"claimName": "weights"}}, {"name": "x", "emptyDir": {}}],
    }
    return {
        "kind": "Deployment",
        "metadata": {"name": "llm", "annotations": {"pulumi.com/timeoutSeconds": "1300"}},
        "spec": {
            "replicas": 1,
            "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "progressDeadlineSeconds": 1200,
            "template": {"spec": template},
            **spec,
        },
    }


def rolling(surge: Any, unavailable: Any) -> dict[str, Any]:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


def problem(manifest: dict[str, Any]) -> Check:
    (check,) = rollout_rules.checks([manifest, CLAIM])
    return check


def test_one_replica_with_a_volume_of_its_own_is_well() -> None:
    check = problem(deployment())
    assert check.status == "pass"
    # 60 probes every 10 s are 10 min; the deadline is 1,200 s.
    assert check.detail == "1 pod at a time, none to spare; a start may take 10 of the 20 min that it has"


@pytest.mark.parametrize(
    ("strategy", "replicas", "expected"),
    [
        (rolling(1, 0), 4, (1, 0)),
        # 25 % of 5 is 1.25: a surge is rounded up, what is unavailable down.
        (rolling("25%", "25%"), 5, (2, 1)),
        ({}, 5, (2, 1)),
        ({"type": "Recreate"}, 4, (0, 4)),
    ],
)
def test_surge_and_unavailable(strategy: dict[str, Any], replicas: int, expected: tuple[int, int]) -> None:
    assert rollout_rules.surge_and_unavailable(deployment(strategy=strategy, replicas=replicas)) == expected


def test_no_step_is_possible() -> None:
    check = problem(deployment(strategy=rolling(0, 0)))
    assert check.status == "fail"
    assert check.detail == "Deployment llm: no pod may be added and none removed, so a change never begins"


@pytest.mark.parametrize("spec", [{"replicas": 2}, {"strategy": rolling(1, 0)}])
def test_two_pods_want_a_volume_of_one_node(spec: dict[str, Any]) -> None:
    check = problem(deployment(**spec))
    assert check.status == "fail"
    assert check.detail == ("Deployment llm: 2 pods want PersistentVolumeClaim weights, which one node holds at a time")


def test_a_shared_volume_takes_many() -> None:
    shared = {**CLAIM, "spec": {"accessModes": ["ReadWriteMany"]}}
    (check,) = rollout_rules.checks([deployment(replicas=2), shared])
    assert check.status == "pass"


def test_a_start_that_outlasts_the_deadline() -> None:
    check = problem(deployment(progressDeadlineSeconds=600))
    assert check.status == "fail"
    assert "a start may take 600 s, and after 600 s without progress it counts as failed" in check.detail


def test_pulumi_gives_up_before_kubernetes() -> None:
    check = problem(deployment(progressDeadlineSeconds=1400))
    assert check.status == "fail"
    assert "Pulumi waits 1,300 s, and the rollout may take 1,400 s" in check.detail


def test_knative_starts_beside_the_old_revision() -> None:
    template = deployment()["spec"]["template"]
    template["metadata"] = {"annotations": {"serving.knative.dev/progress-deadline": "1200s"}}
    service = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "llm", "annotations": {"pulumi.com/timeoutSeconds": "1300"}},
        "spec": {"template": template},
    }
    assert "2 pods want PersistentVolumeClaim weights" in problem(service).detail
    (check,) = rollout_rules.checks([service])
    assert check.detail == "a new revision starts beside the old one; a start may take 10 of the 20 min that it has"


def test_objects_that_run_nothing_are_left_out() -> None:
    assert rollout_rules.checks([CLAIM, {"kind": "Service", "apiVersion": "v1", "spec": {}}]) == []
