from __future__ import annotations

from typing import Any

import pytest

from breakeven.core.changes import Change, Changes
from breakeven.core.outage import outages


def server(replicas: int, *, surge: int = 0, unavailable: int = 1) -> dict[str, Any]:
    probe = {"periodSeconds": 10, "failureThreshold": 61}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "llm"},
        "spec": {
            "replicas": replicas,
            "strategy": {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}},
            "template": {"spec": {"containers": [{"startupProbe": probe}]}},
        },
    }


def lines(op: str, old: dict[str, Any], new: dict[str, Any], *paths: str) -> tuple[str, ...]:
    step = Change(op=op, urn="urn::llm", type=f"kubernetes:x:{new['kind']}", old=old, new=new, paths=paths)
    return outages(Changes(steps=(step,)))


def test_a_replacement_is_an_outage() -> None:
    # 61 probes every 10 s are 610 s.
    assert lines("replace", server(2), server(2), "spec.selector") == (
        "Deployment llm is deleted before it is made again: an outage until it is ready, up to 11 min",
    )
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "llm"}, "spec": {}}
    assert lines("replace", claim, claim, "spec.accessModes") == (
        "PersistentVolumeClaim llm is deleted before it is made again: the weights on it are lost and downloaded again",
    )


@pytest.mark.parametrize(
    ("old", "new", "path", "is_outage"),
    [
        (server(1), server(1), "spec.template.spec.containers[0].image", True),
        (server(1), server(2), "spec.template.spec.containers[0].image", True),
        (server(2), server(2), "spec.template.spec.containers[0].image", False),
        (server(1, surge=1, unavailable=0), server(1, surge=1, unavailable=0), "spec.template.spec", False),
        (server(1), server(2), "spec.replicas", False),
        (server(0), server(1), "spec.template.spec", False),
    ],
)
def test_an_only_replica_without_a_spare(old: dict[str, Any], new: dict[str, Any], path: str, is_outage: bool) -> None:
    assert bool(lines("update", old, new, path)) is is_outage


def test_what_stays_or_is_new_is_none() -> None:
    assert not lines("same", server(1), server(1))
    assert not lines("create", server(1), server(1))


def test_as_few_run_as_the_autoscaler_allows() -> None:
    scaled = server(1)
    del scaled["spec"]["replicas"]
    path = "spec.template.spec.containers[0].image"
    change = Change(op="update", urn="urn::llm", type="kubernetes:x:Deployment", old=scaled, new=scaled, paths=(path,))
    for least, outage in ((1, True), (2, False)):
        hpa = {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "llm"},
            "spec": {
                "scaleTargetRef": {"kind": "Deployment", "name": "llm"},
                "minReplicas": least,
                "maxReplicas": 5,
            },
        }
        same = Change(
            op="same", urn="urn::hpa", type="kubernetes:x:HorizontalPodAutoscaler", old=hpa, new=hpa, paths=()
        )
        assert bool(outages(Changes(steps=(change, same)))) is outage
