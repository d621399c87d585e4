"""API prices: the only module that asks genai-prices, whose data is bundled. Nothing here uses the network.

Importing it takes up to 0.4 s, so verbs import this module where they use it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final

import genai_prices
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, PriceCalculation, PriceVariant, Provider

from breakeven import load
from breakeven.core.api_rates import ApiPrice, ApiRates, cached_tokens, of_cached, per_million, rates_at
from breakeven.core.comparator import Comparator, parse
from breakeven.core.deployment import Deployment
from breakeven.core.model import Model
from breakeven.core.plan import Plan
from breakeven.core.units import plain_usd
from breakeven.core.workload import Workload
from breakeven.errors import InputError, unknown

SOURCE: Final = f"genai-prices {genai_prices.__version__}"

# When that version was published. Its data has no dates: the package leaves out the repository's `prices_checked`.
PUBLISHED: Final = date(2026, 11, 10)

_FLAG: Final = "--compare-with"
_LISTING: Final = "https://github.com/pydantic/genai-prices/tree/main/prices/providers"

# What the book calls tiers. Its variants depend on other things as well, such as the route through OpenRouter.
_TIER_KEYS: Final = {"processing", "service_tier", "speed"}

# DeepSeek's prices go by the hour: what counts is noon.
_NOON: Final = time(12, tzinfo=UTC)


def newest() -> date:
    """The first day at which all that is packaged is known: a render has no other clock."""
    return max(PUBLISHED, *(record.checked for record in load.api_rates()))


def prices(plan: Plan, compare_with: Iterable[str], at: date) -> tuple[ApiPrice, ...]:
    """What was asked for, each once; otherwise the packaged comparators and the plan's own weights, hosted."""
    return prices_beside([plan.facts.model], plan.deployment, compare_with, at)


def prices_beside(
    models: Iterable[Model], deployment: Deployment, compare_with: Iterable[str], at: date
) -> tuple[ApiPrice, ...]:
    """As `prices`, of a plan for any of the models."""
    hosted = [model.comparator for model in models if model.comparator]
    asked = tuple(compare_with) or (*load.comparators(), *hosted)
    own, packaged = deployment.prices.api_overrides or (), load.api_rates()
    return tuple(price(name, deployment.workload, at, own, packaged) for name in dict.fromkeys(asked))


def price(name: str, workload: Workload, at: date, *overrides: Iterable[ApiRates]) -> ApiPrice:
    """One average request at `provider/model[@tier]`, at the first override that knows it, or at the book's price.

    A month's tokens in one call would reach long-context tiers. Raises InputError for an unknown provider, model or
    tier, for a tier whose price of that day is unknown, and for a model whose tokens have no price.
    """
    asked = parse(name, where=_FLAG)
    for records in overrides:
        if rates := rates_at(name, records, at):
            return rates.price(workload)
    later = [record.checked for records in overrides for record in records if record.comparator == name]
    try:
        return _book_price(asked, workload, at)
    except InputError as error:
        if not later:
            raise
        message = f"the price of {name} on {at} is unknown: it is known from {min(later)} on"
        raise InputError(message, where=_FLAG, hint="ask for a later day with --prices-at") from error


def _book_price(asked: Comparator, workload: Workload, at: date) -> ApiPrice:
    provider, model = _find(asked)
    moment = datetime.combine(at, _NOON)
    variants = _variants(asked, provider, model, moment)
    context = {key: value for variant in variants for key, value in variant.when.items()}
    usage = genai_prices.Usage(input_tokens=workload.input_tokens, output_tokens=workload.output_tokens)
    uncached = model.calc_price(usage, provider, genai_request_timestamp=moment, price_context=context)
    if not (uncached.input_price and uncached.output_price):
        raise InputError(
            f"the price of {asked} is unknown: {SOURCE} has no price for its input or output tokens", where=_FLAG
        )
    if asked.tier:
        _refuse_standard_price(asked, model, variants, moment, workload)
    if not workload.cached_share:
        return _api_price(asked, workload, uncached, uncached)
    usage.cache_read_tokens = cached_tokens(workload)
    cached = model.calc_price(usage, provider, genai_request_timestamp=moment, price_context=context)
    return _api_price(asked, workload, uncached, cached)


