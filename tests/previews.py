"""A preview of a plan on a cluster that is not there."""

from __future__ import annotations

from typing import Any

from breakeven.core.changes import Change, Changes
from breakeven.core.cost import CostProjection, project
from breakeven.core.cost_diff import NOTHING, cost_diff
from breakeven.core.live import Target
from breakeven.core.plan import Plan
from breakeven.core.preview import Preview
from breakeven.core.saved_plan import Versions
from breakeven.core.served import NOTHING_SERVED, served, served_diff

TARGET = Target(kubeconfig="/kube/config", context="a", server="https://a:6443", identifier="a")
VERSIONS = Versions(breakeven="0.1.0", pulumi="3.259.0", provider="4.25.0")


def manifest(plan: Plan) -> dict[str, Any]:
    """As much of the Deployment as the gate looks at."""
    limits = {"nvidia.com/gpu": plan.split.gpus}
    pod = {"containers": [{"name": "vllm", "resources": {"limits": limits}}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": plan.release, "namespace": plan.namespace},
        "spec": {"replicas": plan.replicas, "template": {"spec": pod}},
    }


def change(plan: Plan, before: Plan | None = None) -> Change:
    """The Deployment is created, or updated from what `before` made it."""
    new, old = manifest(plan), manifest(before) if before else None
    return Change(
        op="create" if old is None else "same" if old == new else "update",
        urn=f"urn:pulumi:{plan.stack}::breakeven::kubernetes:apps/v1:Deployment::{plan.release}",
        type="kubernetes:apps/v1:Deployment",
        old=old,
        new=new,
    )


def preview_of(plan: Plan, bill_before: CostProjection = NOTHING) -> Preview:
    return Preview(
        plan=plan,
        target=TARGET,
        checks=(),
        changes=Changes(steps=(change(plan),)),
        projection=project(plan),
        offered=(),
        diff=cost_diff(bill_before, project(plan)),
        drift=cost_diff(NOTHING, NOTHING),
        serves=served_diff(NOTHING_SERVED, served(plan)),
        doubt="",
        state="0" * 64,
        keeps_namespace=False,
    )
