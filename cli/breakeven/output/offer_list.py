"""The catalogue of dated offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final

from breakeven.core.age import STALE_AFTER_DAYS, is_stale
from breakeven.core.hardware import Offer
from breakeven.output import age, money, offers, table

SCHEMA: Final = "breakeven.offers/1"

_HEADERS: Final = ["Offer", "Accelerator", "One GPU", "Sold as", "Terms", "Billed by", "Checked", "Source"]

# What can be sorted by. Equal ones stay cheapest first.
KEYS: Final[dict[str, Callable[[Offer], Any]]] = {
    "price": lambda offer: offer.usd_per_gpu_hour,
    "checked": lambda offer: -offer.checked.toordinal(),
    "provider": lambda offer: offer.provider.casefold(),
}


def render(output: str, found: Sequence[Offer], sort: str, at: date) -> str:
    """By the value of `-o`; sorted by one of `KEYS`."""
    ranked = sorted(sorted(found, key=KEYS["price"]), key=KEYS[sort])
    if output == "json":
        return _json(ranked, at)
    if not ranked:
        return "No dated offer of it is known; --usd-per-gpu-hour takes a price of your own."
    old = sum(is_stale(offer.checked, at) for offer in ranked)
    total = (
        f"{len(ranked)} offers, {old} of them stale: checked more than {STALE_AFTER_DAYS} days from {at}" if old else ""
    )
    return "\n\n".join(
        part for part in (table.render(output, _HEADERS, [_row(one, at) for one in ranked]), total) if part
    )


def _json(ranked: Sequence[Offer], at: date) -> str:
    # Imported here: the list has to start fast, and is rarely asked for as JSON.
    import json

    listed = [{**offers.data(one, at), "usd_per_gpu_hour": str(one.usd_per_gpu_hour)} for one in ranked]
    return json.dumps({"schema": SCHEMA, "prices_at": at.isoformat(), "offers": listed}, indent=2)


def _row(offer: Offer, at: date) -> list[str]:
    return [
        offer.name,
        offer.accelerator,
        money.per_gpu_hour(offer.usd_per_gpu_hour),
        offers.sold_as(offer),
        offers.terms(offer),
        offer.billed_by,
        age.checked(offer.checked, at),
        offer.source,
    ]
