"""Rules of the scheduler that preflight knows, without a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from breakeven.core.plan import Plan
from breakeven.engine.cluster import Cluster
from breakeven.engine.preflight import dry_run, gpus, kinds, pods, storage
from breakeven.engine.preflight.subject import Object, Subject


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


def subject(*manifests: dict[str, Any], claims: Sequence[str] = ()) -> Subject:
    """A subject on a cluster that has these claims and one StorageClass, which is the default."""

    def get(version: str, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        return {} if kind == "PersistentVolumeClaim" and name in claims else None

    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    classes = [{"metadata": {"name": "disk", "annotations": annotations}, "provisioner": "disk.csi.azure.com"}]
    return Subject(
        plan=cast(Plan, SimpleNamespace(namespace="team")),
        cluster=cast(Cluster, SimpleNamespace(get=get, list=lambda path: classes)),
        objects=tuple(Object(manifest=manifest, path="/some", live=None, is_adopted=False) for manifest in manifests),
        namespace={},
        own_pods=(),
    )


def server(*volumes: dict[str, Any]) -> dict[str, Any]:
    spec = {"containers": [{"resources": {"limits": {"nvidia.com/gpu": 1}}}], "volumes": list(volumes)}
    return {"kind": "Deployment", "metadata": {"name": "llm"}, "spec": {"template": {"spec": spec}}}


def test_a_claim_that_somebody_else_makes_must_be_there() -> None:
    volume = {"name": "weights", "persistentVolumeClaim": {"claimName": "shared"}}
    (missing,) = storage.check(subject(server(volume)))
    assert (missing.status, missing.detail) == ("fail", "there is no PersistentVolumeClaim team/shared")
    (found,) = storage.check(subject(server(volume), claims=["shared"]))
    assert (found.status, found.detail) == ("pass", "PersistentVolumeClaim team/shared exists")


def test_the_volume_of_each_pod_has_a_class() -> None:
    spec: dict[str, Any] = {"accessModes": ["ReadWriteOnce"]}
    volume = {"name": "weights", "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}
    (found,) = storage.check(subject(server(volume)))
    assert found.detail == "StorageClass disk (disk.csi.azure.com)"
    spec["storageClassName"] = "none"
    (missing,) = storage.check(subject(server(volume)))
    assert missing.detail == "there is no StorageClass none"


def test_the_server_is_the_object_with_gpus() -> None:
    job = {"kind": "Job", "metadata": {"name": "download"}, "spec": {"template": {"spec": {"containers": [{}]}}}}
    found = subject(job, server())
    assert found.server["kind"] == "Deployment"
    assert [runner["kind"] for runner in found.runners] == ["Job", "Deployment"]


def test_a_pod_keeps_an_account_that_is_there_already() -> None:
    runner = server()
    runner["spec"]["template"]["spec"] |= {"serviceAccountName": "llm", "containerConcurrency": 4}
    own = dry_run.probe(runner, runner["spec"]["template"], without_account=True)["spec"]
    assert not {"serviceAccountName", "containerConcurrency"} & own.keys()
    assert (
        dry_run.probe(runner, runner["spec"]["template"], without_account=False)["spec"]["serviceAccountName"] == "llm"
    )


def test_long_names_of_probes_stay_names() -> None:
    runner = server()
    runner["metadata"]["name"] = "a" * 39 + "-" + "b" * 20
    assert (
        dry_run.probe(runner, runner["spec"]["template"], without_account=True)["metadata"]["name"]
        == "a" * 39 + "-preflight"
    )
