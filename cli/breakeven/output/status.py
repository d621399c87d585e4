"""The live state of a stack beside what its last apply recorded; what a removal takes away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from breakeven.core.cost import CostProjection
from breakeven.core.live import Readiness, Target
from breakeven.core.plan import SERVICE_PORT, Plan
from breakeven.core.units import count
from breakeven.output import age, bill, plan_line, table
from breakeven.output.money import usd

SCHEMA: Final = "breakeven.status/1"


Override = Mapping[str, Any]


def render(
    output: str,
    plan: Plan,
    target: Target,
    readiness: Readiness,
    recorded: CostProjection,
    at: date,
    override: Override | None = None,
) -> str:
    """By the value of `-o`. `at` gives the recorded prices their age."""
    if output == "json":
        return json.dumps({**_data(plan, target, readiness, recorded, at), "budget_override": override}, indent=2)
    rows = [*_rows(plan, target, readiness, recorded, at), *_override_row(override)]
    return table.markdown(["", ""], rows) if output == "markdown" else "\n".join(f"{a:<10} {b}" for a, b in rows)


def _override_row(override: Override | None) -> list[list[str]]:
    """Only where the last apply was over budget."""
    if override is None:
        return []
    exceeded = "; ".join(str(reason) for reason in override.get("exceeded", ()))
    return [["Budget", f"overridden at {override.get('at')}: {override.get('reason')} ({exceeded})"]]


def _rows(plan: Plan, target: Target, readiness: Readiness, recorded: CostProjection, at: date) -> list[list[str]]:
    return [
        ["Stack", f"{plan.stack} in namespace {plan.namespace}"],
        ["Cluster", f"{target.server} (context {target.context})"],
        ["Plan", plan_line.of(plan)],
        ["Ready", ready(readiness)],
        ["GPUs", f"{readiness.gpus} requested live, {plan.gpus} planned"],
        ["Endpoint", plan.endpoint],
        ["Recorded", f"{monthly(recorded)}, as last applied" if recorded.lines else monthly(recorded)],
        *_stale_rows(recorded, at),
    ]


def _stale_rows(recorded: CostProjection, at: date) -> list[list[str]]:
    dated = [(line.name, line.checked) for line in recorded.lines if line.checked]
    return [["", f"{name}: checked {age.checked(day, at)}"] for name, day in dated if age.stale(day, at)]


def ready(readiness: Readiness) -> str:
    """`1 of 1`, or the reason why not."""
    count = f"{readiness.ready} of {readiness.wanted}"
    return count if readiness.is_ready else f"{count}: {readiness.reason or 'starting'}"


def monthly(recorded: CostProjection) -> str:
    """`$9,500.00 a month`; "at least" where a line has no price; unknown where an apply began and none ended."""
    if not recorded.lines:
        return "unknown, since no apply of it was finished"
    return f"{'at least ' if recorded.unknown else ''}{usd(recorded.monthly_usd)} a month"


def _data(plan: Plan, target: Target, readiness: Readiness, recorded: CostProjection, at: date) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "prices_at": at.isoformat(),
        "stack": plan.stack,
        "namespace": plan.namespace,
        "cluster": {"server": target.server, "context": target.context},
        "replicas": {"ready": readiness.ready, "wanted": readiness.wanted},
        "ready": readiness.is_ready,
        "reason": readiness.reason,
        "gpus": {"live": readiness.gpus, "planned": plan.gpus},
        "endpoint": plan.endpoint,
        "recorded_monthly_usd": str(recorded.monthly_usd) if recorded.lines else None,
        "recorded_prices": bill.price_data(recorded, at),
    }


def removal(plan: Plan, target: Target, recorded: CostProjection, *, keeps_namespace: bool) -> str:
    """What a destroy takes away, before it is confirmed."""
    namespace = f"namespace {plan.namespace}{' (kept: it was there before)' if keeps_namespace else ''}"
    return (
        f"Cluster    {target.server} (context {target.context})\n"
        f"Stack      {plan.stack}: everything that it made in {namespace}\n"
        f"Saves      {monthly(recorded)}"
    )


def removed(plan: Plan, recorded: CostProjection) -> str:
    saved = f"{monthly(recorded)} less; " if recorded.lines else ""
    return f"Removed {plan.stack}: {saved}nothing of it is left in the cluster"


def applied(plan: Plan, readiness: Readiness, *, sandbox: bool) -> str:
    """The end of an `up`: readiness, endpoint, next command."""
    flag = " --sandbox" if sandbox else ""
    lines = [
        f"Ready      {ready(readiness)}, {count(readiness.gpus, 'GPU')}",
        f"Endpoint   {plan.endpoint} (inside the cluster)",
    ]
    if sandbox:
        lines.append("           the sandbox rehearses the apply: its pods are simulated, no model answers there")
    else:
        lines.append(f"           kubectl -n {plan.namespace} port-forward service/{plan.release} {SERVICE_PORT}")
    name = f"--profile {plan.facts.profile.name}" + (f" --name {plan.stack}" if plan.deployment.name else "")
    return "\n".join([*lines, f"Next       deploy status {name}{flag}"])
