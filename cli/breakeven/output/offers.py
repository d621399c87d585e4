"""A dated offer in words."""

from __future__ import annotations

from breakeven.core.hardware import Offer


def sold_as(offer: Offer) -> str:
    """What one buys: `1 GPU, Azure Standard_NC24ads_A100_v4`. A node made of single GPUs is a price, not a machine."""
    return f"{offer.gpu_count} GPU{'s' if offer.gpu_count > 1 else ''}, {offer.provider} {offer.sku}"


def terms(offer: Offer) -> str:
    """`on-demand, eastus`; a region that the source does not name is left out."""
    return offer.commitment if offer.region == "unspecified" else f"{offer.commitment}, {offer.region}"
