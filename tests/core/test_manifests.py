from __future__ import annotations

from typing import Any

import pytest

from breakeven.core.manifests import GPU_RESOURCE
from breakeven.core.pod_counts import MAX_SCALE, MIN_SCALE, gpus_range, gpus_requested, replicas
from breakeven.errors import GateError


def pod(*gpus: Any) -> dict[str, Any]:
    return {"containers": [{"resources": {"limits": {GPU_RESOURCE: count}}} for count in gpus]}


def deployment(replicas: Any, *gpus: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": {"replicas": replicas, "template": {"spec": pod(*gpus)}},
    }


def knative(max_scale: Any, *gpus: Any) -> dict[str, Any]:
    metadata = {"annotations": {MAX_SCALE: max_scale}}
    template = {"metadata": metadata, "spec": pod(*gpus)}
    return {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "spec": {"template": template}}


def group(replicas: Any, size: Any, leader: int, worker: int) -> dict[str, Any]:
    templates = {"leaderTemplate": {"spec": pod(leader)}, "workerTemplate": {"spec": pod(worker)}}
    return {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "metadata": {"name": "llm"},
        "spec": {"replicas": replicas, "leaderWorkerTemplate": {"size": size, **templates}},
    }


@pytest.mark.parametrize(
    ("manifests", "gpus"),
    [
        ([], 0),
        ([deployment(2, 4)], 8),
        # protobuf has no whole numbers, YAML quotes them.
        ([deployment(2.0, "4")], 8),
        ([deployment(0, 4)], 0),
        # Containers of a pod run together.
        ([deployment(1, 4, 1)], 5),
        ([knative("3", 1)], 3),
        ([deployment(1, 4), knative("2", 1)], 6),
        ([{"kind": "Pod", "spec": pod(2)}], 2),
        # A leader and two workers.
        ([group(1, 3, 8, 8)], 24),
        ([group(2.0, "2", 8, 4)], 24),
        ([group(1, 1, 8, 8)], 8),
        ([group(0, 2, 8, 8)], 0),
        ([{"kind": "Service", "spec": {"ports": []}}, {"kind": "Namespace"}, {"kind": "ConfigMap", "data": {}}], 0),
        ([{"kind": "Deployment", "spec": {"template": {"spec": {"containers": [{}]}}}}], 0),
    ],
)
def test_gpus_of_all_replicas_are_counted(manifests: list[dict[str, Any]], gpus: int) -> None:
    assert gpus_requested(manifests) == gpus


def test_without_a_template_of_its_own_the_leader_is_as_a_worker() -> None:
    manifest = group(1, 3, 8, 4)
    del manifest["spec"]["leaderWorkerTemplate"]["leaderTemplate"]
    assert gpus_requested([manifest]) == 12


def test_a_group_of_unknown_size_is_not_applied() -> None:
    with pytest.raises(GateError, match="size is"):
        gpus_requested([group(1, "unknown", 8, 8)])


def test_groups_of_another_api_are_not_guessed_at() -> None:
    with pytest.raises(GateError, match="where no pod template is"):
        gpus_requested([{**group(1, 2, 8, 8), "apiVersion": "example.com/v1"}])


def test_an_autoscaler_scales_groups() -> None:
    manifest = group(1, 2, 8, 8)
    del manifest["spec"]["replicas"]
    target = {"kind": "LeaderWorkerSet", "name": "llm"}
    scaler = {
        "kind": "HorizontalPodAutoscaler",
        "spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3},
    }
    assert gpus_range([manifest, scaler]) == (16, 48)


def test_a_missing_replica_count_is_one() -> None:
    manifest = deployment(1, 4)
    del manifest["spec"]["replicas"]
    assert gpus_requested([manifest]) == 4


def test_init_containers_reuse_the_gpus() -> None:
    manifest = deployment(1, 4)
    manifest["spec"]["template"]["spec"]["initContainers"] = pod(4)["containers"]
    assert gpus_requested([manifest]) == 4


@pytest.mark.parametrize("count", ["04da6b54-80e4-46f7-96ec-b56ff0331ba9", "", None, -1, 1.5, "nan", "inf"])
def test_what_cannot_be_counted_is_refused(count: Any) -> None:
    with pytest.raises(GateError, match="cannot be counted and priced"):
        gpus_requested([deployment(1, count)])


