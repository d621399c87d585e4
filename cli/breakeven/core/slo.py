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
# A load is found when the objective is used up but for one part in 10,000; false position takes six steps or so.
_SLACK: Final = 1e-4
_MOST_STEPS: Final = 24

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

    def used(self, found: Estimate) -> float:
        """The larger share of an objective that is used up; above 1 one is broken."""
        ttft, tpot = found.ttft_p99_ms.value, found.tpot_ms.value
        return max(ttft / self.ttft_p99_ms if self.ttft_p99_ms else 0.0, tpot / self.tpot_ms if self.tpot_ms else 0.0)

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
    alone = estimate(replica, requests, 1.0, k)
    if slo.broken_by(alone):
        return SloCapacity(estimate=None, bound="unreachable")
    return _largest(replica, requests, slo, k, alone, best)


def _largest(
    replica: Replica, requests: Requests, slo: Slo, k: Calibration, kept: Estimate, broken: Estimate
) -> SloCapacity:
    """The load at which the objective is used up, between one that keeps it and one that breaks it.

    What is used up rises with the load, so false position finds it (Illinois: an end that stays counts half).
    """
    below, above = slo.used(kept) - 1, slo.used(broken) - 1
    kept_last: bool | None = None
    for _ in range(_MOST_STEPS):
        low, high = kept.concurrency, broken.concurrency
        found = estimate(replica, requests, (low * above - high * below) / (above - below), k)
        used = slo.used(found) - 1
        if used > 0:
            broken, above = found, used
            below /= 2 if kept_last is False else 1
        else:
            kept, below = found, used
            above /= 2 if kept_last else 1
        kept_last = used <= 0
        if -_SLACK < used <= 0 or broken.concurrency - kept.concurrency < _SLACK * high:
            break
    return SloCapacity(estimate=kept, bound=slo.broken_by(broken) or "tpot")


def _mean_below(limit: float) -> float:
    """The mean n with n + 2.33 √n = limit."""
    root = (-_Z99 + sqrt(_Z99 * _Z99 + 4 * limit)) / 2
    return root * root
