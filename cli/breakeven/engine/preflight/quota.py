"""Do the namespace's quotas leave room for all replicas? (A dry run asks for one pod only.)"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from breakeven.core.live import Check
from breakeven.core.manifests import pod_spec
from breakeven.engine.cluster import quantity
from breakeven.engine.preflight.pods import add, amounts, running
from breakeven.engine.preflight.subject import Subject


def check(subject: Subject) -> Iterator[Check]:
    if subject.namespace is None:
        return
    quotas = subject.cluster.list(f"/api/v1/namespaces/{subject.plan.namespace}/resourcequotas")
    # One with a scope counts some pods only; the dry run of a pod asks whether this is one.
    plain = [entry for entry in quotas if not entry["spec"].get("scopes") and not entry["spec"].get("scopeSelector")]
    if plain:
        own = add(_charged(pod["spec"]) for pod in running(subject.own_pods))
        pods = subject.plan.replicas * subject.plan.split.nodes
        each = _charged(pod_spec(subject.server))
        wanted = {name: pods * value for name, value in each.items()}
        short = [line for entry in plain for line in _short(entry, wanted, own)]
        yield _verdict(subject, [entry["metadata"]["name"] for entry in plain], short)


def _charged(spec: Mapping[str, Any]) -> dict[str, Decimal]:
    """What one pod counts for, under the names that quotas use."""
    requests, limits = amounts(spec), amounts(spec, "limits")
    charged = {"pods": Decimal(1), "count/pods": Decimal(1)}
    charged |= {f"requests.{name}": value for name, value in requests.items()}
    charged |= {f"limits.{name}": value for name, value in limits.items()}
    return charged | {name: requests[name] for name in ("cpu", "memory", "ephemeral-storage") if name in requests}


def _short(entry: dict[str, Any], wanted: Mapping[str, Decimal], own: Mapping[str, Decimal]) -> Iterator[str]:
    """Each resource that runs out. What the stack uses by now is its own to use again."""
    hard = entry.get("spec", {}).get("hard") or {}
    used = entry.get("status", {}).get("used") or {}
    for name, value in wanted.items():
        if name in hard:
            others = max(Decimal(0), quantity(used.get(name, 0)) - own.get(name, Decimal(0)))
            if others + value > quantity(hard[name]):
                needed, taken = _plain(value), _plain(others)
                yield f"{entry['metadata']['name']} allows {name} {hard[name]}, needed {needed}, used by others {taken}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _verdict(subject: Subject, names: list[str], short: list[str]) -> Check:
    if not short:
        detail = f"{', '.join(names)}: room for all {subject.plan.replicas} of the replicas"
        return Check(name="Quota", status="pass", detail=detail)
    fix = f"fewer --replicas, or ask for a larger quota of namespace {subject.plan.namespace}"
    return Check(name="Quota", status="fail", detail="; ".join(short), fix=fix)
