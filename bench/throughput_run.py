"""What a benchmark run would have printed: the model at a steady load, and the conditions of the run around it."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import Final

from bench.throughput_rows import Row

from breakeven.core.calibration import Calibration
from breakeven.core.latency import Requests, cycle, estimate
from breakeven.core.step import StepLoad, step_seconds

# Requests of a run by input and output tokens: docs/source/performance/perf-overview.md of TensorRT-LLM 0.14 and 1.0.
_OFFLINE_REQUESTS: Final = {
    (128, 128): 30000,
    (128, 2048): 3000,
    (128, 4096): 1500,
    (500, 2000): 3000,
    (1000, 1000): 3000,
    (1000, 2000): 1500,
    (2048, 128): 3000,
    (2048, 2048): 1500,
    (5000, 500): 1500,
    (20000, 2000): 1000,
}
# InferenceMAX draws lengths from 80 to 100 % of those stated (random-range-ratio 0.8), and sends ten prompts for each
# of the concurrency: a tenth of them at once, at the start.
_MEAN_LENGTH: Final = 0.9
_FIRST_SHARE: Final = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """In the units of the rows. Latencies are None for an offline run."""

    requests_per_second: float
    ttft_ms: float | None = None
    tpot_ms: float | None = None


def predict(row: Row, k: Calibration) -> Prediction:
    return _closed_loop(row, k) if row.load == "closed loop" else _offline(row, k)


def _closed_loop(row: Row, k: Calibration) -> Prediction:
    """requests/s as the rows derive it: concurrency ÷ (TTFT + TPOT × (output − 1)), with the stated output."""
    share = _MEAN_LENGTH if row.ranges else 1.0
    requests = Requests(input_tokens=row.input_tokens * share, output_tokens=row.output_tokens * share)
    found = estimate(row.replica, requests, row.concurrency, k)
    ttft_s = found.ttft_ms.value / 1e3 + _first_wait_s(row, requests, found.running, k)
    tpot_s = found.tpot_ms.value / 1e3
    return Prediction(
        requests_per_second=row.concurrency / (ttft_s + tpot_s * (row.output_tokens - 1)),
        ttft_ms=ttft_s * 1e3,
        tpot_ms=tpot_s * 1e3,
    )


def _first_wait_s(row: Row, requests: Requests, running: float, k: Calibration) -> float:
    """Prompts that come at once wait for half of them on average."""
    chunk = min(requests.input_tokens, row.replica.max_num_batched_tokens)
    alone = StepLoad(
        decodes=0, decode_context=0, prompt_tokens=chunk, prompt_context=requests.input_tokens / 2, prompts_ended=1
    )
    prefill_s = step_seconds(row.replica, alone, k) * requests.input_tokens / chunk
    return _FIRST_SHARE * running / 2 * prefill_s


def _offline(row: Row, k: Calibration) -> Prediction:
    """All requests at once, admitted only when their whole length has room ("guaranteed no evict").

    Short prompts are taken in together, so that requests run and end in waves, and the last wave may be a small one.
    Long prompts spread the starts, and at the end the batch drains: half of it runs for one more answer's time.
    """
    requests = Requests(input_tokens=row.input_tokens, output_tokens=row.output_tokens)
    total = _OFFLINE_REQUESTS[row.input_tokens, row.output_tokens]
    held = row.replica.sequences_held(row.input_tokens + row.output_tokens)
    running = min(held, row.replica.max_num_seqs, total)
    answer_s = requests.output_tokens * cycle(row.replica, requests, running, k).step_s
    half_s = requests.output_tokens * cycle(row.replica, requests, max(1.0, running / 2), k).step_s
    waves = floor(total / running)
    last = total - waves * running
    in_waves_s = waves * answer_s
    if last >= 1:
        in_waves_s += requests.output_tokens * cycle(row.replica, requests, last, k).step_s
    spread_s = total / running * answer_s + max(0.0, half_s - answer_s / 2)
    steps_to_fill = running * requests.input_tokens / row.replica.max_num_batched_tokens
    spread = min(1.0, steps_to_fill / requests.output_tokens)
    return Prediction(requests_per_second=total / (spread * spread_s + (1 - spread) * in_waves_s))
