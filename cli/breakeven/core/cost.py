"""The monthly projection of a plan: lines with their arithmetic, source and date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil
from typing import Final

from breakeven.core.cost_line import CostLine, cost_inputs
from breakeven.core.deployment import FixedInfrastructure
from breakeven.core.hardware import Offer
from breakeven.core.plan import Plan
from breakeven.core.rent import rent_lines, rent_not_included
from breakeven.core.serverless import serving
from breakeven.core.units import SECONDS_PER_MONTH, cents

_FIXED: Final = {
    "Control plane": "control_plane_usd_per_month",
    "CPU nodes": "cpu_nodes_usd_per_month",
    "Load balancer": "load_balancer_usd_per_month",
    "Egress": "egress_usd_per_month",
}


@dataclass(frozen=True, kw_only=True)
class CostProjection:
    """The bill of a month of 730 h. `not_included` names what costs something too and was not given a price."""

    lines: tuple[CostLine, ...]
    not_included: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """A diff matches lines by name."""
        if len({line.name for line in self.lines}) != len(self.lines):
            raise ValueError("two lines of a bill have the same name")

    @property
    def monthly_usd(self) -> Decimal:
        """Sum of the known lines; "at least" this if `unknown` names any."""
        return sum((line.monthly_usd for line in self.lines if line.monthly_usd is not None), Decimal("0.00"))

    @property
    def daily_usd(self) -> Decimal:
        return sum((line.daily_usd for line in self.lines if line.daily_usd is not None), Decimal("0.00"))

    @property
    def yearly_usd(self) -> Decimal:
        return sum((line.yearly_usd for line in self.lines if line.yearly_usd is not None), Decimal("0.00"))

    @property
    def unknown(self) -> tuple[str, ...]:
        return tuple(line.name for line in self.lines if line.monthly_usd is None)


def project(plan: Plan) -> CostProjection:
    """Price a plan: rent, weights storage where there is any, fixed infrastructure, ops and setup."""
    fixed, missing = _fixed(plan.deployment.prices.fixed)
    lines = (*rent_lines(plan), *_storage(plan), *fixed, _ops(plan), _setup(plan))
    return CostProjection(lines=lines, not_included=(*rent_not_included(plan), *missing))


@dataclass(frozen=True, kw_only=True)
class CostRange:
    """The bill at the fewest replicas and at the most; a serverless plan then works all month."""

    low: CostProjection
    high: CostProjection


def cost_range(plan: Plan) -> CostRange | None:
    """None where the number of replicas is fixed."""
    least, most = plan.replicas_range
    if plan.facts.profile.is_serverless:
        busy = int(most * plan.capacity.requests_per_second * SECONDS_PER_MONTH)
        return CostRange(low=project(serving(plan, 1)), high=project(serving(plan, busy)))
    return None if least == most else CostRange(low=project(plan.at(least)), high=project(plan.at(most)))


def usd_per_million_tokens(plan: Plan, monthly_usd: Decimal) -> Decimal:
    """Input and output together, at the declared traffic: not at 100 % utilisation."""
    workload = plan.workload
    return monthly_usd / (workload.requests_per_month * workload.tokens_per_request) * 1_000_000


@dataclass(frozen=True, kw_only=True)
class OfferedRent:
    """What the plan's GPUs, and nothing else, cost at one dated offer."""

    offer: Offer
    monthly_usd: Decimal


def offered_rents(plan: Plan, offers: Iterable[Offer]) -> tuple[OfferedRent, ...]:
    """The plan's rent at each offer, in their order."""
    at = ((offer, rent_lines(replace(plan, facts=plan.facts.at(offer)))) for offer in offers)
    return tuple(
        OfferedRent(offer=offer, monthly_usd=sum((line.monthly_usd or Decimal(0) for line in lines), Decimal("0.00")))
        for offer, lines in at
    )


def weights_volume_gib(plan: Plan) -> int:
    """Size of a weights volume: the weights and a fifth more for partial downloads and the compile cache."""
    return ceil(plan.facts.model.weights_gib * 1.2)


def _weights_volumes(plan: Plan) -> int:
    """Volumes that this deployment makes and pays for; a claim, image or bucket that was there before is not its."""
    weights = plan.deployment.weights
    return plan.replicas * plan.split.nodes if weights.storage == "ephemeral" else int(weights.own_claim)


def _storage(plan: Plan) -> tuple[CostLine, ...]:
    volumes = _weights_volumes(plan)
    if not volumes:
        return ()
    usd = plan.deployment.prices.storage_usd_per_gib_month
    gib = volumes * weights_volume_gib(plan)
    return (
        CostLine(
            name="Weights storage",
            monthly_usd=None if usd is None else cents(usd * gib),
            detail=f"{gib} GiB × {'unknown' if usd is None else f'${usd}'}/GiB-month",
            source="" if usd is None else "prices.storage_usd_per_gib_month",
            quantity=Decimal(gib),
            unit="GiB-month",
            usd_per_unit=usd,
            inputs=cost_inputs(gib=gib, storage_usd_per_gib_month="unknown" if usd is None else usd),
        ),
    )


def _fixed(prices: FixedInfrastructure) -> tuple[tuple[CostLine, ...], tuple[str, ...]]:
    """The lines that were given a price, and the names of the others."""
    priced, missing = [], []
    for name, key in _FIXED.items():
        usd: Decimal | None = getattr(prices, key)
        if usd is None:
            missing.append(name)
        else:
            priced.append(_flat(name, f"fixed.{key}", usd, usd))
    return tuple(priced), tuple(missing)


def _ops(plan: Plan) -> CostLine:
    profile = plan.facts.profile
    return _flat("Operations", "ops_usd_per_month", plan.deployment.prices.ops_usd_per_month, profile.ops_usd_per_month)


def _setup(plan: Plan) -> CostLine:
    profile = plan.facts.profile
    given = plan.deployment.prices.setup_usd_per_month
    return _flat("Setup, amortised", "setup_usd_per_month", given, profile.setup_usd_per_month)


def _flat(name: str, key: str, given: Decimal | None, default: Decimal) -> CostLine:
    usd = cents(default if given is None else given)
    detail, source = ("the profile's default", f"profile: {key}") if given is None else ("as given", f"prices.{key}")
    return CostLine(name=name, monthly_usd=usd, detail=detail, source=source, inputs=cost_inputs(**{key: usd}))