def _find(asked: Comparator) -> tuple[Provider, ModelInfo]:
    providers = {provider.id: provider for provider in get_snapshot().providers}
    if asked.provider not in providers:
        raise unknown("API provider", asked.provider, providers, listing=_LISTING)
    try:
        return get_snapshot().find_provider_model(asked.model, None, asked.provider, None)
    except LookupError as error:
        # Some providers are matched by the long names of their own API only, and not by the listed ones.
        listed = {info.id: info for info in providers[asked.provider].models}
        if asked.model not in listed:
            raise unknown(f"model of {asked.provider}", asked.model, listed, listing=_LISTING) from error
        return providers[asked.provider], listed[asked.model]


def _variants(asked: Comparator, provider: Provider, model: ModelInfo, moment: datetime) -> list[PriceVariant]:
    """Those of the tier at that moment. The book itself takes the standard price where there are none."""
    if asked.tier is None:
        return []
    tiers = _tiers(provider, model)
    if asked.tier not in tiers:
        listing = f"it has {', '.join(sorted(tiers))}" if tiers else "it has none"
        raise InputError(
            f"unknown tier {asked.tier!r} of {asked.standard}",
            where=_FLAG,
            hint=f"{listing} in {SOURCE}; {asked.standard} is the standard price",
        )
    active = [one for one in tiers[asked.tier] if one.constraint is None or one.constraint.active(moment)]
    if not active:
        since = f"{SOURCE} knows it from {_first(tiers[asked.tier])} on"
        raise InputError(
            f"the price of {asked} on {moment:%Y-%m-%d} is unknown: {since}",
            where=_FLAG,
            hint=f"ask for a later day with --prices-at, or for the standard price, {asked.standard}",
        )
    return active


def _tiers(provider: Provider, model: ModelInfo) -> dict[str, list[PriceVariant]]:
    """By name. A model that the provider passes on from another one has none: the book would ignore them."""
    found: dict[str, list[PriceVariant]] = {}
    own = any(one is model for one in provider.models)
    for variant in (model.price_variants or ()) if own else ():
        (key, tier), *others = variant.when.items()
        if key in _TIER_KEYS and not others and tier != "default":
            found.setdefault(tier, []).append(variant)
    return found


def _first(variants: Iterable[PriceVariant]) -> str:
    return min(str(getattr(variant.constraint, "start_date", "")) for variant in variants)


def _refuse_standard_price(
    asked: Comparator, model: ModelInfo, variants: list[PriceVariant], moment: datetime, workload: Workload
) -> None:
    """What a tier has no price for, the book prices as standard."""
    needed = {"input_mtok": "input", "output_mtok": "output"}
    if workload.cached_share:
        needed["cache_read_mtok"] = "cached input"
    for key, words in needed.items():
        if getattr(model.get_prices(moment), key) is None:
            continue
        if all(getattr(variant.prices, key) is None for variant in variants):
            raise InputError(
                f"the price of {words} at {asked} is unknown: {SOURCE} has the standard one only",
                where=_FLAG,
                hint=f"compare with {asked.standard}{', or set cached_share to 0' if workload.cached_share else ''}",
            )


def _api_price(asked: Comparator, workload: Workload, uncached: PriceCalculation, total: PriceCalculation) -> ApiPrice:
    """`uncached` has the list prices of the size tier that this request falls in, `total` is what it costs."""
    return ApiPrice(
        comparator=str(asked),
        usd_per_request=total.total_price,
        source=f"{SOURCE} of {PUBLISHED}: {_as_listed(asked, uncached)}{_rates(workload, uncached, total)}",
        checked=PUBLISHED,
    )


def _as_listed(asked: Comparator, calculation: PriceCalculation) -> str:
    """The price book's own name where it took an alias for it, such as a dated one."""
    listed = calculation.model.id
    return "" if asked.model == listed else f"{listed} at "


def _rates(workload: Workload, uncached: PriceCalculation, total: PriceCalculation) -> str:
    """`$0.15/$0.60 per million tokens`, and what is paid for cached ones and for the request as such."""
    per_input = uncached.input_price / workload.input_tokens * 1_000_000
    per_output = uncached.output_price / workload.output_tokens * 1_000_000
    extra = uncached.total_price - uncached.input_price - uncached.output_price
    per_request = f" and {plain_usd(extra)} per request" if extra else ""
    return f"{per_million(per_input, per_output)}{_cached_rate(workload, per_input, total)}{per_request}"


def _cached_rate(workload: Workload, per_input: Decimal, total: PriceCalculation) -> str:
    cached = cached_tokens(workload)
    if not cached:
        return ""
    uncached_usd = (workload.input_tokens - cached) * per_input
    return of_cached(workload, (total.input_price * 1_000_000 - uncached_usd) / cached)
