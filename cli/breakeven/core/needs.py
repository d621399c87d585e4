"""What a product needs beyond tokens, and from which traffic on a server of one's own is worth a thought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from breakeven.core.units import require_positive

# The product brief's thresholds, in requests a month.
API_BELOW_REQUESTS: Final = 100_000
BREAK_EVEN_ABOVE_REQUESTS: Final = 500_000


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The answers to the decision's questions before price, and its thresholds in requests a month.

    privacy: prompts must not leave. offline: it must answer without the internet. fine_tuning: with weights of one's
    own. latest_model: only the newest proprietary model will do. ml_team: somebody can run a model server.
    """

    privacy: bool = False
    offline: bool = False
    fine_tuning: bool = False
    latest_model: bool = False
    ml_team: bool = True
    api_below_requests_per_month: int = API_BELOW_REQUESTS
    break_even_above_requests_per_month: int = BREAK_EVEN_ABOVE_REQUESTS

    def __post_init__(self) -> None:
        require_positive(
            api_below_requests_per_month=self.api_below_requests_per_month,
            break_even_above_requests_per_month=self.break_even_above_requests_per_month,
        )
        if self.api_below_requests_per_month > self.break_even_above_requests_per_month:
            raise ValueError("api_below_requests_per_month must be at most break_even_above_requests_per_month")
