"""Do the Secrets exist that the pods name, with the keys that they read? Their values are not looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from breakeven.core.live import Check
from breakeven.core.manifests import Manifest, pod_specs
from breakeven.engine.preflight.subject import Subject


class Reference(NamedTuple):
    """A Secret that a pod cannot start without; `key` is empty where all of it is taken."""

    name: str
    key: str


def check(subject: Subject) -> Iterator[Check]:
    if subject.plan.facts.model.gated and not subject.plan.deployment.hub_token_secret:
        fix = "give --hub-token-secret NAME of a Secret with the key `token`"
        yield Check(name="Hub token", status="warn", detail=f"{subject.plan.facts.model.name} is gated", fix=fix)
    references = {
        reference for manifest in subject.manifests for spec in pod_specs(manifest) for reference in _references(spec)
    }
    yield from (_exists(subject, reference) for reference in sorted(references))


def _references(spec: Manifest) -> Iterator[Reference]:
    for entry in spec.get("imagePullSecrets") or ():
        yield Reference(entry["name"], "")
    for volume in spec.get("volumes") or ():
        secret = volume.get("secret") or {}
        if secret and not secret.get("optional"):
            yield Reference(secret["secretName"], "")
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        yield from _of_environment(container)


def _of_environment(container: Manifest) -> Iterator[Reference]:
    for variable in container.get("env") or ():
        chosen = (variable.get("valueFrom") or {}).get("secretKeyRef") or {}
        if chosen and not chosen.get("optional"):
            yield Reference(chosen["name"], chosen["key"])
    for source in container.get("envFrom") or ():
        whole = source.get("secretRef") or {}
        if whole and not whole.get("optional"):
            yield Reference(whole["name"], "")


def _exists(subject: Subject, reference: Reference) -> Check:
    namespace, name = subject.plan.namespace, reference.name
    is_token = name == subject.plan.deployment.hub_token_secret
    title = "Hub token" if is_token else "Secret"
    keys = _keys(subject, name)
    if keys is None:
        create = f"kubectl -n {namespace} create secret generic {name} --from-file={reference.key or 'KEY'}=FILE"
        fix = create if subject.namespace else f"kubectl create namespace {namespace}; {create}"
        return Check(name=title, status="fail", detail=f"there is no Secret {namespace}/{name}", fix=fix)
    if reference.key and reference.key not in keys:
        detail = f"Secret {namespace}/{name} has no key `{reference.key}`"
        fix = f"the keys that it has: {', '.join(sorted(keys)) or 'none'}"
        return Check(name=title, status="fail", detail=detail, fix=fix)
    return Check(name=title, status="pass", detail=f"Secret {namespace}/{name} exists")


def _keys(subject: Subject, name: str) -> frozenset[str] | None:
    """Names only; None where there is no such Secret."""
    found = subject.cluster.get("v1", "Secret", subject.plan.namespace, name)
    return None if found is None else frozenset(found.get("data") or ())
