"""Is the cluster new enough, and does it know every kind of object, with the features that they use?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from breakeven.core.chart.knative import features
from breakeven.core.live import Check
from breakeven.core.plan import ServerKind
from breakeven.engine.cluster import API_VERSIONS
from breakeven.engine.preflight.subject import Subject

# The chart's kubeVersion: the built-in sleep of preStop is on by default from 1.30 on.
_OLDEST: Final = (1, 30)

_KNATIVE: Final = "serving.knative.dev/"
_FIXES: Final = {
    _KNATIVE: "install Knative Serving, or choose a profile that is not serverless",
    "leaderworkerset.x-k8s.io/": "install LeaderWorkerSet (https://lws.sigs.k8s.io), or choose a profile "
    "with a node that holds the model",
}

_ROLLING: Final[set[ServerKind]] = {"Deployment", "LeaderWorkerSet"}

# Of these "allowed" is not enough: Knative 0.48, pkg/apis/serving/k8s_validation.go, validateVolume.
_ENABLED_ONLY: Final = (
    "kubernetes.podspec-persistent-volume-claim",
    "kubernetes.podspec-persistent-volume-write",
    "kubernetes.podspec-volumes-image",
)


def check(subject: Subject) -> Iterator[Check]:
    yield _version(subject.cluster.version)
    yield from _unknown(subject)
    yield from _other_servers(subject)
    if any(item.path and item.manifest["apiVersion"].startswith(_KNATIVE) for item in subject.objects):
        yield _knative_flags(subject)


def _version(version: str) -> Check:
    oldest = ".".join(map(str, _OLDEST))
    found = re.match(r"v?(\d+)\.(\d+)", version)
    if found is None:
        fix = f"the chart needs Kubernetes {oldest} or newer"
        return Check(name="Kubernetes", status="warn", detail=f"its version is {version!r}", fix=fix)
    if (int(found[1]), int(found[2])) < _OLDEST:
        fix = f"upgrade the cluster to {oldest} or newer"
        return Check(name="Kubernetes", status="fail", detail=f"{version} is older than {oldest}", fix=fix)
    return Check(name="Kubernetes", status="pass", detail=version)


def _unknown(subject: Subject) -> Iterator[Check]:
    for item in subject.objects:
        if not item.path:
            version = item.manifest["apiVersion"]
            install = f"install what serves {version}, or leave that feature out"
            fix = next((fix for group, fix in _FIXES.items() if version.startswith(group)), install)
            detail = f"the cluster does not know {version} {item.kind}"
            yield Check(name="Kinds", status="fail", detail=detail, fix=fix)


def _other_servers(subject: Subject) -> Iterator[Check]:
    """A replica on one node is another kind of object than one on several. New ones are made before old ones go."""
    plan = subject.plan
    for kind in _ROLLING - {plan.runs_as}:
        if subject.cluster.get(API_VERSIONS[kind], kind, plan.namespace, plan.release):
            detail = f"{kind} {plan.release} holds its GPUs, and the Service, until the {plan.runs_as} is ready"
            fix = "`deploy destroy` first, or begin another stack with --name"
            yield Check(name="Kinds", status="fail", detail=detail, fix=fix)


def _knative_flags(subject: Subject) -> Check:
    """A Knative Service may use some fields of a pod only where the cluster's operator allowed them."""
    flags = features(subject.plan.deployment.weights, subject.plan.deployment.chart)
    found = subject.cluster.get("v1", "ConfigMap", "knative-serving", "config-features")
    if found is None:
        detail = "Knative's controllers are not in this cluster; a real one needs them, with these flags enabled"
        return Check(name="Knative flags", status="warn", detail=detail, fix=", ".join(flags))
    data = {flag: str(value).casefold() for flag, value in (found.get("data") or {}).items()}
    missing = [flag for flag in flags if not _is_set(flag, data.get(flag))]
    if not missing:
        return Check(name="Knative flags", status="pass", detail=f"enabled: {', '.join(flags)}")
    fix = f"set {', '.join(missing)} to enabled in ConfigMap knative-serving/config-features"
    return Check(name="Knative flags", status="fail", detail=f"not enabled: {', '.join(missing)}", fix=fix)


def _is_set(flag: str, value: str | None) -> bool:
    return value == "enabled" or (value == "allowed" and flag not in _ENABLED_ONLY)
