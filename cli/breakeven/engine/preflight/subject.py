"""What preflight looks at: a plan, its objects, and what of them is in the cluster already."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from breakeven.core.manifests import Manifest, pod_gpus, pod_spec
from breakeven.core.plan import Plan
from breakeven.engine.cluster import Cluster, Forbidden
from breakeven.engine.preflight.together import together


@dataclass(frozen=True, kw_only=True)
class Object:
    """One object to be applied. `path` is empty where the cluster does not know its kind; `live` is it as it is.

    `is_adopted`: it is not the stack's yet, and will be.
    """

    manifest: Manifest
    path: str
    live: dict[str, Any] | None
    is_adopted: bool

    @property
    def kind(self) -> str:
        return str(self.manifest["kind"])

    @property
    def title(self) -> str:
        return f"{self.kind} {self.manifest['metadata']['name']}"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """`namespace` is None where it is yet to be made; `own_pods` are those that the stack runs by now."""

    plan: Plan
    cluster: Cluster
    objects: tuple[Object, ...]
    namespace: dict[str, Any] | None
    own_pods: tuple[dict[str, Any], ...]

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        return tuple(item.manifest for item in self.objects)

    @property
    def runners(self) -> tuple[Manifest, ...]:
        """The objects that run pods."""
        return tuple(manifest for manifest in self.manifests if pod_spec(manifest))

    @property
    def server(self) -> Manifest:
        """The one that runs the replicas."""
        return next(manifest for manifest in self.runners if pod_gpus(manifest))


def subject_of(
    plan: Plan, manifests: Sequence[Manifest], cluster: Cluster, adopted: Collection[Manifest] = ()
) -> Subject:
    """Look the objects up. Raises ClusterError."""
    together(cluster, [partial(cluster.serves, version, kind) for version, kind in _kinds(manifests)])
    objects = together(
        cluster, [partial(_object, cluster, each, plan.namespace, each in adopted) for each in manifests]
    )
    namespace = cluster.get("v1", "Namespace", "", plan.namespace)
    pods = _own_pods(cluster, plan) if namespace else []
    return Subject(plan=plan, cluster=cluster, objects=tuple(objects), namespace=namespace, own_pods=tuple(pods))


def _kinds(manifests: Sequence[Manifest]) -> set[tuple[str, str]]:
    """One of each group: the cluster lists all kinds of a group at once."""
    return set({manifest["apiVersion"]: manifest["kind"] for manifest in manifests}.items())


def _object(cluster: Cluster, manifest: Manifest, namespace: str, is_adopted: bool) -> Object:
    where = manifest["metadata"].get("namespace", namespace)
    version, kind, name = manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"]
    live = None
    with suppress(Forbidden):  # the check of permissions says so
        live = cluster.get(version, kind, where, name)
    path = cluster.path(version, kind, where)
    return Object(manifest=manifest, path=path, live=live, is_adopted=is_adopted)


def _own_pods(cluster: Cluster, plan: Plan) -> list[dict[str, Any]]:
    query = urlencode({"labelSelector": f"app.kubernetes.io/instance={plan.release}"})
    with suppress(Forbidden):
        return cluster.list(f"/api/v1/namespaces/{plan.namespace}/pods?{query}")
    return []
