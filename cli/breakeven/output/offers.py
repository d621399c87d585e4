"""Dated offers in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from breakeven.convert import plain
from breakeven.core.age import is_stale
from breakeven.core.units import count
from breakeven.output import age, money

if TYPE_CHECKING:
    # `deploy profiles` prices nothing, and has no time to import what does.
    from collections.abc import Sequence
    from datetime import date
    from typing import Any

    from breakeven.core.cost import OfferedRent
    from breakeven.core.hardware import Offer


def sold_as(offer: Offer) -> str:
    """What one buys: `1 GPU, Azure Standard_NC24ads_A100_v4`. A node made of single GPUs is a price, not a machine."""
    return f"{count(offer.gpu_count, 'GPU')}, {offer.provider} {offer.sku}"


def terms(offer: Offer) -> str:
    """`on-demand, eastus`; a region that the source does not name is left out."""
    return offer.commitment if offer.region == "unspecified" else f"{offer.commitment}, {offer.region}"


def data(offer: Offer, at: date) -> dict[str, Any]:
    """JSON-ready, with its age on that day."""
    return {**plain(offer), "billed_by_second": offer.billed_by == "second", **age.data(offer.checked, at)}


def span(offered: Sequence[OfferedRent], at: date) -> str:
    """`The same GPUs at dated offers: $3,474.80 to $10,725.16 a month, checked 2026-11-09`, and how many are stale."""
    rents = [rent.monthly_usd for rent in offered]
    days = [rent.offer.checked for rent in offered]
    usd = _range(money.usd(min(rents)), money.usd(max(rents)))
    old = sum(is_stale(day, at) for day in days)
    stale = f", {old} of {len(days)} stale" if old else ""
    return f"The same GPUs at dated offers: {usd} a month, checked {_range(str(min(days)), str(max(days)))}{stale}"


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"
