"""Is the namespace there, and does it stay?"""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.core.live import Check
from breakeven.engine.preflight.subject import Subject


def check(subject: Subject) -> Iterator[Check]:
    name, found = subject.plan.namespace, subject.namespace
    if found is None:
        detail = f"{name} is yet to be made; what it will allow (quota, Pod Security, policies) could not be checked"
        fix = f"to have it checked first: kubectl create namespace {name} (`deploy destroy` then keeps it)"
        yield Check(name="Namespace", status="warn", detail=detail, fix=fix)
    elif found.get("status", {}).get("phase") == "Terminating":
        fix = "wait until it is gone, or choose another --namespace"
        yield Check(name="Namespace", status="fail", detail=f"{name} is being deleted", fix=fix)
