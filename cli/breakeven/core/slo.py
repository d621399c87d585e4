"""Capacity under a latency objective, which is neither saturated throughput nor what the KV cache holds."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final, Literal

from breakeven.core.calibration import CALIBRATION, Calibration
from breakeven.core.latency import Estimate, Requests, estimate, most_running
from breakeven.core.replica import Replica
from breakeven.core.units import require_positive

# 99 % of a normal distribution lies below its mean + 2.33 σ; requests in an open system are a Poisson count: σ = √n.
_Z99: Final = 2.33
# Halvings of the range in which the answer lies: to within 1 part in 2,000 of what the replica can run.
_HALVINGS: Final = 11

# The objective under which SilyBench counts the users of Qwen3-8B on one H100 (vLLM 0.30): the slowest of 100 first
# tokens within 2 s, and the median time per token within 50 ms.
TTFT_P99_MS: Final = 2000.0
TPOT_MS: Final = 50.0

Bound = Literal["ttft_p99", "tpot", "kv_cache", "max_num_seqs", "unreachable"]


@dataclass(frozen=True, kw_only=True)
class Slo:
    """What must hold: the slowest of 100 first tokens, and the usual pace after it. None asks for nothing."""

    ttft_p99_ms: float | None = TTFT_P99_MS
    tpot_ms: float | None = TPOT_MS

    def __post_init__(self) -> None:
        require_positive(ttft_p99_ms=self.ttft_p99_ms, tpot_ms=self.tpot_ms)

    def __str__(self) -> str:
        """`TTFT p99 2,000 ms and TPOT 50 ms`."""
        asked = (("TTFT p99", self.ttft_p99_ms), ("TPOT", self.tpot_ms))
        return " and ".join(f"{name} {ms:,g} ms" for name, ms in asked if ms is not None) or "no latency objective"

    def broken_by(self, found: Estimate) -> Bound | None:
        """The first objective that does not hold."""
        if self.ttft_p99_ms is not None and found.ttft_p99_ms.value > self.ttft_p99_ms:
            return "ttft_p99"
        if self.tpot_ms is not None and found.tpot_ms.value > self.tpot_ms:
            return "tpot"
        return None


@dataclass(frozen=True, kw_only=True)
class SloCapacity:
    """The most that keeps the objective, and what gives out first; None where it cannot be kept at any load."""

    estimate: Estimate | None
    bound: Bound


def slo_capacity(replica: Replica, requests: Requests, slo: Slo, k: Calibration = CALIBRATION) -> SloCapacity:
    """For requests that arrive at random: the mean number running leaves room for its own variation."""
    limit = most_running(replica, requests)
    by_memory = limit < replica.max_num_seqs
    most = max(1.0, _mean_below(limit))
    best = estimate(replica, requests, most, k)
    bound = slo.broken_by(best)
    if bound is None:
        return SloCapacity(estimate=best, bound="kv_cache" if by_memory else "max_num_seqs")
    if slo.broken_by(estimate(replica, requests, 1.0, k)):
        return SloCapacity(estimate=None, bound="unreachable")
    return _largest(replica, requests, slo, k, most, bound)


def _largest(replica: Replica, requests: Requests, slo: Slo, k: Calibration, most: float, bound: Bound) -> SloCapacity:
    """Bisect between one request, which keeps the objective, and `most`, which breaks it."""
    low, high = 1.0, most
    best = None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        found = estimate(replica, requests, middle, k)
        broken = slo.broken_by(found)
        if broken:
            high, bound = middle, broken
        else:
            low, best = middle, found
    return SloCapacity(estimate=best or estimate(replica, requests, 1.0, k), bound=bound)


def _mean_below(limit: float) -> float:
    """The mean n with n + 2.33 √n = limit."""
    root = (-_Z99 + sqrt(_Z99 * _Z99 + 4 * limit)) / 2
    return root * root
