"""The price that rent is reckoned with, in words, and where it is from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from breakeven.core.facts import Facts


@dataclass(frozen=True, kw_only=True)
class RentPrice:
    """A user's own has no date. `name` is which one, without its terms."""

    name: str
    words: str
    source: str
    checked: date | None


def rent_price(facts: Facts) -> RentPrice:
    """As given, an offer's, or the reference row's; source and date of the last two."""
    if facts.given_usd_per_gpu_hour is not None:
        return RentPrice(name="as given", words="as given", source="prices.usd_per_gpu_hour", checked=None)
    offer, reference = facts.offer, facts.profile.reference
    if offer is None:
        words = f"reference row of {facts.profile.name}"
        return RentPrice(name=words, words=words, source=reference.source, checked=reference.checked)
    region = "" if offer.region == "unspecified" else f", {offer.region}"
    words = f"offer {offer.name} ({offer.provider} {offer.sku}{region}, {offer.commitment})"
    return RentPrice(name=f"offer {offer.name}", words=words, source=offer.source, checked=offer.checked)
