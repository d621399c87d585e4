"""Why no plan of a model will do, from what comes nearest to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from breakeven.core.deployment import Deployment
from breakeven.core.plan import alone_on, plan, too_slow
from breakeven.core.priced import Priced
from breakeven.core.search import Search, Slow
from breakeven.core.shape import Shape
from breakeven.errors import DeployError


@dataclass(frozen=True, kw_only=True)
class Miss:
    """`distance` orders misses: of the budget first, then of the objective, the memory and the context."""

    model: str
    reason: str
    hint: str
    distance: tuple[int, float]


def nearest_miss(deployment: Deployment, found: Search, max_usd: Decimal | None) -> Miss:
    """Of a search that has no plan within the budget."""
    if found.refused:
        return _miss(found, found.refused, (4, 0.0))
    if found.priced and max_usd is not None:
        return _too_dear(found, min(found.priced, key=lambda one: one.monthly_usd), max_usd)
    if found.slow:
        return _too_slow(deployment, found, min(found.slow, key=lambda one: _excess(deployment, one)))
    if found.wanted.shapes:
        return _too_large(deployment, found, max(found.wanted.shapes, key=_memory_gib))
    return Miss(
        model=found.wanted.model.name,
        reason="no dated offer prices such a node",
        hint="`deploy profiles` lists what is priced; leave --gpus out, or name another --accelerator",
        distance=(5, 0.0),
    )


def _miss(found: Search, error: DeployError, distance: tuple[int, float]) -> Miss:
    return Miss(model=found.wanted.model.name, reason=error.message, hint=error.hint, distance=distance)


def _too_dear(found: Search, cheapest: Priced, max_usd: Decimal) -> Miss:
    name, usd = found.wanted.model.name, cheapest.monthly_usd
    on = f"{name} on {cheapest.plan.facts.profile.name}"
    if unknown := cheapest.projection.unknown:
        reason = f"{on} costs at least ${usd:,.2f} a month: the price of {', '.join(unknown)} is unknown"
        return Miss(model=name, reason=reason, hint="give that price, or leave --max-usd out", distance=(1, float(usd)))
    reason = f"{on}, the cheapest, costs ${usd:,.2f} a month, ${usd - max_usd:,.2f} more than the budget"
    return Miss(model=name, reason=reason, hint=f"ask for --max-usd {usd} or more", distance=(1, float(usd)))


def _too_slow(deployment: Deployment, found: Search, nearest: Slow) -> Miss:
    error = too_slow(deployment, nearest.facts, nearest.candidate)
    return _miss(found, error, (2, _excess(deployment, nearest)))


def _excess(deployment: Deployment, slow: Slow) -> float:
    """By what factor one request alone misses the objective."""
    alone, slo = alone_on(deployment, slow.facts, slow.candidate), deployment.slo
    return max(
        alone.ttft_p99_ms.value / (slo.ttft_p99_ms or float("inf")), alone.tpot_ms.value / (slo.tpot_ms or float("inf"))
    )


def _too_large(deployment: Deployment, found: Search, largest: Shape) -> Miss:
    """As the other verbs would refuse it."""
    asked = replace(deployment, profile=largest.profile.name, model=found.wanted.name)
    try:
        plan(asked, largest.facts(found.wanted.model))
    except DeployError as error:
        return _miss(found, error, (3, -_memory_gib(largest)))
    raise AssertionError(f"{found.wanted.model.name} fits {largest.profile.name} after all")


def _memory_gib(shape: Shape) -> float:
    return shape.accelerator.memory_gib * shape.profile.gpus_per_node
