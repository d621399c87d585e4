"""Throughput and latency of one replica at a steady load: how steps follow one another, and who waits for whom.

Requests of one shape run `running` at a time. Each brings a prompt, which is taken in by chunks among the others'
decode steps (chunked prefill), and then decodes one token a step. All figures are means unless they say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log, sqrt
from typing import Final

from breakeven.core.calibration import CALIBRATION, Calibration
from breakeven.core.replica import Replica
from breakeven.core.step import StepLoad, step_seconds
from breakeven.core.units import require_positive

# Factors that nine in ten measured rows lie within, when their data family is left out of the fit:
# docs/accuracy-throughput.md, printed by bench/accuracy_throughput.py.
RATE_BAND: Final = 1.3
TTFT_BAND: Final = 1.7
# No row states a 99th percentile: the mean's band, twice on the logarithmic scale.
TTFT_P99_BAND: Final = TTFT_BAND**2
# A prompt never gets less of a step than this, however many sequences decode.
_LEAST_CHUNK: Final = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """An estimate, and the factor by which the truth may lie above or below it."""

    value: float
    band: float

    @property
    def low(self) -> float:
        return self.value / self.band

    @property
    def high(self) -> float:
        return self.value * self.band


@dataclass(frozen=True, kw_only=True)
class Requests:
    """One shape of request. `cached_share` is the part of the prompt that the prefix cache holds already."""

    input_tokens: float
    output_tokens: float
    cached_share: float = 0.0

    def __post_init__(self) -> None:
        require_positive(input_tokens=self.input_tokens, output_tokens=self.output_tokens)
        if not 0 <= self.cached_share < 1:
            raise ValueError(f"cached_share must be 0 or above and below 1, got {self.cached_share}")

    @property
    def new_tokens(self) -> float:
        """Prompt tokens that are computed: the last one always is."""
        return max(1.0, self.input_tokens * (1 - self.cached_share))

    @property
    def held_tokens(self) -> float:
        """Context of a request halfway through its answer."""
        return self.input_tokens + self.output_tokens / 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Cycle:
    """The steady mix of steps. `step_s` is their mean, per output token of each running request.

    `mixed_share` of them are mixed: they take in a chunk of `chunk_tokens`. A full step would take in all the
    `full_chunk_tokens` that there is room for.
    """

    step_s: float
    mixed_share: float
    decode_step_s: float
    mixed_step_s: float
    full_step_s: float
    chunk_tokens: float
    full_chunk_tokens: float


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Of one replica. `running` of the `concurrency` requests that are open are in the engine, the rest wait.

    TTFT includes that wait. Tokens per second count what is generated, and what is read and generated.
    """

    concurrency: float
    running: float
    requests_per_second: Figure
    output_tokens_per_second: Figure
    total_tokens_per_second: Figure
    ttft_ms: Figure
    ttft_p99_ms: Figure
    tpot_ms: Figure


def most_running(replica: Replica, requests: Requests) -> float:
    """Requests that fit at once: by max_num_seqs, and by the KV cache at their mean context."""
    return min(replica.max_num_seqs, replica.sequences_held(requests.held_tokens))


def cycle(replica: Replica, requests: Requests, running: float, k: Calibration = CALIBRATION) -> Cycle:
    """Each running request's `output_tokens` steps take in one prompt between them, be the steps longer for it.

    Pipeline stages work on one share of the sequences each, and a token passes through all of them.
    """
    stages = replica.pipeline_parallel_size
    decodes = running / stages
    prompt_tokens = decodes * requests.new_tokens / requests.output_tokens
    room = max(replica.max_num_batched_tokens - decodes, _LEAST_CHUNK)
    chunk = max(min(requests.new_tokens, room), prompt_tokens)
    decode_s = stages * step_seconds(replica, StepLoad(decodes=decodes, decode_context=requests.held_tokens), k)
    mixed_s = stages * step_seconds(replica, _mixed(requests, decodes, chunk), k)
    full_s = mixed_s if chunk == room else stages * step_seconds(replica, _mixed(requests, decodes, room), k)
    share = prompt_tokens / chunk
    return Cycle(
        step_s=(1 - share) * decode_s + share * mixed_s,
        mixed_share=share,
        decode_step_s=decode_s,
        mixed_step_s=mixed_s,
        full_step_s=full_s,
        chunk_tokens=chunk,
        full_chunk_tokens=room,
    )


