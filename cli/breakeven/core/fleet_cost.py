"""The bills of a fleet, by team, by environment and in total."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from breakeven.core.api_spend import ApiEquivalent
from breakeven.core.budget import judge
from breakeven.core.comparison import Comparison
from breakeven.core.cost import CostProjection
from breakeven.core.cost_diff import cost_diff
from breakeven.core.cost_line import CostLine
from breakeven.core.deployment import Budget

# What a deployment without a `team` or an `environment` counts as.
NONE: Final = "(none)"


@dataclass(frozen=True, kw_only=True)
class Bill:
    """One deployment's figures. `api_monthly_usd` is its traffic at the cheapest API; None where there is none.

    `over_budget` says which limits on a bill as it stands it exceeds.
    """

    folder: str
    team: str
    environment: str
    profile: str
    gpus: int
    monthly_usd: Decimal
    unknown: tuple[str, ...]
    api_monthly_usd: Decimal | None
    over_budget: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Bills added up: "at least" `monthly_usd` where one has an unknown price; no API figure where one lacks it."""

    name: str
    deployments: int
    gpus: int
    monthly_usd: Decimal
    at_least: bool
    api_monthly_usd: Decimal | None


def bill(folder: str, comparison: Comparison) -> Bill:
    plan, cheapest = comparison.plan, comparison.cheapest
    return Bill(
        folder=folder,
        team=plan.deployment.team or NONE,
        environment=plan.deployment.environment or NONE,
        profile=plan.facts.profile.name,
        gpus=plan.gpus,
        monthly_usd=comparison.projection.monthly_usd,
        unknown=comparison.projection.unknown,
        api_monthly_usd=cheapest.monthly_usd if cheapest else None,
        over_budget=_over(plan.deployment.budget, comparison.projection, comparison.equivalents),
    )


def over_budget(whole: Budget, bills: Sequence[Bill]) -> tuple[str, ...]:
    """Which limits all of them together exceed. Whether a price may be unknown is for its deployment to say."""
    lines = (CostLine(name=one.folder, monthly_usd=one.monthly_usd, detail="", source="") for one in bills)
    limit = replace(whole, max_usd_above_api=None)
    return tuple(f"the whole: {reason}" for reason in _over(limit, CostProjection(lines=tuple(lines)), ()))


def _over(budget: Budget, projection: CostProjection, apis: Sequence[ApiEquivalent]) -> tuple[str, ...]:
    """Nothing rises here: limits on a rise are for `cost-diff` to judge."""
    return judge(budget, cost_diff(projection, projection), apis).reasons


def by(bills: Sequence[Bill], key: Callable[[Bill], str]) -> tuple[Group, ...]:
    """One group a value of `key`, in alphabetical order."""
    found: dict[str, list[Bill]] = {}
    for one in bills:
        found.setdefault(key(one), []).append(one)
    return tuple(total(name, found[name]) for name in sorted(found))


def total(name: str, bills: Sequence[Bill]) -> Group:
    apis = [one.api_monthly_usd for one in bills if one.api_monthly_usd is not None]
    return Group(
        name=name,
        deployments=len(bills),
        gpus=sum(one.gpus for one in bills),
        monthly_usd=sum((one.monthly_usd for one in bills), Decimal("0.00")),
        at_least=any(one.unknown for one in bills),
        api_monthly_usd=sum(apis, Decimal("0.00")) if len(apis) == len(bills) else None,
    )
