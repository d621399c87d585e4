"""Rules of the scheduler that preflight knows, without a cluster."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from breakeven.engine.preflight import gpus, kinds, pods


def container(**resources: Any) -> dict[str, Any]:
    return {"resources": resources}


def test_a_pod_takes_the_sum_of_what_runs_together_or_the_most_of_what_runs_before() -> None:
    spec = {
        "containers": [container(requests={"cpu": "500m"}), container(limits={"cpu": "2", "memory": "1Gi"})],
        "initContainers": [
            container(requests={"cpu": "3", "memory": "512Mi"}),
            {**container(requests={"cpu": "250m"}), "restartPolicy": "Always"},
        ],
        "overhead": {"memory": "1Mi"},
    }
    # Together 0.5 + 2 (a limit is also the request) + 0.25 of the sidecar = 2.75 CPU; before them 3.
    assert pods.amounts(spec) == {"cpu": Decimal(3), "memory": Decimal(2**30 + 2**20)}
    assert pods.amounts(spec, "limits")["cpu"] == 2


def node(*taints: dict[str, Any], ready: str = "True", cordoned: bool = False) -> dict[str, Any]:
    status = {"conditions": [{"type": "Ready", "status": ready}]}
    return {"spec": {"taints": list(taints), "unschedulable": cordoned}, "status": status}


GPU = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("found", "tolerations", "takes"),
    [
        (node(), [], True),
        (node(GPU), [], False),
        (node(GPU), [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}], True),
        (node(GPU), [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoExecute"}], False),
        (node(GPU), [{"key": "nvidia.com/gpu", "value": "present"}], True),
        (node(GPU), [{"key": "nvidia.com/gpu", "value": "other"}], False),
        (node(GPU), [{"operator": "Exists"}], True),
        (node({**GPU, "effect": "PreferNoSchedule"}), [], True),
        (node(GPU, {"key": "team", "effect": "NoExecute"}), [{"key": "nvidia.com/gpu", "operator": "Exists"}], False),
        (node(ready="Unknown"), [], False),
        (node(cordoned=True), [], False),
    ],
)
def test_where_a_pod_may_go(found: dict[str, Any], tolerations: list[dict[str, Any]], takes: bool) -> None:
    assert gpus.takes(found, {"tolerations": tolerations}) is takes


def test_the_scarcest_resource_of_a_node_counts() -> None:
    room = gpus.Room(name="a", free={"nvidia.com/gpu": Decimal(8), "cpu": Decimal(20)}, holders=())
    assert room.fits({"nvidia.com/gpu": Decimal(4), "cpu": Decimal(6)}) == 2
    assert room.fits({"nvidia.com/gpu": Decimal(4), "cpu": Decimal(24)}) == 0
    assert room.fits({"nvidia.com/gpu": Decimal(4), "memory": Decimal(1)}) == 0


@pytest.mark.parametrize(
    ("version", "status"),
    [("v1.36.3", "pass"), ("v1.30.0-gke.1", "pass"), ("v1.29.9+k3s1", "fail"), ("v2.0.0", "pass"), ("unknown", "warn")],
)
def test_the_oldest_version(version: str, status: str) -> None:
    assert kinds._version(version).status == status
