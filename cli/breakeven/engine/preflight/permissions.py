"""May the user do what the apply does? The API server's own answer for each kind and verb."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple

from breakeven.core.live import Check
from breakeven.core.units import count
from breakeven.engine.cluster import Cluster, Forbidden
from breakeven.engine.preflight.subject import Subject
from breakeven.engine.preflight.together import together

_REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
# A server-side apply is a patch, and of what does not exist also a create. The provider watches what it waits for.
_APPLY: Final = ("get", "list", "watch", "create", "patch")
_REMOVE: Final = "delete"
# What the provider (4.25.0, pkg/await) watches beside a kind itself, to say when it is ready.
_WATCHED: Final = {
    ("apps", "Deployment"): (("apps", "replicasets"), ("", "pods"), ("", "persistentvolumeclaims")),
    ("batch", "Job"): (("", "pods"),),
    ("", "Service"): (("", "endpoints"),),
    ("networking.k8s.io", "Ingress"): (("", "services"), ("", "endpoints")),
}


class Right(NamedTuple):
    """One thing that may be allowed or not. `namespace` is empty for what lives in none."""

    verb: str
    group: str
    resource: str
    namespace: str

    @property
    def what(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource


def check(subject: Subject) -> Iterator[Check]:
    needed = sorted(set(_rights(subject)))
    allowed = together(subject.cluster, [partial(may, subject.cluster, right) for right in needed])
    denied = [right for right, is_allowed in zip(needed, allowed, strict=True) if not is_allowed]
    apply = [right for right in denied if right.verb != _REMOVE]
    remove = [right for right in denied if right.verb == _REMOVE]
    if apply:
        yield Check(name="Permissions", status="fail", detail=f"you may not {_listed(apply)}", fix=_fix(subject))
    if remove:
        detail = f"you may not {_listed(remove)}: the apply works, `deploy destroy` and a replacement will not"
        yield Check(name="Permissions", status="warn", detail=detail, fix=_fix(subject))
    if not denied:
        detail = f"all that the apply needs: {count(len(needed), 'right')}"
        yield Check(name="Permissions", status="pass", detail=detail)


def _rights(subject: Subject) -> Iterator[Right]:
    for item in subject.objects:
        version = item.manifest["apiVersion"]
        resource, namespaced = subject.cluster.resource(version, item.kind)
        if not resource:
            continue
        group = version.rpartition("/")[0]  # v1 has none
        namespace = subject.plan.namespace if namespaced else ""
        yield from (Right(verb, group, resource, namespace) for verb in (*_APPLY, _REMOVE))
        for watched_group, watched in _WATCHED.get((group, item.kind), ()):
            yield from (Right(verb, watched_group, watched, namespace) for verb in ("list", "watch"))


def may(cluster: Cluster, right: Right) -> bool:
    """Raises Forbidden where one may not even ask."""
    attributes = {key: value for key, value in right._asdict().items() if value}
    answer = cluster.ask("POST", _REVIEWS, _review(attributes))
    if not answer.is_ok:
        raise Forbidden(f"permissions cannot be asked for: {answer.message}")
    return bool(answer.body.get("status", {}).get("allowed"))


def _review(attributes: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }


def _listed(rights: Iterable[Right]) -> str:
    """`create, patch deployments.apps in team; create namespaces`."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in rights:
        verbs.setdefault((right.what, right.namespace), []).append(right.verb)
    return "; ".join(
        f"{', '.join(found)} {what}{f' in {namespace}' if namespace else ''}"
        for (what, namespace), found in verbs.items()
    )


def _fix(subject: Subject) -> str:
    namespace = subject.plan.namespace
    own = "" if subject.namespace else f", or for a namespace {namespace} that somebody makes for you"
    return f"ask the cluster's administrator for a Role with these in {namespace}{own}"
