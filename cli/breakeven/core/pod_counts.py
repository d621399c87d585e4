"""How many pods, or groups of pods, a manifest runs: what it says itself, or what the autoscaler says that owns it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from breakeven.core.manifests import (
    Manifest,
    is_group,
    is_knative_service,
    mapping,
    pod_spec,
    refuse_unplaced,
    replica_gpus,
    uncountable,
    whole,
)

MIN_SCALE: Final = "autoscaling.knative.dev/min-scale"
MAX_SCALE: Final = "autoscaling.knative.dev/max-scale"

# Kinds of which it is known how many pods they run.
_COUNTED: Final = {"Deployment", "StatefulSet", "ReplicaSet", "Pod"}
# Of each kind of autoscaler: where its bounds stand, and what they are where they are left out.
_BOUNDS: Final = {
    "HorizontalPodAutoscaler": (("minReplicas", 1), ("maxReplicas", None)),
    "ScaledObject": (("minReplicaCount", 0), ("maxReplicaCount", 100)),
}

Range = tuple[int, int]


def gpus_range(manifests: Sequence[Manifest], beside: Sequence[Manifest] = ()) -> Range:
    """The fewest and the most GPUs of the manifests, whose autoscalers may be among those `beside` them.

    Raises GateError where a count cannot be read.
    """
    found = [_gpus(manifest, (*manifests, *beside)) for manifest in manifests]
    return sum(least for least, _ in found), sum(most for _, most in found)


def gpus_requested(manifests: Sequence[Manifest], beside: Sequence[Manifest] = ()) -> int:
    """The most."""
    return gpus_range(manifests, beside)[1]


def _gpus(manifest: Manifest, among: Iterable[Manifest]) -> Range:
    each = replica_gpus(manifest)
    known = manifest.get("kind") in _COUNTED or is_knative_service(manifest) or is_group(manifest)
    if each and not known:
        raise uncountable(manifest, "it is not known how many pods it runs")
    if not each:
        refuse_unplaced(manifest)
        return 0, 0
    least, most = replicas(manifest, among)
    return least * each, most * each


def replicas(manifest: Manifest, among: Iterable[Manifest]) -> Range:
    """The fewest and the most pods, or groups of pods, of a manifest, whose autoscaler may be among the others."""
    if is_knative_service(manifest):
        annotations = mapping(manifest, "spec", "template", "metadata", "annotations")
        least, most = (whole(manifest, key, annotations.get(key, 0)) for key in (MIN_SCALE, MAX_SCALE))
        if not most:
            raise uncountable(manifest, f"{MAX_SCALE} is {annotations.get(MAX_SCALE)!r}, and 0 is without limit")
        return least, most
    owners = [other for other in among if _owns(other, manifest)]
    said = mapping(manifest, "spec").get("replicas")
    if not owners:
        count = whole(manifest, "spec.replicas", 1 if said is None else said)
        return count, count
    if said is not None or len(owners) > 1:
        also = "has replicas of its own" if said is not None else "has two autoscalers"
        raise uncountable(manifest, f"it {also} and {owners[0].get('kind')} changes them as well")
    return _bounds(owners[0])


def _owns(autoscaler: Manifest, manifest: Manifest) -> bool:
    """KEDA's target is a Deployment unless it says otherwise."""
    if autoscaler.get("kind") not in _BOUNDS:
        return False
    target = mapping(autoscaler, "spec", "scaleTargetRef")
    same_kind = target.get("kind", "Deployment") == manifest.get("kind")
    return same_kind and target.get("name") == mapping(manifest, "metadata").get("name")


def _bounds(autoscaler: Manifest) -> Range:
    spec = mapping(autoscaler, "spec")
    least, most = (
        whole(autoscaler, f"spec.{key}", spec.get(key, default)) for key, default in _BOUNDS[autoscaler["kind"]]
    )
    return least, most


def as_asked(asked: Manifest, stored: Manifest) -> Manifest:
    """What the server stores of a manifest, without replicas that nobody asked for; nothing where it makes no pods."""
    if not pod_spec(stored):
        return {} if stored.get("kind") not in _BOUNDS else stored
    said = mapping(asked, "spec")
    spec = {key: value for key, value in mapping(stored, "spec").items() if key != "replicas" or key in said}
    return {**stored, "spec": spec}
