"""How a recorded stack stands in its cluster now."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from breakeven.core.cost import CostProjection, project
from breakeven.core.history import Apply, Span, Spent, latest, spans, spent
from breakeven.core.live import Health
from breakeven.core.plan import SERVICE_PORT, Plan
from breakeven.core.pod_state import PodState
from breakeven.core.standing import Standing
from breakeven.engine import drift, pods
from breakeven.engine.cluster import Cluster
from breakeven.engine.recorded import Recorded, planned
from breakeven.errors import ClusterError, DeployError


def standing(found: Recorded, now: datetime) -> Standing:
    """Raises ClusterError where the cluster does not answer."""
    applies = found.stack.history()
    last = latest(applies, found.stack.config()["deployment"])
    live = pods.pods(found.plan, found.cluster)
    return Standing(
        plan=found.plan,
        target=found.cluster.target,
        readiness=found.readiness(),
        pods=live,
        allocatable=pods.allocatable(found.plan, found.cluster),
        health=health(found.plan, found.cluster, live),
        recorded=found.state.cost,
        override=found.state.override,
        adopted=found.stack.adopted,
        last=last,
        spent=_spent(found, applies, now),
        drift=drift.find(found),
    )


def health(plan: Plan, cluster: Cluster, live: Sequence[PodState]) -> Health:
    """GET /health of the Service, through the API server: no port is opened, and no pod is chosen."""
    if plan.facts.profile.is_serverless:
        return Health(status="unknown", detail="not asked: a request would start a server, which is billed")
    serving = [pod for pod in live if pod.ready]
    if not serving:
        return Health(status="failing", detail="no server is ready")
    if pods.is_simulated(cluster, serving[0].node):
        return Health(status="simulated", detail="no container runs on the sandbox's nodes, so nothing was asked")
    path = f"/api/v1/namespaces/{plan.namespace}/services/{plan.release}:{SERVICE_PORT}/proxy/health"
    try:
        status, said = cluster.text(path)
    except ClusterError as error:
        return Health(status="failing", detail=f"GET /health: {error}")
    if status in (401, 403):
        return Health(status="unknown", detail="not asked: you may not `get services/proxy`")
    answer = f"GET /health: {status}{f' {said.strip()[:100]}' if status != 200 else ''}"
    return Health(status="ok" if status == 200 else "failing", detail=answer)


def _spent(found: Recorded, applies: Sequence[Apply], now: datetime) -> Spent | None:
    reigns = spans(applies, now)
    return spent(reigns, [_bill(reign, found) for reign in reigns])


def _bill(reign: Span, found: Recorded) -> CostProjection | None:
    """As recorded where it is the last apply's; former ones at today's prices. None where it has none any more."""
    if reign.deployment == found.stack.config()["deployment"]:
        return found.state.cost
    with suppress(DeployError):
        return project(planned(reign.deployment, "inputs of a former apply"))
    return None
