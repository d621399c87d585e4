"""What is known to break, found before the apply: the engine's own preview does not look for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from breakeven.core.chart.knative import features
from breakeven.core.live import Check
from breakeven.core.manifests import Manifest
from breakeven.core.plan import Plan
from breakeven.core.units import count
from breakeven.engine.cluster import Cluster
from breakeven.errors import ClusterError

KNATIVE: Final = "serving.knative.dev/v1"


def check(plan: Plan, cluster: Cluster) -> list[Check]:
    """Everything that can be said before a preview. Raises ClusterError where the cluster does not answer."""
    return list(_checks(plan, cluster))


def _checks(plan: Plan, cluster: Cluster) -> Iterator[Check]:
    yield _gpus(plan, cluster)
    if plan.facts.profile.is_serverless:
        knative = _knative(cluster)
        yield knative
        if knative.status == "pass":
            yield _knative_flags(plan, cluster)
    if plan.deployment.hub_token_secret or plan.facts.model.gated:
        yield _hub_token(plan, cluster)


def _gpus(plan: Plan, cluster: Cluster) -> Check:
    nodes = cluster.gpu_nodes(plan.facts.profile.placement)
    found = f"{count(sum(nodes.values()), 'GPU')} on {count(len(nodes), 'node')}"
    detail = f"{found} that the profile accepts; the plan needs {plan.gpus}"
    if sum(nodes.values()) >= plan.gpus:
        return Check(name="GPUs", status="pass", detail=detail)
    fix = "pods wait until such nodes join; check the labels with `kubectl get nodes --show-labels`"
    return Check(name="GPUs", status="warn", detail=detail, fix=fix)


def _knative(cluster: Cluster) -> Check:
    if cluster.serves(KNATIVE, "Service"):
        return Check(name="Knative", status="pass", detail=f"the cluster serves {KNATIVE}")
    fix = "install Knative Serving, or choose a profile that is not serverless"
    return Check(name="Knative", status="fail", detail=f"the cluster does not know {KNATIVE} Service", fix=fix)


def _knative_flags(plan: Plan, cluster: Cluster) -> Check:
    flags = features(plan.deployment.weights, plan.deployment.chart)
    allowed = cluster.get("v1", "ConfigMap", "knative-serving", "config-features")
    if allowed is None:
        detail = "Knative's controllers are not in this cluster; a real one needs them, with these flags enabled"
        return Check(name="Knative flags", status="warn", detail=detail, fix=", ".join(flags))
    missing = [flag for flag in flags if (allowed.get("data") or {}).get(flag) not in ("enabled", "allowed")]
    if not missing:
        return Check(name="Knative flags", status="pass", detail=f"enabled: {', '.join(flags)}")
    fix = f"set {', '.join(missing)} to enabled in ConfigMap knative-serving/config-features"
    return Check(name="Knative flags", status="fail", detail=f"not enabled: {', '.join(missing)}", fix=fix)


def _hub_token(plan: Plan, cluster: Cluster) -> Check:
    secret = plan.deployment.hub_token_secret
    if secret is None:
        fix = "give --hub-token-secret NAME of a Secret with the key `token`"
        return Check(name="Hub token", status="warn", detail=f"{plan.facts.model.name} is gated", fix=fix)
    if cluster.get("v1", "Secret", plan.namespace, secret):
        return Check(name="Hub token", status="pass", detail=f"Secret {plan.namespace}/{secret} exists")
    fix = (
        f"kubectl create namespace {plan.namespace}; "
        f"kubectl -n {plan.namespace} create secret generic {secret} --from-file=token=FILE"
    )
    return Check(name="Hub token", status="fail", detail=f"there is no Secret {plan.namespace}/{secret}", fix=fix)


def refuse_failures(checks: Iterable[Check]) -> None:
    """Raises ClusterError for the first check that failed."""
    for failed in (entry for entry in checks if entry.status == "fail"):
        raise ClusterError(f"{failed.name}: {failed.detail}", hint=failed.fix)


def refuse_foreign(created: Iterable[Manifest], namespace: str, cluster: Cluster) -> None:
    """Raises ClusterError if an object that the stack would create exists already. Leave out what it had begun to.

    The provider (4.25.0) creates with a server-side apply: it would adopt the object, and destroy would delete it.
    """
    for manifest in created:
        metadata = manifest["metadata"]
        where = metadata.get("namespace") or namespace
        if cluster.get(manifest["apiVersion"], manifest["kind"], where, metadata["name"]):
            raise ClusterError(
                f"{manifest['kind']} {where}/{metadata['name']} exists and was not made by this stack; "
                "nothing was changed",
                hint="choose another --name or --namespace, or remove that object yourself",
            )
