"""The plans worth a look for some traffic, beside APIs: cheapest first, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from breakeven.core.api_rates import ApiPrice
from breakeven.core.deployment import Deployment
from breakeven.core.nearest import Miss, nearest_miss
from breakeven.core.pareto import front
from breakeven.core.priced import Priced
from breakeven.core.search import Search, Wanted, search
from breakeven.core.units import cents
from breakeven.errors import InfeasibleError


@dataclass(frozen=True, kw_only=True)
class Hosted:
    """The traffic at an API. How fast it answers, and how much it lets through, is not known here."""

    comparator: str
    monthly_usd: Decimal
    source: str
    checked: date
    same_weights_as: str | None


@dataclass(frozen=True, kw_only=True)
class Recommendations:
    """`best` and `hosted` have the cheapest first, all within the budget. A model without a plan has a miss."""

    deployment: Deployment
    at: date
    max_usd: Decimal | None
    interchangeable: bool
    searches: tuple[Search, ...]
    best: tuple[Priced, ...]
    hosted: tuple[Hosted, ...]
    misses: tuple[Miss, ...]

    @property
    def ranked(self) -> list[Priced | Hosted]:
        """Plans and APIs together."""
        together: list[Priced | Hosted] = [*self.best, *self.hosted]
        return sorted(together, key=lambda one: one.monthly_usd)

    @property
    def looked_at(self) -> int:
        return sum(found.looked_at for found in self.searches)


def recommend(
    deployment: Deployment,
    wanted: Iterable[Wanted],
    prices: Iterable[ApiPrice],
    at: date,
    *,
    max_usd: Decimal | None = None,
    interchangeable: bool = False,
) -> Recommendations:
    """Of `deployment` count the traffic, the objective, the headroom and the prices besides rent, on the day `at`.

    Plans of different models are compared with one another where these are `interchangeable`. Raises InfeasibleError,
    with the nearest miss, where neither a plan nor an API will do.
    """
    searches = tuple(search(deployment, one, at) for one in wanted)
    within = {found.wanted.model.name: _within(found, max_usd) for found in searches}
    found = Recommendations(
        deployment=deployment,
        at=at,
        max_usd=max_usd,
        interchangeable=interchangeable,
        searches=searches,
        best=front((one for plans in within.values() for one in plans), lambda a, b: interchangeable or _same(a, b)),
        hosted=_hosted(deployment, prices, searches, max_usd),
        misses=tuple(nearest_miss(deployment, one, max_usd) for one in searches if not within[one.wanted.model.name]),
    )
    if not (found.best or found.hosted):
        raise _nothing(found)
    return found


def _within(found: Search, max_usd: Decimal | None) -> list[Priced]:
    """A bill with an unknown price is within no budget."""
    if max_usd is None:
        return list(found.priced)
    return [one for one in found.priced if one.monthly_usd <= max_usd and not one.projection.unknown]


def _same(one: Priced, other: Priced) -> bool:
    return one.plan.facts.model.name == other.plan.facts.model.name


def _hosted(
    deployment: Deployment, prices: Iterable[ApiPrice], searches: tuple[Search, ...], max_usd: Decimal | None
) -> tuple[Hosted, ...]:
    weights = {found.wanted.model.comparator: found.wanted.model.name for found in searches}
    hosted = (
        Hosted(
            comparator=price.comparator,
            monthly_usd=cents(price.usd_per_request * deployment.workload.requests_per_month),
            source=price.source,
            checked=price.checked,
            same_weights_as=weights.get(price.comparator),
        )
        for price in prices
    )
    return tuple(
        sorted(
            (one for one in hosted if max_usd is None or one.monthly_usd <= max_usd), key=lambda one: one.monthly_usd
        )
    )


def _nothing(found: Recommendations) -> InfeasibleError:
    """The nearest of all misses."""
    nearest = min(found.misses, key=lambda miss: miss.distance)
    return InfeasibleError(f"no plan and no API will do; the nearest miss: {nearest.reason}", hint=nearest.hint)
