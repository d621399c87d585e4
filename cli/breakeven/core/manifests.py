"""Reading Kubernetes manifests, which may hold what is unknown: the pods that they make, and their GPUs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from breakeven.errors import GateError

GPU_RESOURCE: Final = "nvidia.com/gpu"

# An object names GPUs without asking for them: what a quota or a limit range allows.
_ALLOWANCES: Final = {"ResourceQuota", "LimitRange"}

Manifest = Mapping[str, Any]


def is_knative_service(manifest: Manifest) -> bool:
    return str(manifest.get("apiVersion", "")).startswith("serving.knative.dev/") and manifest.get("kind") == "Service"


def is_group(manifest: Manifest) -> bool:
    """Whether each replica is a leader and its workers."""
    version = str(manifest.get("apiVersion", ""))
    return version.startswith("leaderworkerset.x-k8s.io/") and manifest.get("kind") == "LeaderWorkerSet"


def pod_templates(manifest: Manifest) -> tuple[Manifest, ...]:
    """Of the pods that a manifest makes, those that answer first; a Pod is its own. None where it makes no pods."""
    if manifest.get("kind") == "Pod":
        return (manifest,)
    if is_group(manifest):
        of_group = mapping(manifest, "spec", "leaderWorkerTemplate")
        worker = mapping(of_group, "workerTemplate", owner=manifest)
        return mapping(of_group, "leaderTemplate", owner=manifest) or worker, worker
    template = mapping(manifest, "spec", "template")
    return (template,) if template else ()


def pod_specs(manifest: Manifest) -> tuple[Manifest, ...]:
    specs = (mapping(template, "spec", owner=manifest) for template in pod_templates(manifest))
    return tuple(spec for spec in specs if spec)


def pod_spec(manifest: Manifest) -> Manifest:
    """Of the pods that answer; empty where there are none."""
    return next(iter(pod_specs(manifest)), {})


def group_size(manifest: Manifest) -> int:
    """Pods of each replica."""
    size = mapping(manifest, "spec", "leaderWorkerTemplate").get("size", 1) if is_group(manifest) else 1
    return whole(manifest, "size", size)


def pod_gpus(manifest: Manifest) -> int:
    """Of one pod that answers."""
    return _gpus(manifest, pod_spec(manifest))


def replica_gpus(manifest: Manifest) -> int:
    """Of all pods of a replica: one, or a leader and its workers."""
    each = [_gpus(manifest, mapping(template, "spec", owner=manifest)) for template in pod_templates(manifest)]
    return sum(each[:1]) + (group_size(manifest) - 1) * sum(each[1:])


def _gpus(manifest: Manifest, spec: Manifest) -> int:
    """A pod runs its containers together: their GPUs add up (init containers run before and reuse them)."""
    containers = spec.get("containers") or ()
    if isinstance(containers, str):
        raise uncountable(manifest, f"its containers are {containers!r}")
    return sum(_container_gpus(manifest, container) for container in containers)


def _container_gpus(manifest: Manifest, container: Manifest) -> int:
    # Requests of an extended resource must equal its limits; the API server copies limits to requests.
    limits = _mapping(manifest, "limits", mapping(container, "resources", owner=manifest).get("limits"))
    return whole(manifest, GPU_RESOURCE, limits.get(GPU_RESOURCE, 0))


def refuse_unplaced(manifest: Manifest) -> None:
    """Raises GateError if a manifest asks for GPUs where no pod is."""
    asked = any(value not in (0, "0") for value in _values(manifest.get("spec"), GPU_RESOURCE))
    if asked and manifest.get("kind") not in _ALLOWANCES:
        raise uncountable(manifest, f"it names {GPU_RESOURCE} where no pod template is")


def _values(data: Any, key: str) -> Iterator[Any]:
    """Each value of a key, however deep."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            if name == key:
                yield value
            else:
                yield from _values(value, key)
    elif isinstance(data, Sequence) and not isinstance(data, str):
        for value in data:
            yield from _values(value, key)


def mapping(manifest: Manifest, *path: str, owner: Manifest | None = None) -> Manifest:
    """What is at a path, or nothing. Raises GateError where it is unknown or secret: a string takes its place."""
    found: Manifest = manifest
    for key in path:
        found = _mapping(owner or manifest, key, found.get(key))
    return found


def _mapping(manifest: Manifest, key: str, value: object) -> Manifest:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise uncountable(manifest, f"{key} is {value!r}")
    return value


def whole(manifest: Manifest, key: str, value: object) -> int:
    """Whole numbers only: protobuf gives 2.0 for 2; an unknown or secret value is a string that is no number."""
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if number < 0 or not number.is_integer():
        raise uncountable(manifest, f"{key} is {value!r}")
    return int(number)


def uncountable(manifest: Manifest, why: str) -> GateError:
    return GateError(f"{manifest.get('kind')}: {why}, so its GPUs cannot be counted and priced")
