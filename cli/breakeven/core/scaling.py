"""Between how many replicas a deployment may move with its traffic."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.core.units import require_not_negative, require_positive


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """`max_replicas` is what the peak needs where it is None.

    Serverless, `min_replicas` are kept warm, and `cold_starts_per_month` replaces what follows from the traffic. On
    rented nodes at least one runs, unless `chart.autoscaler.wake_query` says what wakes a server.
    """

    min_replicas: int = 0
    max_replicas: int | None = None
    cold_starts_per_month: int | None = None

    def __post_init__(self) -> None:
        require_not_negative(min_replicas=self.min_replicas, cold_starts_per_month=self.cold_starts_per_month)
        require_positive(max_replicas=self.max_replicas)
        if self.max_replicas is not None and self.min_replicas > self.max_replicas:
            raise ValueError(
                f"min_replicas must be at most max_replicas, got {self.min_replicas:,} and {self.max_replicas:,}"
            )
