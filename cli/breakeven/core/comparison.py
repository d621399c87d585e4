"""A plan's bill beside the same traffic at APIs, and what follows from both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from breakeven.core.api_rates import ApiPrice
from breakeven.core.api_spend import ApiEquivalent, api_equivalent, cheapest
from breakeven.core.cost import CostProjection, project
from breakeven.core.decision import Decision, decide
from breakeven.core.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Comparison:
    plan: Plan
    projection: CostProjection
    equivalents: tuple[ApiEquivalent, ...]
    decision: Decision

    @property
    def cheapest(self) -> ApiEquivalent | None:
        return cheapest(self.equivalents)


def compare(plan: Plan, prices: Iterable[ApiPrice]) -> Comparison:
    """Price the plan here and at each API, and decide."""
    projection = project(plan)
    equivalents = tuple(api_equivalent(plan, projection, price) for price in prices)
    return Comparison(
        plan=plan,
        projection=projection,
        equivalents=equivalents,
        decision=decide(plan, projection, equivalents),
    )
