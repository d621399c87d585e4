"""A plan in one line."""

from __future__ import annotations

from typing import Final

from breakeven.core.plan import Plan
from breakeven.core.units import count

NETWORK: Final = (
    "The network between the nodes of a replica is not estimated: rates take it to be as fast as the links in a node."
)


def of(plan: Plan) -> str:
    """The model on its GPUs: `Qwen/Qwen3-8B · 1 replica × 1 GPU · 1 node of 1 × A100 80 GB SXM`."""
    facts = plan.facts
    over = f"{plan.split.nodes} nodes × " if plan.split.nodes > 1 else ""
    gpus = f"{_replicas(plan)} × {over}{count(plan.split.gpus_per_pod, 'GPU')}"
    if facts.profile.is_serverless:
        return f"{facts.model.name} · up to {gpus} ({facts.accelerator.title}), by the second"
    unused = f", {count(plan.gpus_unused, 'GPU')} paid and unused" if plan.gpus_unused else ""
    nodes = f"{count(plan.nodes, 'node')} of {facts.profile.gpus_per_node} × {facts.accelerator.title}"
    return f"{facts.model.name} · {gpus} · {nodes}{unused}"


def _replicas(plan: Plan) -> str:
    """With an autoscaler the bill is for what the mean traffic needs."""
    least, most = plan.replicas_range
    if not plan.is_autoscaled:
        return count(plan.replicas, "replica")
    return f"{count(plan.replicas, 'replica')} priced, autoscaled from {least:,} to {most:,},"
