"""Hardware profiles: all of them as a list, one of them in full."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from breakeven.convert import plain
from breakeven.core.age import age_days
from breakeven.core.hardware import Accelerator, Offer, PlatformPlacement, Profile
from breakeven.core.units import cents
from breakeven.output import age, money, table
from breakeven.output.offers import data as offer_data
from breakeven.output.offers import sold_as, terms

LIST_SCHEMA: Final = "breakeven.profiles/1"
SCHEMA: Final = "breakeven.profile/1"

_LIST_HEADERS: Final = ["Profile", "Hardware", "GPUs", "Reference rent a month", "Checked", "Default model"]


def render_all(output: str, profiles: Sequence[Profile], at: date) -> str:
    """By the value of `-o`."""
    if output == "json":
        listed = [_profile_data(profile, at) for profile in profiles]
        return _json({"schema": LIST_SCHEMA, "prices_at": at.isoformat(), "profiles": listed})
    rows = [_row(profile, at) for profile in profiles]
    sources = (f"Source of the rents: {profile.reference.source}" for profile in profiles if _has_rent(profile))
    return "\n\n".join([table.render(output, _LIST_HEADERS, rows), *dict.fromkeys(sources)])


def render(output: str, profile: Profile, accelerator: Accelerator, offers: Sequence[Offer], at: date) -> str:
    """By the value of `-o`. `at` gives the prices their age."""
    if output == "json":
        return _json({"schema": SCHEMA, "prices_at": at.isoformat(), **_data(profile, offers, at)})
    heading = "### " if output == "markdown" else ""
    return "\n\n".join(
        [
            table.render(output, ["Fact", "Value"], _facts(profile, accelerator, at)),
            f"{heading}Nodes: all labels of one platform",
            table.render(output, ["Platform", "Labels", "Source"], [_placement(p) for p in profile.placement]),
            f"{heading}Dated offers of the same GPUs",
            table.render(output, _offer_headers(profile), [_offer_row(profile, offer, at) for offer in offers]),
        ]
    )


def _json(data: dict[str, Any]) -> str:
    # Imported here: the list has to start fast, and is rarely asked for as JSON.
    import json

    return json.dumps(data, indent=2)


def _has_rent(profile: Profile) -> bool:
    return profile.reference.usd_per_month is not None


def _row(profile: Profile, at: date) -> list[str]:
    return [
        profile.name,
        profile.title,
        str(profile.gpus_per_node),
        money.usd(profile.reference.usd_per_month) if _has_rent(profile) else "by the second",
        age.checked(profile.reference.checked, at),
        profile.model,
    ]


def _facts(profile: Profile, accelerator: Accelerator, at: date) -> list[list[str]]:
    reference = profile.reference
    rent = f"{money.usd(reference.usd_per_month)} a month" if _has_rent(profile) else "none: paid by the second"
    speed = "" if reference.requests_per_second is None else f"{reference.requests_per_second:g} requests/s: "
    return [
        ["profile", f"{profile.name}: {profile.title}"],
        ["GPUs", f"{profile.gpus_per_node} × {accelerator.title}, {accelerator.memory_gib} GiB each"],
        ["GPU facts", f"{accelerator.source}, checked {accelerator.checked}"],
        ["default model", profile.model],
        ["reference rent", rent],
        ["reference load", f"{speed}{reference.workload}"],
        ["reference source", f"{reference.source}, checked {age.checked(reference.checked, at)}"],
        ["operations", f"{money.usd(profile.ops_usd_per_month)} a month by default"],
        ["setup, amortised", f"{money.usd(profile.setup_usd_per_month)} a month by default"],
    ]


def _placement(placement: PlatformPlacement) -> list[str]:
    labels = "; ".join(f"{label.key} in {', '.join(label.values)}" for label in placement.labels)
    return [placement.platform, labels, placement.source]


def _offer_headers(profile: Profile) -> list[str]:
    """A profile that is paid by the second is seldom busy for all of a month."""
    rent = "Node a month" if _has_rent(profile) else "Busy all month"
    return ["Offer", "One GPU", rent, "Sold as", "Terms", "Billed by", "Checked", "Age", "Source"]


def _offer_row(profile: Profile, offer: Offer, at: date) -> list[str]:
    return [
        offer.name,
        money.per_gpu_hour(offer.usd_per_gpu_hour),
        money.usd(_node_rent(profile, offer)),
        sold_as(offer),
        terms(offer),
        offer.billed_by,
        offer.checked.isoformat(),
        _age(offer, at),
        offer.source,
    ]


def _profile_data(profile: Profile, at: date) -> dict[str, Any]:
    plainly = plain(profile)
    return {**plainly, "reference": {**plainly["reference"], **age.data(profile.reference.checked, at)}}


def _data(profile: Profile, offers: Sequence[Offer], at: date) -> dict[str, Any]:
    return {**_profile_data(profile, at), "offers": [_offer_data(profile, offer, at) for offer in offers]}


def _offer_data(profile: Profile, offer: Offer, at: date) -> dict[str, Any]:
    return {**offer_data(offer, at), "node_monthly_usd": str(_node_rent(profile, offer))}


def _node_rent(profile: Profile, offer: Offer) -> Decimal:
    """USD a month for the GPUs of one node, whether or not they are sold as one machine."""
    return cents(offer.usd_per_month(profile.gpus_per_node))


def _age(offer: Offer, at: date) -> str:
    return age.stale(offer.checked, at) or f"{age_days(offer.checked, at)} days"
