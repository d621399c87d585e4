"""What owning costs beside the bill, for both sides: direct, hidden, and saved by not choosing the other."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from breakeven.core.api_spend import ApiEquivalent
from breakeven.core.cost import CostProjection
from breakeven.core.plan import Plan
from breakeven.core.rent import rent_lines
from breakeven.core.units import cents

Side = Literal["self-host", "api"]
Kind = Literal["direct", "hidden", "saved"]


@dataclass(frozen=True, kw_only=True)
class TcoFactor:
    """`monthly_usd` is None where nobody can price it; `part_of` names the line that contains it already."""

    side: Side
    kind: Kind
    name: str
    monthly_usd: Decimal | None
    part_of: str = ""


def tco(plan: Plan, projection: CostProjection, cheapest: ApiEquivalent | None) -> tuple[TcoFactor, ...]:
    """Both sides, in the order direct, hidden, saved; `cheapest` speaks for the API."""
    return (*_self_host(plan, projection, cheapest), *_api(projection, cheapest))


def _self_host(plan: Plan, projection: CostProjection, cheapest: ApiEquivalent | None) -> list[TcoFactor]:
    lines = [_factor("self-host", "direct", line.name, line.monthly_usd) for line in projection.lines]
    missing = [_factor("self-host", "hidden", name, None) for name in projection.not_included]
    spared = [] if cheapest is None else [_factor("self-host", "saved", cheapest.comparator, cheapest.monthly_usd)]
    return [
        *lines,
        *_idle(plan),
        *missing,
        _factor("self-host", "hidden", "on-call, upgrades of model and engine", None, part_of="Operations"),
        _factor("self-host", "hidden", "requests that fail while a node is lost", None),
        *spared,
        _factor("self-host", "saved", "changes of an API's price, models and limits", None),
    ]


def _idle(plan: Plan) -> list[TcoFactor]:
    """The part of rented nodes that the traffic leaves unused; seconds are paid for only while they serve."""
    rent = [line.monthly_usd for line in rent_lines(plan)]
    if plan.facts.profile.is_serverless or None in rent:
        return []
    usd = sum((usd for usd in rent if usd is not None), Decimal(0)) * Decimal(repr(max(0.0, 1 - plan.utilisation)))
    return [_factor("self-host", "hidden", "idle capacity", cents(usd), part_of="GPU rent")]


def _api(projection: CostProjection, cheapest: ApiEquivalent | None) -> list[TcoFactor]:
    if cheapest is None:
        return []
    kept = [line for line in projection.lines if line.name in ("Operations", "Setup, amortised")]
    return [
        _factor("api", "direct", cheapest.comparator, cheapest.monthly_usd),
        _factor("api", "hidden", "rate limits, retries", None),
        _factor("api", "hidden", "changes of price and models at the provider's time", None),
        _factor("api", "hidden", "agreements on the data that leaves", None),
        *(_factor("api", "saved", line.name, line.monthly_usd) for line in kept),
    ]


def _factor(side: Side, kind: Kind, name: str, usd: Decimal | None, part_of: str = "") -> TcoFactor:
    return TcoFactor(side=side, kind=kind, name=name, monthly_usd=usd, part_of=part_of)
