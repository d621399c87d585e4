"""The traffic that a plan serves, and that the API would be paid for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from breakeven.core.units import SECONDS_PER_MONTH, require_positive

# All requests of a month within 44 minutes: what is beyond it is a typing error.
_MOST_PEAK: Final = 1000


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Requests a month of one average shape. The defaults are the brief's example, taken as level.

    `cached_share` is the part of the input that the prefix cache, or an API's, holds already. `peak_to_mean` is the
    traffic of the busiest time ÷ its mean: capacity is bought for the peak.
    """

    requests_per_month: int = 1_000_000
    input_tokens: int = 500
    output_tokens: int = 200
    cached_share: float = 0.0
    peak_to_mean: float = 1.0

    def __post_init__(self) -> None:
        require_positive(
            requests_per_month=self.requests_per_month,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
        )
        if not 0 <= self.cached_share < 1:
            raise ValueError(f"cached_share must be 0 or above and below 1, got {self.cached_share}")
        if not 1 <= self.peak_to_mean <= _MOST_PEAK:
            raise ValueError(f"peak_to_mean must be from 1 to {_MOST_PEAK:,}, got {self.peak_to_mean}")

    @property
    def tokens_per_request(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def mean_requests_per_second(self) -> float:
        return self.requests_per_month / SECONDS_PER_MONTH

    @property
    def peak_requests_per_second(self) -> float:
        return self.mean_requests_per_second * self.peak_to_mean
