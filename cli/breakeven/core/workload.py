"""The traffic that a plan serves, and that the API would be paid for."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.core.units import SECONDS_PER_MONTH, require_positive


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Requests a month of one average shape. The defaults are the brief's example.

    `cached_share` is the part of the input that the prefix cache, or an API's, holds already.
    """

    requests_per_month: int = 1_000_000
    input_tokens: int = 500
    output_tokens: int = 200
    cached_share: float = 0.0

    def __post_init__(self) -> None:
        require_positive(
            requests_per_month=self.requests_per_month,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
        )
        if not 0 <= self.cached_share < 1:
            raise ValueError(f"cached_share must be 0 or above and below 1, got {self.cached_share}")

    @property
    def tokens_per_request(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def mean_requests_per_second(self) -> float:
        return self.requests_per_month / SECONDS_PER_MONTH
