"""The bill of GPUs that are paid by the second while a replica is on, and scaled to zero when nobody asks.

A replica is on from the first request until nobody has asked for a while. With requests at random (Poisson, λ a
second), each of which keeps it on for T, that is the busy period of an M/G/∞ queue: (exp(λT) − 1) ÷ λ on average.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from math import expm1
from typing import Final

from breakeven.core.cost_line import CostLine, cost_inputs
from breakeven.core.plan import Plan
from breakeven.core.rent_price import rent_price
from breakeven.core.scaling import Scaling
from breakeven.core.units import SECONDS_PER_MONTH, cents, count

# Knative's stable-window: so long without a request before the last replica goes.
# https://knative.dev/docs/serving/autoscaling/kpa-specific/
SCALE_DOWN_S: Final = 60
# e^30 requests' time between two moments off: longer than a month at any rate.
_NEVER_OFF: Final = 30


@dataclass(frozen=True, kw_only=True)
class OnTime:
    """Replicas that serve, as a mean over the month, and starts from zero in it, whose seconds come on top."""

    mean_replicas: float
    cold_starts: int


def on_time(plan: Plan) -> OnTime:
    """Of level traffic: as many replicas as it keeps at their capacity, but one while any request is there or has just
    gone. With replicas kept warm nothing starts from zero.
    """
    rate = plan.workload.mean_requests_per_second
    scaling = plan.deployment.scaling or Scaling()
    crowd = rate / plan.capacity.requests_per_second
    if scaling.min_replicas or rate * _on_s(plan) > _NEVER_OFF:
        return OnTime(mean_replicas=max(1.0, crowd), cold_starts=scaling.cold_starts_per_month or 0)
    # One cycle: nobody asks for 1 ÷ λ, the replica starts, and is on for the queue's busy period.
    on_s = expm1(rate * _on_s(plan)) / rate
    starts = SECONDS_PER_MONTH / (1 / rate + plan.startup_s + on_s)
    given = scaling.cold_starts_per_month
    return OnTime(
        mean_replicas=max(starts * on_s / SECONDS_PER_MONTH, crowd),
        cold_starts=round(starts) if given is None else given,
    )


def _on_s(plan: Plan) -> float:
    """What one request keeps a replica on for."""
    return plan.capacity.request_s + SCALE_DOWN_S


def serving(plan: Plan, requests_per_month: int) -> Plan:
    """The same plan at another traffic."""
    workload = replace(plan.workload, requests_per_month=requests_per_month)
    return replace(plan, deployment=replace(plan.deployment, workload=workload))


def serverless_lines(plan: Plan) -> tuple[CostLine, ...]:
    usd_per_gpu_hour = plan.facts.usd_per_gpu_hour
    if usd_per_gpu_hour is None:
        return (CostLine(name="GPU seconds", monthly_usd=None, detail="no offer chosen", source=""),)
    usd_per_second = usd_per_gpu_hour * plan.split.gpus / 3600
    found, warm = on_time(plan), (plan.deployment.scaling or Scaling()).min_replicas
    beyond = max(0.0, found.mean_replicas - warm)
    kept = f" beyond {count(warm, 'replica')} kept warm" if warm else ""
    parts = [("GPU seconds", beyond * SECONDS_PER_MONTH, f"{beyond:.3g} on average{kept} × 2,628,000 s")]
    if warm:
        parts.append(("Kept warm", warm * SECONDS_PER_MONTH, f"{count(warm, 'replica')} × 2,628,000 s"))
    if found.cold_starts:
        how = f"{count(found.cold_starts, 'start')} × {plan.startup_s:,.0f} s"
        parts.append(("Cold starts", found.cold_starts * plan.startup_s, how))
    return tuple(_seconds(plan, usd_per_second, *part) for part in parts)


def _seconds(plan: Plan, usd_per_second: Decimal, name: str, seconds: float, how: str) -> CostLine:
    price = rent_price(plan.facts)
    return CostLine(
        name=name,
        monthly_usd=cents(usd_per_second * Decimal(repr(float(seconds)))),
        detail=f"{how} × ${usd_per_second:.6f}/s, {price.words}",
        source=price.source,
        checked=price.checked,
        quantity=Decimal(round(seconds)),
        unit="second",
        usd_per_unit=usd_per_second,
        inputs=cost_inputs(
            seconds=f"{seconds:.0f}",
            gpus=plan.split.gpus,
            usd_per_gpu_hour=plan.facts.usd_per_gpu_hour,
            price=price.name,
        ),
    )