def _mixed(requests: Requests, decodes: float, chunk: float) -> StepLoad:
    return StepLoad(
        decodes=decodes,
        decode_context=requests.held_tokens,
        prompt_tokens=chunk,
        prompt_context=requests.input_tokens - requests.new_tokens / 2,
        prompts_ended=chunk / requests.new_tokens,
    )


def estimate(
    replica: Replica, requests: Requests, concurrency: float | None = None, k: Calibration = CALIBRATION
) -> Estimate:
    """At so many open requests, each replaced when it ends; without `concurrency`, saturated: as many as fit.

    Saturated, a place is taken again the moment it is free, and the way over HTTP costs nothing.
    """
    limit = most_running(replica, requests)
    saturated = concurrency is None
    concurrency = limit if concurrency is None else max(1.0, concurrency)
    running = min(concurrency, limit)
    steps = cycle(replica, requests, running, k)
    ttft, p99 = _ttft_s(requests, running, steps, k)
    residence = ttft + steps.step_s * (requests.output_tokens - 1)
    rate = running / (steps.step_s * requests.output_tokens if saturated else residence)
    waiting = (concurrency - running) / rate
    return _estimate(requests, concurrency, running, rate, (ttft + waiting, p99 + waiting, steps.step_s))


def _estimate(
    requests: Requests, concurrency: float, running: float, rate: float, seconds: tuple[float, float, float]
) -> Estimate:
    ttft, p99, tpot = seconds
    tokens = requests.input_tokens + requests.output_tokens
    return Estimate(
        concurrency=concurrency,
        running=running,
        requests_per_second=Figure(value=rate, band=RATE_BAND),
        output_tokens_per_second=Figure(value=rate * requests.output_tokens, band=RATE_BAND),
        total_tokens_per_second=Figure(value=rate * tokens, band=RATE_BAND),
        ttft_ms=Figure(value=ttft * 1e3, band=TTFT_BAND),
        ttft_p99_ms=Figure(value=p99 * 1e3, band=TTFT_P99_BAND),
        tpot_ms=Figure(value=tpot * 1e3, band=RATE_BAND),
    )


def _ttft_s(requests: Requests, running: float, steps: Cycle, k: Calibration) -> tuple[float, float]:
    """Mean and 99th percentile: the front end, the step under way, other prompts, and the prompt's own chunks.

    Prompts that arrive at random queue for the room in the steps, where one takes `service` seconds: an M/D/1 queue
    (Pollaczek and Khinchine). Who waits does so for service ÷ 2(1 − ρ) on average, with an exponential tail (Kingman):
    P(wait > t) ≈ ρ exp(−t ÷ that). Every part grows with the load.
    """
    chunks = max(1.0, requests.new_tokens / steps.chunk_tokens)
    own = chunks * steps.mixed_step_s + (ceil(chunks) - chunks) * steps.decode_step_s
    under_way = _under_way_s(steps)
    fixed = k.request_s + k.prompt_token_s * requests.input_tokens + own
    service = requests.new_tokens / steps.full_chunk_tokens * steps.full_step_s
    alone = fixed + under_way / 2 + steps.step_s * (requests.output_tokens - 1)
    busy = _busy(running, alone / service)
    waits = service / (2 * (1 - busy))
    tail = waits * log(busy / 0.01) if busy > 0.01 else 0.0
    return fixed + under_way / 2 + busy * waits, fixed + under_way + max(tail, busy * waits)


def _under_way_s(steps: Cycle) -> float:
    """Whole length of the step that an arrival meets: long ones more often than short ones, E[s²] ÷ E[s]."""
    share = steps.mixed_share
    mean = (1 - share) * steps.decode_step_s + share * steps.mixed_step_s
    return ((1 - share) * steps.decode_step_s**2 + share * steps.mixed_step_s**2) / mean


def _busy(running: float, alone: float) -> float:
    """ρ = λ × service, of so many running that take `alone` × service each beside the wait.

    Little's law, λ × (alone × service + ρ ÷ 2(1 − ρ) × service) = running, makes it
    (1 − 2 alone) ρ² + 2 (alone + running) ρ = 2 running.
    """
    a, b = 1 - 2 * alone, alone + running
    # The root between 0 and 1, written so that it holds for a = 0 too.
    return 2 * running / (b + sqrt(b * b + 2 * a * running))
