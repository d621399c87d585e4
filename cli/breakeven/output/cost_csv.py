"""Both bills as rows whose columns are called as FOCUS calls them: https://focus.finops.org/focus-columns/

A projection has no billing period, so the columns of periods are left out. Columns of our own begin with `x_`.
"""

from __future__ import annotations

import csv
from datetime import date
from io import StringIO
from typing import Final

from breakeven.core.api_spend import ApiEquivalent
from breakeven.core.comparison import Comparison
from breakeven.core.cost_line import CostLine
from breakeven.core.plan import Plan
from breakeven.output import age
from breakeven.output.api import reckoned

_COLUMNS: Final = (
    *("BilledCost", "EffectiveCost", "ListCost", "BillingCurrency", "ChargeCategory", "ChargeDescription"),
    *("ChargeFrequency", "PricingQuantity", "PricingUnit", "ListUnitPrice", "ProviderName", "RegionId"),
    *("ServiceCategory", "ServiceName", "SkuId", "x_Side", "x_Stack", "x_Source", "x_Checked", "x_Stale"),
)
_CATEGORIES: Final = {"GPU": "Compute", "Kept": "Compute", "Cold": "Compute", "Weights": "Storage"}


def render(comparison: Comparison, at: date) -> str:
    """No trailing newline. A price that is unknown is an empty cell."""
    plan = comparison.plan
    rows = [_line(plan, line, at) for line in comparison.projection.lines]
    rows += [_api(plan, api, at) for api in comparison.equivalents]
    text = StringIO()
    writer = csv.DictWriter(text, _COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    common = {"x_Stack": plan.stack, "BillingCurrency": "USD", "ChargeCategory": "Usage"}
    writer.writerows({**common, **row} for row in rows)
    return text.getvalue().rstrip("\n")


def _line(plan: Plan, line: CostLine, at: date) -> dict[str, object]:
    offer = plan.facts.offer if line.unit in ("GPU-hour", "second") else None
    return {
        **_cost(line.monthly_usd),
        "ChargeDescription": line.detail,
        "ChargeFrequency": "Usage-Based" if line.unit == "second" else "Recurring",
        "PricingQuantity": _plain(line.quantity),
        "PricingUnit": line.unit if line.quantity is not None else "",
        "ListUnitPrice": _plain(line.usd_per_unit),
        "ProviderName": offer.provider if offer else "",
        "RegionId": offer.region if offer and offer.region != "unspecified" else "",
        "ServiceCategory": _CATEGORIES.get(line.name.partition(" ")[0], "Other"),
        "ServiceName": line.name,
        "SkuId": offer.sku if offer else "",
        "x_Side": "self-host",
        "x_Source": line.source,
        **_dated(line.checked, at),
    }


def _api(plan: Plan, api: ApiEquivalent, at: date) -> dict[str, object]:
    provider, _, model = api.comparator.partition("/")
    return {
        **_cost(api.monthly_usd),
        "ChargeDescription": f"{plan.workload.requests_per_month:,} requests",
        "ChargeFrequency": "Usage-Based",
        "PricingQuantity": plan.workload.requests_per_month,
        "PricingUnit": "Requests",
        "ListUnitPrice": _plain(api.usd_per_request),
        "ProviderName": provider,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": api.comparator,
        "SkuId": model,
        "x_Side": "api",
        "x_Source": api.source,
        **_dated(api.checked, reckoned(api, at)),
    }


def _cost(usd: object) -> dict[str, object]:
    amount = "" if usd is None else str(usd)
    return {"BilledCost": amount, "EffectiveCost": amount, "ListCost": amount}


def _plain(amount: object) -> str:
    return "" if amount is None else f"{amount:f}"


def _dated(checked: date | None, at: date) -> dict[str, object]:
    stale = age.data(checked, at)["stale"]
    return {"x_Checked": checked or "", "x_Stale": "" if stale is None else str(stale).lower()}
