"""Node objects shaped like a profile: what the scheduler, and the preflight, see of rented GPU nodes."""

from __future__ import annotations

from typing import Any, Final

from breakeven.core.hardware import Accelerator, Profile
from breakeven.core.local import NodePool

PROFILE_LABEL: Final = "breakeven.dev/profile"
GPU_RESOURCE: Final = "nvidia.com/gpu"
# Per GPU, as AWS p4de.24xlarge has it, the tightest of the common A100 shapes: what fits here fits on the others.
# https://aws.amazon.com/ec2/instance-types/p4/
_CPU_PER_GPU: Final = 12
_MEMORY_GIB_PER_GPU: Final = 144
_STORAGE_GIB_PER_GPU: Final = 1000
_PODS: Final = 110


def names(profile: Profile, count: int) -> list[str]:
    """The first `count` nodes of the profile."""
    return [f"{profile.name}-{index}".lower() for index in range(count)]


def node(name: str, profile: Profile, accelerator: Accelerator) -> dict[str, Any]:
    """A Node object as a cloud's kubelet and GPU feature discovery would have made it."""
    resources = _resources(profile.gpus_per_node)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": _labels(name, profile, accelerator),
        },
        "spec": {"taints": [{"key": GPU_RESOURCE, "value": "present", "effect": "NoSchedule"}]},
        "status": {"capacity": resources, "allocatable": resources},
    }


def pools(nodes: list[dict[str, Any]]) -> tuple[NodePool, ...]:
    """Node objects, counted by profile."""
    by_profile: dict[str, list[dict[str, Any]]] = {}
    for item in nodes:
        by_profile.setdefault(item["metadata"]["labels"].get(PROFILE_LABEL, ""), []).append(item)
    return tuple(
        NodePool(
            profile=profile,
            nodes=len(items),
            ready=sum(is_ready(item) for item in items),
            gpus=sum(int(item["status"]["allocatable"].get(GPU_RESOURCE, 0)) for item in items),
        )
        for profile, items in sorted(by_profile.items())
    )


def is_ready(node: dict[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def _resources(gpus: int) -> dict[str, str]:
    return {
        GPU_RESOURCE: str(gpus),
        "cpu": str(_CPU_PER_GPU * gpus),
        "memory": f"{_MEMORY_GIB_PER_GPU * gpus}Gi",
        "ephemeral-storage": f"{_STORAGE_GIB_PER_GPU * gpus}Gi",
        "pods": str(_PODS),
    }


def _labels(name: str, profile: Profile, accelerator: Accelerator) -> dict[str, str]:
    """The profile's own placement labels go last: they are what its pods look for."""
    placement = next((entry for entry in profile.placement if entry.platform == "gfd"), profile.placement[0])
    return {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": name,
        "node.kubernetes.io/instance-type": f"sandbox.{profile.name}",
        "topology.kubernetes.io/region": "sandbox",
        "topology.kubernetes.io/zone": "sandbox-a",
        PROFILE_LABEL: profile.name,
        f"{GPU_RESOURCE}.count": str(profile.gpus_per_node),
        f"{GPU_RESOURCE}.memory": str(int(accelerator.memory_gib * 1024)),
        f"{GPU_RESOURCE}.present": "true",
        **{label.key: label.values[0] for label in placement.labels},
    }
