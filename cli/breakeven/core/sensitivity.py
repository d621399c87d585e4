"""How far the answer hangs on its inputs: the same question with one of them changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from breakeven.core.api_rates import ApiPrice
from breakeven.core.api_spend import ApiEquivalent, api_equivalent
from breakeven.core.cost import CostProjection, project
from breakeven.core.facts import Facts
from breakeven.core.plan import Plan, plan
from breakeven.core.units import HOURS_PER_MONTH
from breakeven.core.workload import Workload
from breakeven.errors import DeployError

PriceBook = Callable[[Plan], Iterable[ApiPrice]]

_HALF, _TWICE = Decimal("0.5"), Decimal(2)
_LESS, _MORE = Decimal("0.75"), Decimal("1.25")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One input × a factor. `projection` and `equivalent` are None where that cannot be served."""

    changed: str
    factor: Decimal
    projection: CostProjection | None
    equivalent: ApiEquivalent | None


def sensitivity(base: Plan, prices: PriceBook, comparator: str) -> tuple[Case, ...]:
    """Against one comparator; each case is planned anew, with more replicas where it needs them."""
    return tuple(_case(base, prices, comparator, changed, factor) for changed, factor in _CASES)


_CASES: Final = (
    *(("output tokens", _HALF), ("output tokens", _TWICE)),
    *(("traffic", _HALF), ("traffic", _TWICE)),
    *(("GPU price", _LESS), ("GPU price", _MORE)),
    *(("API price", _LESS), ("API price", _MORE)),
)


def _case(base: Plan, prices: PriceBook, comparator: str, changed: str, factor: Decimal) -> Case:
    try:
        found = _plan(base, changed, factor)
        price = next(one for one in prices(found) if one.comparator == comparator)
    except DeployError:
        return Case(changed=changed, factor=factor, projection=None, equivalent=None)
    if changed == "API price":
        price = replace(price, usd_per_request=price.usd_per_request * factor)
    projection = project(found)
    equivalent = api_equivalent(found, projection, price)
    return Case(changed=changed, factor=factor, projection=projection, equivalent=equivalent)


def _plan(base: Plan, changed: str, factor: Decimal) -> Plan:
    if changed == "GPU price":
        return replace(base, facts=_at_price(base.facts, factor))
    if changed == "API price":
        return base
    deployment = replace(base.deployment, workload=_workload(base.workload, changed, factor))
    return plan(deployment, base.facts)


def _workload(workload: Workload, changed: str, factor: Decimal) -> Workload:
    if changed == "traffic":
        return replace(workload, requests_per_month=max(1, int(workload.requests_per_month * factor)))
    return replace(workload, output_tokens=max(1, int(workload.output_tokens * factor)))


def _at_price(facts: Facts, factor: Decimal) -> Facts:
    """The rent of a node × the factor, as a price of the user's own."""
    rent = facts.node_usd_per_month
    if rent is None:
        return facts
    hourly = rent * factor / (facts.profile.gpus_per_node * HOURS_PER_MONTH)
    return replace(facts, offer=None, given_usd_per_gpu_hour=hourly)