@pytest.mark.parametrize("hidden", ["04da6b54-80e4-46f7-96ec-b56ff0331ba9", "[secret]"])
@pytest.mark.parametrize(
    "path", ["spec", "spec.template", "spec.template.spec", "spec.template.spec.containers", "spec.replicas"]
)
def test_what_is_unknown_or_secret_on_the_way_to_a_gpu_is_refused(path: str, hidden: str) -> None:
    manifest = deployment(1, 4)
    *way, last = path.split(".")
    found: Any = manifest
    for key in way:
        found = found[key]
    found[last] = hidden
    with pytest.raises(GateError, match="cannot be counted and priced"):
        gpus_requested([manifest])


@pytest.mark.parametrize("key", ["resources", "limits"])
def test_a_hidden_part_of_a_container_is_refused(key: str) -> None:
    container: dict[str, Any] = {"resources": {"limits": {GPU_RESOURCE: 4}}}
    (container if key == "resources" else container["resources"])[key] = "[secret]"
    manifest = {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [container]}}}}
    with pytest.raises(GateError, match=f"{key} is '.secret.'"):
        gpus_requested([manifest])


def test_gpus_of_a_kind_whose_pods_are_not_counted_are_refused() -> None:
    """One pod a node, or a template elsewhere: not 0, and not 1 either."""
    daemon = {**deployment(1, 1), "kind": "DaemonSet"}
    group = {"kind": "LeaderWorkerSet", "spec": {"leaderWorkerTemplate": {"workerTemplate": {"spec": pod(4)}}}}
    for manifest in (daemon, group):
        with pytest.raises(GateError, match="cannot be counted and priced"):
            gpus_requested([manifest])
    quota = {"kind": "ResourceQuota", "spec": {"hard": {GPU_RESOURCE: 8}}}
    assert gpus_requested([quota]) == 0


def test_knative_without_a_limit_is_refused() -> None:
    manifest = knative("1", 1)
    manifest["spec"]["template"]["metadata"] = {}
    with pytest.raises(GateError, match="max-scale is None"):
        gpus_requested([manifest])


def owned(*gpus: Any) -> dict[str, Any]:
    """A Deployment whose replicas an autoscaler sets."""
    manifest = deployment(None, *gpus)
    del manifest["spec"]["replicas"]
    return {**manifest, "metadata": {"name": "llm"}}


def autoscaler(kind: str, target: str = "llm", **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": target}, **spec}}


@pytest.mark.parametrize(
    ("scaler", "gpus"),
    [
        (autoscaler("HorizontalPodAutoscaler", minReplicas=2, maxReplicas=5), (8, 20)),
        # Kubernetes' and KEDA's own defaults.
        (autoscaler("HorizontalPodAutoscaler", maxReplicas=5), (4, 20)),
        (autoscaler("ScaledObject", minReplicaCount=0, maxReplicaCount=3), (0, 12)),
        (autoscaler("ScaledObject"), (0, 400)),
        (autoscaler("HorizontalPodAutoscaler", target="another", maxReplicas=5), (4, 4)),
    ],
)
def test_an_autoscaler_says_how_many_run(scaler: dict[str, Any], gpus: tuple[int, int]) -> None:
    assert gpus_range([owned(4), scaler]) == gpus
    assert gpus_range([owned(4)], beside=[scaler]) == gpus


def test_kedas_target_is_a_deployment_unless_said_otherwise() -> None:
    scaler = {"kind": "ScaledObject", "spec": {"scaleTargetRef": {"name": "llm"}, "maxReplicaCount": 3}}
    assert gpus_range([owned(1), scaler]) == (0, 3)


def test_knative_says_how_many_are_kept_warm() -> None:
    service = knative("3", 2)
    service["spec"]["template"]["metadata"]["annotations"][MIN_SCALE] = "1"
    assert replicas(service, ()) == (1, 3)
    assert gpus_range([service]) == (2, 6)


@pytest.mark.parametrize(
    ("scalers", "why"),
    [
        ([autoscaler("HorizontalPodAutoscaler", minReplicas=1)], "maxReplicas is None"),
        ([autoscaler("HorizontalPodAutoscaler", maxReplicas="[unknown]")], "maxReplicas"),
        ([autoscaler("ScaledObject"), autoscaler("HorizontalPodAutoscaler", maxReplicas=2)], "has two autoscalers"),
    ],
)
def test_an_autoscaler_that_cannot_be_read_is_refused(scalers: list[dict[str, Any]], why: str) -> None:
    with pytest.raises(GateError, match=why):
        gpus_range([owned(4), *scalers])


def test_replicas_beside_an_autoscaler_are_refused() -> None:
    """Each apply would undo what the autoscaler did."""
    with pytest.raises(GateError, match="has replicas of its own and HorizontalPodAutoscaler"):
        gpus_range(
            [{**owned(4), **deployment(2, 4)}, autoscaler("HorizontalPodAutoscaler", maxReplicas=5)],
        )
