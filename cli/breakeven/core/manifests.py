"""GPUs that Kubernetes manifests ask for, to hold against the GPUs on the bill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from breakeven.errors import GateError

GPU_RESOURCE: Final = "nvidia.com/gpu"
MAX_SCALE: Final = "autoscaling.knative.dev/max-scale"

Manifest = Mapping[str, Any]


def gpus_requested(manifests: Sequence[Manifest]) -> int:
    """GPUs of all replicas of all manifests. Raises GateError where a count cannot be read."""
    return sum(_replicas(manifest) * _pod_gpus(manifest) for manifest in manifests)


def _replicas(manifest: Manifest) -> int:
    spec = manifest.get("spec") or {}
    if _is_knative_service(manifest):
        annotations = spec.get("template", {}).get("metadata", {}).get("annotations", {})
        return _count(manifest, MAX_SCALE, annotations.get(MAX_SCALE))
    return _count(manifest, "spec.replicas", spec.get("replicas", 1))


def _is_knative_service(manifest: Manifest) -> bool:
    return str(manifest.get("apiVersion", "")).startswith("serving.knative.dev/")


def _pod_gpus(manifest: Manifest) -> int:
    """A pod runs its containers together: their GPUs add up (init containers run before and reuse them)."""
    spec = manifest.get("spec") or {}
    template = spec.get("template")
    pod = template.get("spec") if isinstance(template, Mapping) else spec if manifest.get("kind") == "Pod" else None
    containers = (pod or {}).get("containers") or ()
    return sum(_container_gpus(manifest, container) for container in containers)


def _container_gpus(manifest: Manifest, container: Manifest) -> int:
    # Requests of an extended resource must equal its limits; the API server copies limits to requests.
    limits = (container.get("resources") or {}).get("limits") or {}
    return _count(manifest, GPU_RESOURCE, limits.get(GPU_RESOURCE, 0))


def _count(manifest: Manifest, key: str, value: object) -> int:
    """Whole numbers only: protobuf gives 2.0 for 2; an unknown or secret value is a string that is no number."""
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if number < 0 or not number.is_integer():
        raise GateError(f"{manifest.get('kind')}: {key} is {value!r}, so its GPUs cannot be counted and priced")
    return int(number)
