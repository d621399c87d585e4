"""API prices: the only module that asks genai-prices, whose data is bundled. Nothing here uses the network.

Importing it takes up to 0.4 s, so verbs import this module where they use it.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import genai_prices
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import PriceCalculation

from breakeven import load
from breakeven.core.api_spend import ApiPrice
from breakeven.core.plan import Plan
from breakeven.core.workload import Workload
from breakeven.errors import InputError, unknown

SOURCE: Final = f"genai-prices {genai_prices.__version__}"

_FLAG: Final = "--compare-with"
_LISTING: Final = "https://github.com/pydantic/genai-prices/tree/main/prices/providers"


def prices(plan: Plan, compare_with: Iterable[str] = ()) -> tuple[ApiPrice, ...]:
    """What was asked for, each once; otherwise the packaged comparators and the plan's own weights, hosted."""
    hosted = plan.facts.model.comparator
    asked = tuple(compare_with) or (*load.comparators(), *((hosted,) if hosted else ()))
    return tuple(price(comparator, plan.workload) for comparator in dict.fromkeys(asked))


def price(comparator: str, workload: Workload) -> ApiPrice:
    """One average request at `provider/model`. A month's tokens in one call would reach long-context tiers.

    Raises InputError for an unknown provider or model, and for one whose tokens have no price.
    """
    calculation = _calculate(comparator, workload)
    if not (calculation.input_price and calculation.output_price):
        raise InputError(
            f"the price of {comparator} is unknown: {SOURCE} has no price for its input or output tokens",
            where=_FLAG,
        )
    return ApiPrice(
        comparator=comparator,
        usd_per_request=calculation.total_price,
        source=f"{SOURCE}: {_as_listed(comparator, calculation)}{_per_million(calculation, workload)}",
    )


def _calculate(comparator: str, workload: Workload) -> PriceCalculation:
    provider_id, _, model = comparator.partition("/")
    if not provider_id or not model:
        raise InputError(f"expected PROVIDER/MODEL such as openai/gpt-4o-mini, got {comparator!r}", where=_FLAG)
    usage = genai_prices.Usage(input_tokens=workload.input_tokens, output_tokens=workload.output_tokens)
    providers = {provider.id: provider for provider in get_snapshot().providers}
    if provider_id not in providers:
        raise unknown("API provider", provider_id, providers, listing=_LISTING)
    try:
        return genai_prices.calc_price(usage, model, provider_id=provider_id)
    except LookupError as error:
        # Some providers are matched by the long names of their own API only, and not by the listed ones.
        listed = {info.id: info for info in providers[provider_id].models}
        if model not in listed:
            raise unknown(f"model of {provider_id}", model, listed, listing=_LISTING) from error
        return listed[model].calc_price(usage, providers[provider_id])


def _as_listed(comparator: str, calculation: PriceCalculation) -> str:
    """The price book's own name where it took an alias for it, such as a dated one."""
    listed = calculation.model.id
    return "" if comparator.partition("/")[2] == listed else f"{listed} at "


def _per_million(calculation: PriceCalculation, workload: Workload) -> str:
    """Of the tier that this request falls in: `$0.15/$0.60 per million tokens`."""
    per_input = calculation.input_price / workload.input_tokens
    per_output = calculation.output_price / workload.output_tokens
    extra = calculation.total_price - calculation.input_price - calculation.output_price
    per_request = f" and {_plain(extra)} per request" if extra else ""
    return f"{_plain(per_input * 1_000_000)}/{_plain(per_output * 1_000_000)} per million tokens{per_request}"


def _plain(usd: Decimal) -> str:
    """At least two decimals, and as many as the price has: `$0.60`, `$0.035`."""
    exact = usd.normalize()
    return f"${exact:.2f}" if exact == round(exact, 2) else f"${exact:f}"
