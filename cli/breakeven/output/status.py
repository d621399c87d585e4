"""The live state of a stack beside what its last apply recorded; what a removal takes away."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from breakeven.core.cost import CostProjection
from breakeven.core.history import Apply, Spent
from breakeven.core.live import Readiness, Target
from breakeven.core.plan import SERVICE_PORT, Plan
from breakeven.core.pod_state import PodState
from breakeven.core.standing import Standing
from breakeven.core.units import count
from breakeven.output import age, bill, drift, plan_line, table
from breakeven.output.money import usd

SCHEMA: Final = "breakeven.status/1"

_POD_HEADERS: Final = ["Pod", "Node", "State"]


def render(output: str, standing: Standing, at: date) -> str:
    """By the value of `-o`. `at` gives the recorded prices their age."""
    if output == "json":
        return json.dumps(data(standing, at), indent=2)
    rows, pods = _rows(standing, at), [_pod_row(pod) for pod in standing.pods]
    listed = f"\n\n{table.render(output, _POD_HEADERS, pods)}" if pods else ""
    if output == "markdown":
        return table.markdown(["", ""], rows) + listed
    return "\n".join(f"{name:<10} {value}" for name, value in rows) + listed


def _override_row(override: Mapping[str, Any] | None) -> list[list[str]]:
    """Only where the last apply was over budget."""
    if override is None:
        return []
    exceeded = "; ".join(str(reason) for reason in override.get("exceeded", ()))
    return [["Budget", f"overridden at {override.get('at')}: {override.get('reason')} ({exceeded})"]]


def _rows(standing: Standing, at: date) -> list[list[str]]:
    plan, recorded = standing.plan, standing.recorded
    return [
        ["Stack", f"{plan.stack} in namespace {plan.namespace}"],
        ["Cluster", f"{standing.target.server} (context {standing.target.context})"],
        ["Plan", plan_line.of(plan)],
        ["Ready", ready(standing.readiness)],
        ["GPUs", _gpus(standing)],
        ["Endpoint", plan.endpoint],
        ["Health", f"{standing.health.status}: {standing.health.detail}"],
        ["Recorded", f"{monthly(recorded)}, as last applied" if recorded.lines else monthly(recorded)],
        *_stale_rows(recorded, at),
        *_override_row(standing.override),
        *([["Adopted", f"{', '.join(standing.adopted)}: there before the stack"]] if standing.adopted else []),
        ["Drift", drift.summary(standing.drift) + ("" if standing.drift.is_none else "; `deploy drift` shows it")],
        ["This month", _spent(standing)],
        ["Applied", _applied(standing.last)],
    ]


def _gpus(standing: Standing) -> str:
    """What is asked for against what is there."""
    nodes = standing.allocatable
    there = f"{sum(nodes.values())} allocatable on {count(len(nodes), 'node')} that the profile accepts"
    return f"{standing.readiness.gpus} requested live, {standing.plan.gpus} planned; {there}"


def _spent(standing: Standing) -> str:
    spent = standing.spent
    if spent is None:
        return "nothing: no apply of it succeeded"
    at_least = "at least " if spent.at_least else ""
    traffic = ", at the planned traffic" if standing.plan.facts.profile.is_serverless else ""
    return f"{at_least}{usd(spent.usd)} for {spent.hours:,.1f} h since {_moment(spent.since)}{traffic}"


def _applied(last: Apply | None) -> str:
    if last is None:
        return "by a run that was killed, or is not over"
    if last.succeeded:
        return f"{_moment(last.started)}, succeeded"
    return f"{_moment(last.started)}, failed; `deploy up --rollback` returns to the last good plan"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _pod_row(pod: PodState) -> list[str]:
    return [pod.name, pod.node or "none yet", _state(pod)]


def _state(pod: PodState) -> str:
    if pod.leaving:
        return "leaving"
    return "ready" if pod.ready else pod.trouble.text if pod.trouble else "starting"


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


def data(standing: Standing, at: date) -> dict[str, Any]:
    """JSON-ready; money as decimal strings, moments as ISO 8601."""
    plan, readiness, recorded = standing.plan, standing.readiness, standing.recorded
    return {
        "schema": SCHEMA,
        "prices_at": at.isoformat(),
        "stack": plan.stack,
        "namespace": plan.namespace,
        "cluster": {"server": standing.target.server, "context": standing.target.context},
        "replicas": {"ready": readiness.ready, "wanted": readiness.wanted},
        "ready": readiness.is_ready,
        "reason": readiness.reason,
        "pods": [_pod_data(pod) for pod in standing.pods],
        "gpus": {
            "live": readiness.gpus,
            "planned": plan.gpus,
            "allocatable": sum(standing.allocatable.values()),
            "nodes": len(standing.allocatable),
        },
        "endpoint": plan.endpoint,
        "health": {"status": standing.health.status, "detail": standing.health.detail},
        "recorded_monthly_usd": str(recorded.monthly_usd) if recorded.lines else None,
        "recorded_prices": bill.price_data(recorded, at),
        "budget_override": standing.override,
        "adopted": list(standing.adopted),
        "month_to_date": _spent_data(standing.spent),
        "last_apply": _apply_data(standing.last),
        "drift": not standing.drift.is_none,
        "drift_summary": drift.summary(standing.drift),
    }


def _pod_data(pod: PodState) -> dict[str, Any]:
    reason = pod.trouble.text if pod.trouble else ""
    return {"name": pod.name, "node": pod.node or None, "ready": pod.ready, "leaving": pod.leaving, "reason": reason}


def _spent_data(spent: Spent | None) -> dict[str, Any] | None:
    if spent is None:
        return None
    return {
        "usd": str(spent.usd),
        "at_least": spent.at_least,
        "hours": f"{spent.hours:.2f}",
        "since": spent.since.isoformat(),
    }


def _apply_data(last: Apply | None) -> dict[str, Any] | None:
    if last is None:
        return None
    ended = last.ended.isoformat() if last.ended else None
    return {"started": last.started.isoformat(), "ended": ended, "succeeded": last.succeeded}


def removal(
    plan: Plan, target: Target, recorded: CostProjection, adopted: Sequence[str], *, keeps_namespace: bool
) -> str:
    """What a destroy takes away, before it is confirmed."""
    namespace = f"namespace {plan.namespace}{' (kept: it was there before)' if keeps_namespace else ''}"
    rows = [
        ["Cluster", f"{target.server} (context {target.context})"],
        ["Stack", f"{plan.stack}: everything that it made{' or adopted' if adopted else ''} in {namespace}"],
        *([["Adopted", f"{', '.join(adopted)}: there before the stack, and deleted with it"]] if adopted else []),
        ["Saves", monthly(recorded)],
    ]
    return "\n".join(f"{name:<10} {value}" for name, value in rows)


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
