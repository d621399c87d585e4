"""The lines of a bill, what they are made of and where their prices are from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from breakeven.core.cost import CostProjection, CostRange, OfferedRent, usd_per_million_tokens
from breakeven.core.cost_line import CostLine
from breakeven.core.plan import Plan
from breakeven.core.units import count
from breakeven.output import age, money, offers, table

_HEADERS: Final = ["Self-hosted", "Per day", "Per month", "Per year", "How"]
_OFFER_HEADERS: Final = ["Offer", "Per month", "Price of one GPU", "Sold as", "Terms", "Checked"]


def rows(output: str, projection: CostProjection) -> str:
    """Each column adds up: what is summed are the rounded figures."""
    *lines, total = [*(_row(line) for line in projection.lines), _total(projection)]
    if output == "markdown":
        total = [f"**{cell}**" if cell else "" for cell in total]
    return table.render(output, _HEADERS, [*lines, total])


def _row(line: CostLine) -> list[str]:
    usd = (line.daily_usd, line.monthly_usd, line.yearly_usd)
    return [line.name, *(money.usd(amount) for amount in usd), line.detail]


def _total(projection: CostProjection) -> list[str]:
    at_least = "at least " if projection.unknown else ""
    usd = (projection.daily_usd, projection.monthly_usd, projection.yearly_usd)
    return ["Total", *(f"{at_least}{money.usd(amount)}" for amount in usd), ""]


def notes(plan: Plan, projection: CostProjection, between: CostRange | None) -> list[str]:
    """What a million tokens cost at this traffic, what scaling would cost, and what the bill leaves out."""
    per_million = usd_per_million_tokens(plan, projection.monthly_usd)
    found = [f"{money.usd(per_million)} per million tokens, input and output together, at this traffic"]
    if between:
        found.append(_between(plan, between))
    if projection.not_included:
        found.append(f"Not included: {', '.join(projection.not_included)}; deploy.yaml takes them under `prices`")
    return found


def _between(plan: Plan, between: CostRange) -> str:
    least, most = plan.replicas_range
    low, high = money.usd(between.low.monthly_usd), money.usd(between.high.monthly_usd)
    if plan.facts.profile.is_serverless:
        return f"From one request a month to {count(most, 'replica')} busy all month: {low} to {high} a month"
    return f"From {least:,} to {count(most, 'replica')}: {low} to {high} a month"


def sources(projection: CostProjection, at: date) -> list[str]:
    """Where each figure of the bill comes from, and when it was checked."""
    return [f"{line.name}: {source(line, at)}" for line in projection.lines if line.source]


def source(line: CostLine, at: date) -> str:
    return f"{line.source}{f', checked {age.checked(line.checked, at)}' if line.checked else ''}"


def offer_rows(output: str, offered: Sequence[OfferedRent], at: date) -> str:
    return table.render(output, _OFFER_HEADERS, [_offer_row(rent, at) for rent in offered])


def _offer_row(rent: OfferedRent, at: date) -> list[str]:
    return [
        rent.offer.name,
        money.usd(rent.monthly_usd),
        money.per_gpu_hour(rent.offer.usd_per_gpu_hour),
        offers.sold_as(rent.offer),
        offers.terms(rent.offer),
        age.checked(rent.offer.checked, at),
    ]


def price_data(projection: CostProjection, at: date) -> list[dict[str, Any]]:
    """JSON-ready: where each line's price is from, and how old it is."""
    return [{"name": line.name, "source": line.source, **_checked(line, at)} for line in projection.lines]


def offered_data(rent: OfferedRent, at: date) -> dict[str, Any]:
    return {**offers.data(rent.offer, at), "monthly_usd": str(rent.monthly_usd)}


def data(plan: Plan, projection: CostProjection, between: CostRange | None, at: date) -> dict[str, Any]:
    """JSON-ready: money as decimal strings, unknown as null."""
    return {
        "daily_usd": str(projection.daily_usd),
        "monthly_usd": str(projection.monthly_usd),
        "yearly_usd": str(projection.yearly_usd),
        "at_least": bool(projection.unknown),
        "usd_per_million_tokens": f"{usd_per_million_tokens(plan, projection.monthly_usd):.4f}",
        "range": between and {"low_usd": str(between.low.monthly_usd), "high_usd": str(between.high.monthly_usd)},
        "not_included": list(projection.not_included),
        "lines": [_line_data(line, at) for line in projection.lines],
    }


def _line_data(line: CostLine, at: date) -> dict[str, Any]:
    return {
        "name": line.name,
        "daily_usd": _string(line.daily_usd),
        "monthly_usd": _string(line.monthly_usd),
        "yearly_usd": _string(line.yearly_usd),
        "source": line.source,
        **_checked(line, at),
        "detail": line.detail,
    }


def _string(amount: object) -> str | None:
    return None if amount is None else str(amount)


def _checked(line: CostLine, at: date) -> dict[str, Any]:
    return {"checked": line.checked.isoformat() if line.checked else None, **age.data(line.checked, at)}
