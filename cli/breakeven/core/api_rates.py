"""The price of a request at an API; dated list prices per million tokens, which go before the price book's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from breakeven.core.units import plain_usd, require_positive
from breakeven.core.workload import Workload


@dataclass(frozen=True, kw_only=True)
class ApiPrice:
    """One average request of the workload at one API model; never a month's tokens in one call.

    `comparator` is `provider/model[@tier]`. `checked` is the day of the source: of a price book, when it was published.
    """

    comparator: str
    usd_per_request: Decimal
    source: str
    checked: date


@dataclass(frozen=True, kw_only=True)
class ApiRates:
    """The price of one model, `provider/model[@tier]`, from the day it was checked on.

    Without a price of their own, cached tokens cost what others do.
    """

    comparator: str
    usd_per_million_input_tokens: Decimal
    usd_per_million_output_tokens: Decimal
    usd_per_million_cached_tokens: Decimal | None = None
    source: str
    checked: date

    def __post_init__(self) -> None:
        provider, _, model = self.comparator.partition("/")
        if not provider or not model:
            raise ValueError(f"comparator must be PROVIDER/MODEL or PROVIDER/MODEL@TIER, got {self.comparator!r}")
        require_positive(
            usd_per_million_input_tokens=self.usd_per_million_input_tokens,
            usd_per_million_output_tokens=self.usd_per_million_output_tokens,
            usd_per_million_cached_tokens=self.usd_per_million_cached_tokens,
        )
        if not self.source:
            raise ValueError("source must say where the price can be read, got nothing")

    def price(self, workload: Workload) -> ApiPrice:
        """One average request."""
        cached = cached_tokens(workload)
        usd_per_cached = self.usd_per_million_cached_tokens or self.usd_per_million_input_tokens
        usd_per_million_requests = (
            (workload.input_tokens - cached) * self.usd_per_million_input_tokens
            + cached * usd_per_cached
            + workload.output_tokens * self.usd_per_million_output_tokens
        )
        rates = per_million(self.usd_per_million_input_tokens, self.usd_per_million_output_tokens)
        return ApiPrice(
            comparator=self.comparator,
            usd_per_request=usd_per_million_requests / 1_000_000,
            source=f"{self.source} of {self.checked}: {rates}{of_cached(workload, usd_per_cached)}",
            checked=self.checked,
        )


def rates_at(comparator: str, records: Iterable[ApiRates], at: date) -> ApiRates | None:
    """The newest record that was checked by that day."""
    known = [record for record in records if record.comparator == comparator and record.checked <= at]
    return max(known, key=lambda record: record.checked, default=None)


def cached_tokens(workload: Workload) -> Decimal:
    """Of an average request, so not a whole number."""
    return workload.input_tokens * Decimal(repr(workload.cached_share))


def per_million(usd_per_input: Decimal, usd_per_output: Decimal) -> str:
    """`$0.15/$0.60 per million tokens`."""
    return f"{plain_usd(usd_per_input)}/{plain_usd(usd_per_output)} per million tokens"


def of_cached(workload: Workload, usd_per_million: Decimal) -> str:
    """`, $1.25 for the 50 % of input that is cached`; nothing where nothing is."""
    if not workload.cached_share:
        return ""
    percent = (Decimal(repr(workload.cached_share)) * 100).normalize()
    return f", {plain_usd(usd_per_million)} for the {percent:f} % of input that is cached"
