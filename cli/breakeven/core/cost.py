"""The monthly projection of a plan: lines with their arithmetic, source and date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from math import ceil

from breakeven.core.hardware import Offer
from breakeven.core.plan import Plan
from breakeven.core.units import cents, count


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
    at = ((offer, _rent(replace(plan, facts=replace(plan.facts, offer=offer)))) for offer in offers)
    return tuple(
        OfferedRent(offer=offer, monthly_usd=line.monthly_usd) for offer, line in at if line.monthly_usd is not None
    )


def _rent(plan: Plan) -> CostLine:
    return _serverless_rent(plan) if plan.facts.profile.is_serverless else _node_rent(plan)


def _node_rent(plan: Plan) -> CostLine:
    profile, offer = plan.facts.profile, plan.facts.offer
    nodes = count(plan.nodes, "node")
    if offer is None:
        return _reference_rent(plan, nodes)
    gpus = plan.nodes * profile.gpus_per_node
    return CostLine(
        name="GPU rent",
        monthly_usd=cents(offer.usd_per_month(gpus)),
        detail=f"{nodes} × {count(profile.gpus_per_node, 'GPU')} × "
        f"${offer.usd_per_gpu_hour.normalize():f}/GPU-h × 730 h, "
        f"offer {offer.name} ({offer.provider} {offer.sku}, {offer.region}, {offer.commitment})",
        source=offer.source,
        checked=offer.checked,
    )


def _reference_rent(plan: Plan, nodes: str) -> CostLine:
    reference = plan.facts.profile.reference
    if reference.usd_per_month is None:
        return CostLine(name="GPU rent", monthly_usd=None, detail="the profile has no reference rent", source="")
    return CostLine(
        name="GPU rent",
        monthly_usd=cents(reference.usd_per_month * plan.nodes),
        detail=f"{nodes} × ${reference.usd_per_month:,.2f}, reference row of {plan.facts.profile.name}",
        source=reference.source,
        checked=reference.checked,
    )


def _serverless_rent(plan: Plan) -> CostLine:
    """Active GPU-seconds only: each request holds its share of a saturated replica's second.

    Cold starts and kept-warm instances come on top and are not in this figure yet.
    """
    offer = plan.facts.offer
    if offer is None:
        return CostLine(name="GPU seconds", monthly_usd=None, detail="no offer chosen", source="")
    seconds = Decimal(repr(1 / plan.capacity.saturated_requests_per_second))
    usd_per_second = offer.usd_per_gpu_hour * plan.split.gpus / 3600
    usd_per_request = usd_per_second * seconds
    requests = plan.workload.requests_per_month
    return CostLine(
        name="GPU seconds",
        monthly_usd=cents(usd_per_request * requests),
        detail=f"{requests:,} requests × {seconds:.4f} s at saturation × ${usd_per_second:.6f}/s, offer {offer.name} "
        f"({offer.provider} {offer.sku}); cold starts and kept-warm instances not included",
        source=offer.source,
        checked=offer.checked,
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
