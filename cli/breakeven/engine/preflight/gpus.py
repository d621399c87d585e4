"""Is there room: enough free GPUs, on one node for each pod, where the pods may go?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from breakeven.core.hardware import PlatformPlacement
from breakeven.core.live import Check
from breakeven.core.manifests import GPU_RESOURCE, Manifest, is_knative_service, pod_spec
from breakeven.core.rollout_rules import surge_and_unavailable
from breakeven.core.units import count
from breakeven.engine.cluster import Cluster, quantity
from breakeven.engine.preflight.pods import Amounts, add, amounts, running
from breakeven.engine.preflight.subject import Subject
from breakeven.engine.preflight.together import together

_NONE: Final = Decimal(0)
_SHOWN: Final = 3
_SPACE: Final = (GPU_RESOURCE, "cpu", "memory", "ephemeral-storage")


@dataclass(frozen=True, kw_only=True)
class Room:
    """One node: what others leave free of it, and who they are."""

    name: str
    free: Amounts
    holders: tuple[str, ...]

    @property
    def gpus(self) -> int:
        return int(self.free.get(GPU_RESOURCE, _NONE))

    def fits(self, wanted: Amounts) -> int:
        """How many such pods fit."""
        sizes = [self.free.get(name, _NONE) // size for name, size in wanted.items() if size]
        return max(0, int(min(sizes, default=_NONE)))


def accepted(nodes: Iterable[dict[str, Any]], placement: Iterable[PlatformPlacement]) -> list[dict[str, Any]]:
    """The nodes that any of the platforms' labels accept."""
    platforms = tuple(placement)
    return [
        node for node in nodes if any(_matches(platform, node["metadata"].get("labels", {})) for platform in platforms)
    ]


def allocatable_gpus(node: dict[str, Any]) -> int:
    return int(node.get("status", {}).get("allocatable", {}).get(GPU_RESOURCE, 0))


def _matches(platform: PlatformPlacement, labels: Mapping[str, str]) -> bool:
    return all(labels.get(match.key) in match.values for match in platform.labels)


def check(subject: Subject) -> Iterator[Check]:
    nodes = subject.cluster.list("/api/v1/nodes")
    suited = accepted(nodes, subject.plan.facts.profile.placement)
    fix = _no_nodes(nodes, suited)
    if fix:
        detail = f"0 GPUs on {count(len(suited), 'node')} that the profile accepts; the plan needs {subject.plan.gpus}"
        yield Check(name="GPUs", status="warn", detail=detail, fix=fix)
        return
    open_nodes = [node for node in suited if allocatable_gpus(node) and takes(node, pod_spec(subject.server))]
    rooms = together(subject.cluster, [partial(_room, subject, node) for node in open_nodes])
    closed = len(suited) - len(open_nodes)
    yield _verdict(subject, rooms, closed)


def _no_nodes(nodes: Sequence[dict[str, Any]], suited: Sequence[dict[str, Any]]) -> str:
    """Why there is none at all; empty if there is one."""
    if any(allocatable_gpus(node) for node in suited):
        return ""
    if suited:
        return f"the nodes do not offer {GPU_RESOURCE}: install NVIDIA's device plugin or its GPU operator"
    if any(allocatable_gpus(node) for node in nodes):
        return "other GPUs are there; choose their profile, or check the labels with `kubectl get nodes --show-labels`"
    return "pods wait until such nodes join; check the labels with `kubectl get nodes --show-labels`"


def takes(node: dict[str, Any], spec: Manifest) -> bool:
    """Whether the node is ready, and new pods of that kind may go there."""
    conditions = node.get("status", {}).get("conditions", ())
    ready = any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)
    taints = [taint for taint in node["spec"].get("taints", ()) if taint["effect"] != "PreferNoSchedule"]
    tolerations = spec.get("tolerations", ())
    tolerated = all(any(_tolerates(entry, taint) for entry in tolerations) for taint in taints)
    return ready and tolerated and not node["spec"].get("unschedulable")


def _tolerates(toleration: Manifest, taint: Manifest) -> bool:
    """https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"""
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return (toleration.get("key"), toleration.get("value", "")) == (taint["key"], taint.get("value", ""))


def _room(subject: Subject, node: dict[str, Any]) -> Room:
    name = node["metadata"]["name"]
    others = [pod for pod in _pods_on(subject.cluster, name) if not _is_own(subject, pod)]
    taken = add(amounts(pod["spec"]) for pod in others)
    has = {resource: quantity(node["status"]["allocatable"].get(resource, 0)) for resource in _SPACE}
    holders = tuple(
        f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        for pod in others
        if amounts(pod["spec"]).get(GPU_RESOURCE)
    )
    free = {resource: has[resource] - taken.get(resource, _NONE) for resource in _SPACE}
    return Room(name=name, free=free, holders=holders)


def _pods_on(cluster: Cluster, node: str) -> list[dict[str, Any]]:
    query = urlencode({"fieldSelector": f"spec.nodeName={node}"})
    return list(running(cluster.list(f"/api/v1/pods?{query}")))


def _is_own(subject: Subject, pod: dict[str, Any]) -> bool:
    """Pods that the stack runs by now give their GPUs to those that replace them."""
    return any(pod["metadata"].get("uid") == own["metadata"].get("uid") for own in subject.own_pods)


def _verdict(subject: Subject, rooms: Sequence[Room], closed: int) -> Check:
    wanted = {name: size for name, size in amounts(pod_spec(subject.server)).items() if name in _SPACE}
    pods = _pods_at_once(subject)
    room = sum(each.fits(wanted) for each in rooms)
    by_gpus = sum(each.fits({GPU_RESOURCE: wanted[GPU_RESOURCE]}) for each in rooms)
    free, nodes = count(sum(entry.gpus for entry in rooms), "GPU"), count(len(rooms), "node")
    needed = _needed(pods, int(wanted[GPU_RESOURCE]))
    detail = f"{free} free for it on {nodes} that the profile accepts; the plan needs {needed}"
    if room >= pods:
        return Check(name="GPUs", status="pass", detail=detail)
    closed_text = f"; {count(closed, 'other node')} not ready, cordoned or tainted" if closed else ""
    short = f"room for {room} of {pods}"
    fix = _fix(rooms) if by_gpus < pods else "the GPUs are free, the CPU, memory or disk beside them is not"
    return Check(name="GPUs", status="warn", detail=f"{detail}: {short}{closed_text}", fix=fix)


def _needed(pods: int, gpus_each: int) -> str:
    """A pod's GPUs must be on one node."""
    return f"{pods} × {gpus_each}" if gpus_each > 1 else f"{pods}"


def _pods_at_once(subject: Subject) -> int:
    """Of the replicas, and of those that a rollout must have beside them before it may end the old ones."""
    return _replicas_at_once(subject) * subject.plan.split.nodes


def _replicas_at_once(subject: Subject) -> int:
    if not subject.own_pods:
        return subject.plan.replicas
    if is_knative_service(subject.server):
        return subject.plan.replicas + 1
    surge, unavailable = surge_and_unavailable(subject.server)
    return subject.plan.replicas + (0 if unavailable else surge)


def _fix(rooms: Sequence[Room]) -> str:
    holders = [name for room in rooms for name in room.holders]
    more = f" and {len(holders) - _SHOWN} more" if len(holders) > _SHOWN else ""
    held = f" (held by {', '.join(holders[:_SHOWN])}{more})" if holders else ""
    return f"pods wait until GPUs are free{held} or such nodes join"
