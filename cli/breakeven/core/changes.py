"""The steps that an apply would take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from breakeven.core.manifests import Manifest, is_group


@dataclass(frozen=True, kw_only=True)
class Change:
    """One step on one resource, with its manifest before and after.

    `op` is the engine's word: create, update, replace, delete, same. `paths` are the properties that change.
    """

    op: str
    urn: str
    type: str
    old: Manifest | None
    new: Manifest | None
    paths: tuple[str, ...] = ()

    @property
    def manifest(self) -> Manifest:
        return self.new or self.old or {}

    @property
    def is_kubernetes_object(self) -> bool:
        return self.type.startswith("kubernetes:") and "apiVersion" in self.manifest


@dataclass(frozen=True, kw_only=True)
class Changes:
    """All steps of one preview, those that leave a resource the same included."""

    steps: tuple[Change, ...]

    @property
    def objects(self) -> tuple[Change, ...]:
        """The steps on Kubernetes objects, always in the same order; the rest are Pulumi's own bookkeeping."""
        return tuple(sorted((step for step in self.steps if step.is_kubernetes_object), key=_by_kind))

    @property
    def counts(self) -> dict[str, int]:
        """By the engine's word, in one order; that of the steps changes from run to run."""
        return dict(sorted(Counter(step.op for step in self.steps).items()))

    @property
    def is_empty(self) -> bool:
        return set(self.counts) <= {"same"}

    def is_same(self, other: Changes) -> bool:
        """In whatever order the engine came to them."""
        return sorted(self.steps, key=_urn) == sorted(other.steps, key=_urn)

    def created(self, begun: Collection[str] = ()) -> tuple[Manifest, ...]:
        """Objects that are new to the stack, except those that a killed apply had begun to create, by URN."""
        return tuple(step.manifest for step in self.objects if step.op == "create" and step.urn not in begun)

    @property
    def handed_over(self) -> tuple[Manifest, ...]:
        """Deployments and groups whose replicas are no longer applied: from now on an autoscaler sets them."""
        return tuple(step.manifest for step in self.objects if step.op == "update" and _leaves_replicas(step))

    @property
    def manifests_before(self) -> tuple[Manifest, ...]:
        return tuple(step.old for step in self.objects if step.old)

    @property
    def manifests_after(self) -> tuple[Manifest, ...]:
        return tuple(step.new for step in self.objects if step.new and step.op != "delete")


def _leaves_replicas(step: Change) -> bool:
    old, new = ((manifest or {}).get("spec") or {} for manifest in (step.old, step.new))
    return (
        (step.manifest["kind"] == "Deployment" or is_group(step.manifest))
        and "replicas" in old
        and "replicas" not in new
    )


def _urn(step: Change) -> str:
    return step.urn


def _by_kind(step: Change) -> tuple[bool, str, str]:
    """The namespace first, in which all others are. (The engine works on several at once, in any order.)"""
    kind = str(step.manifest["kind"])
    return kind != "Namespace", kind, step.urn
