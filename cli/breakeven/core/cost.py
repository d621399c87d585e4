"""The monthly projection of a plan: lines with their arithmetic, source and date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from math import ceil

from breakeven.core.facts import Facts
from breakeven.core.hardware import Offer
from breakeven.core.plan import Plan
from breakeven.core.units import cents, count, plain_usd


@dataclass(frozen=True, kw_only=True)
class CostLine:
    """USD a month, rounded to cents; None where the price is unknown, which is never 0.

    `usd_per_request` is set on lines that grow with the traffic.
    """

    name: str
    monthly_usd: Decimal | None
    detail: str
    source: str
    checked: date | None = None
    usd_per_request: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class CostProjection:
    """The bill of a month of 730 h."""

    lines: tuple[CostLine, ...]

    @property
    def monthly_usd(self) -> Decimal:
        """Sum of the known lines; "at least" this if `unknown` names any."""
        return sum((line.monthly_usd for line in self.lines if line.monthly_usd is not None), Decimal("0.00"))

    @property
    def unknown(self) -> tuple[str, ...]:
        return tuple(line.name for line in self.lines if line.monthly_usd is None)

    @property
    def usd_per_request(self) -> Decimal:
        """The part of the bill that each request adds; 0 where nodes are rented by the month."""
        return sum((line.usd_per_request for line in self.lines if line.usd_per_request is not None), Decimal(0))

    @property
    def fixed_monthly_usd(self) -> Decimal:
        return sum(
            (line.monthly_usd for line in self.lines if line.monthly_usd is not None and line.usd_per_request is None),
            Decimal("0.00"),
        )


def project(plan: Plan) -> CostProjection:
    """Price a plan: rent, weights storage where there is any, ops and setup."""
    return CostProjection(lines=(_rent(plan), *_storage(plan), _ops(plan), _setup(plan)))


@dataclass(frozen=True, kw_only=True)
class OfferedRent:
    """What the plan's GPUs, and nothing else, cost at one dated offer."""

    offer: Offer
    monthly_usd: Decimal


def offered_rents(plan: Plan, offers: Iterable[Offer]) -> tuple[OfferedRent, ...]:
    """The plan's rent at each offer, in their order."""
    at = ((offer, _rent(replace(plan, facts=_at(plan.facts, offer)))) for offer in offers)
    return tuple(
        OfferedRent(offer=offer, monthly_usd=line.monthly_usd) for offer, line in at if line.monthly_usd is not None
    )


def _at(facts: Facts, offer: Offer) -> Facts:
    return replace(facts, offer=offer, given_usd_per_gpu_hour=None)


@dataclass(frozen=True, kw_only=True)
class RentPrice:
    """The price that rent is reckoned with, in words, and where it is from. A user's own has no date."""

    words: str
    source: str
    checked: date | None


def rent_price(facts: Facts) -> RentPrice:
    """As given, an offer's, or the reference row's; source and date of the last two."""
    if facts.given_usd_per_gpu_hour is not None:
        return RentPrice(words="as given", source="prices.usd_per_gpu_hour", checked=None)
    offer, reference = facts.offer, facts.profile.reference
    if offer is None:
        words = f"reference row of {facts.profile.name}"
        return RentPrice(words=words, source=reference.source, checked=reference.checked)
    region = "" if offer.region == "unspecified" else f", {offer.region}"
    words = f"offer {offer.name} ({offer.provider} {offer.sku}{region}, {offer.commitment})"
    return RentPrice(words=words, source=offer.source, checked=offer.checked)


def _rent(plan: Plan) -> CostLine:
    return _serverless_rent(plan) if plan.facts.profile.is_serverless else _node_rent(plan)


def _node_rent(plan: Plan) -> CostLine:
    facts, price = plan.facts, rent_price(plan.facts)
    of_a_node = facts.node_usd_per_month
    if of_a_node is None:
        return CostLine(name="GPU rent", monthly_usd=None, detail="the profile has no reference rent", source="")
    usd = facts.usd_per_gpu_hour
    if usd is None:
        each = f"${of_a_node:,.2f}"
    else:
        each = f"{count(facts.profile.gpus_per_node, 'GPU')} × {plain_usd(usd)}/GPU-h × 730 h"
    return CostLine(
        name="GPU rent",
        monthly_usd=cents(of_a_node * plan.nodes),
        detail=f"{count(plan.nodes, 'node')} × {each}, {price.words}",
        source=price.source,
        checked=price.checked,
    )


def _serverless_rent(plan: Plan) -> CostLine:
    """Active GPU-seconds only: each request holds its share of a saturated replica's second.

    Cold starts and kept-warm instances come on top and are not in this figure yet.
    """
    usd, price = plan.facts.usd_per_gpu_hour, rent_price(plan.facts)
    if usd is None:
        return CostLine(name="GPU seconds", monthly_usd=None, detail="no offer chosen", source="")
    seconds = Decimal(repr(1 / plan.capacity.saturated_requests_per_second))
    usd_per_second = usd * plan.split.gpus / 3600
    usd_per_request = usd_per_second * seconds
    requests = plan.workload.requests_per_month
    return CostLine(
        name="GPU seconds",
        monthly_usd=cents(usd_per_request * requests),
        detail=f"{requests:,} requests × {seconds:.4f} s at saturation × ${usd_per_second:.6f}/s, {price.words}; "
        "cold starts and kept-warm instances not included",
        source=price.source,
        checked=price.checked,
        usd_per_request=usd_per_request,
    )


def weights_volume_gib(plan: Plan) -> int:
    """Size of a weights volume: the weights and a fifth more for partial downloads and the compile cache."""
    return ceil(plan.facts.model.weights_gib * 1.2)


def _storage(plan: Plan) -> tuple[CostLine, ...]:
    if plan.deployment.weights.storage == "emptyDir":
        return ()
    usd = plan.deployment.prices.storage_usd_per_gib_month
    gib = weights_volume_gib(plan)
    return (
        CostLine(
            name="Weights storage",
            monthly_usd=None if usd is None else cents(usd * gib),
            detail=f"{gib} GiB × {'unknown' if usd is None else f'${usd}'}/GiB-month",
            source="" if usd is None else "prices.storage_usd_per_gib_month",
        ),
    )


def _ops(plan: Plan) -> CostLine:
    profile = plan.facts.profile
    return _flat("Operations", "ops_usd_per_month", plan.deployment.prices.ops_usd_per_month, profile.ops_usd_per_month)


def _setup(plan: Plan) -> CostLine:
    profile = plan.facts.profile
    given = plan.deployment.prices.setup_usd_per_month
    return _flat("Setup, amortised", "setup_usd_per_month", given, profile.setup_usd_per_month)


def _flat(name: str, key: str, given: Decimal | None, default: Decimal) -> CostLine:
    if given is not None:
        return CostLine(name=name, monthly_usd=cents(given), detail="as given", source=f"prices.{key}")
    return CostLine(name=name, monthly_usd=cents(default), detail="the profile's default", source=f"profile: {key}")
