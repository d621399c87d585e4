"""Dated offers in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from breakeven.core.units import count
from breakeven.output import money

if TYPE_CHECKING:
    # `deploy profiles` prices nothing, and has no time to import what does.
    from collections.abc import Sequence

    from breakeven.core.cost import OfferedRent
    from breakeven.core.hardware import Offer


def sold_as(offer: Offer) -> str:
    """What one buys: `1 GPU, Azure Standard_NC24ads_A100_v4`. A node made of single GPUs is a price, not a machine."""
    return f"{count(offer.gpu_count, 'GPU')}, {offer.provider} {offer.sku}"


def terms(offer: Offer) -> str:
    """`on-demand, eastus`; a region that the source does not name is left out."""
    return offer.commitment if offer.region == "unspecified" else f"{offer.commitment}, {offer.region}"


def span(offered: Sequence[OfferedRent]) -> str:
    """`The same GPUs at dated offers: $3,474.80 to $10,725.16 a month`."""
    rents = [rent.monthly_usd for rent in offered]
    low, high = money.usd(min(rents)), money.usd(max(rents))
    return f"The same GPUs at dated offers: {low if low == high else f'{low} to {high}'} a month"
