"""How well the throughput model does on measured rows of a data family that its constants were not fitted on.

    python -m bench.accuracy_throughput            print the table (fits anew: about 15 s)
    python -m bench.accuracy_throughput --write    also store the constants of each fold, for the tests

Nothing here asserts anything: tests/core/test_throughput_accuracy.py does, on the stored constants.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from math import exp, log
from statistics import fmean, median
from typing import Final

from bench.harness import machine
from bench.throughput_fit import fit, guess
from bench.throughput_rows import DATA, Row, sorted_out
from bench.throughput_rows import rows as all_rows
from bench.throughput_run import predict

from breakeven.core.calibration import CALIBRATION, Calibration
from breakeven.core.latency import RATE_BAND, TTFT_BAND, estimate
from breakeven.core.slo import Slo, slo_capacity
from breakeven.core.throughput import Requests

FOLDS: Final = DATA / "throughput_folds.json"
_HEAD: Final = f"{'':58}  rows  median |e|  ±30 %    2 ×   bias  in band"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One row, and the natural logarithm of predicted ÷ measured. Latencies are None where a row states none."""

    row: Row
    rate: float
    ttft: float | None
    tpot: float | None


def fits(rows: Sequence[Row]) -> dict[str, Calibration]:
    """By family: the constants fitted on all the others. A row of its own family repeats another's table: not used."""
    sizes = Counter(row.family for row in rows)
    return {family: fit([row for row in rows if row.family != family and sizes[row.family] > 1]) for family in sizes}


def left_out(rows: Iterable[Row], folds: dict[str, Calibration]) -> list[Outcome]:
    """Each row with the constants of the fold that never saw its family."""
    return [outcome(row, folds[row.family]) for row in rows]


def outcome(row: Row, k: Calibration) -> Outcome:
    found = predict(row, k)
    return Outcome(
        row=row,
        rate=log(found.requests_per_second / row.requests_per_second),
        ttft=log(found.ttft_ms / row.ttft_ms) if found.ttft_ms and row.ttft_ms else None,
        tpot=log(found.tpot_ms / row.tpot_ms) if found.tpot_ms and row.tpot_ms else None,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """Shares, not per cent. `bias` is the median's."""

    rows: int
    median_error: float
    within_30: float
    within_2x: float
    bias: float
    in_band: float


def score(errors: Sequence[float], band: float = RATE_BAND) -> Score:
    off = [abs(exp(error) - 1) for error in errors]
    return Score(
        rows=len(errors),
        median_error=median(off),
        within_30=fmean(error <= 0.30 for error in off),
        within_2x=fmean(abs(error) <= log(2) for error in errors),
        bias=exp(median(errors)) - 1,
        in_band=fmean(abs(error) <= log(band) for error in errors),
    )


def line(name: str, errors: Sequence[float], band: float = RATE_BAND) -> str:
    s = score(errors, band)
    return (
        f"{name:58} {s.rows:5} {s.median_error:10.1%} {s.within_30:7.1%} {s.within_2x:6.1%} {s.bias:+6.1%} "
        f"{s.in_band:8.1%}"
    )


def table(tests: Sequence[Outcome]) -> list[str]:
    """requests/s, by family × dense or MoE × accelerator, then the sums that the aims are about."""
    lines = [_HEAD]
    groups: dict[str, list[float]] = {}
    for found in tests:
        groups.setdefault(_group(found.row), []).append(found.rate)
    lines += [line(name, groups[name]) for name in sorted(groups)]
    for name, wanted in _SUMS.items():
        lines.append(line(name, [found.rate for found in tests if wanted(found.row)]))
    lines.append(line("TPOT of closed-loop rows", [found.tpot for found in tests if found.tpot is not None]))
    lines.append(line("TTFT of closed-loop rows", [t.ttft for t in tests if t.ttft is not None], TTFT_BAND))
    return lines


_SUMS: Final[dict[str, Callable[[Row], bool]]] = {
    "all TensorRT-LLM 0.14": lambda row: row.family.endswith("v0.14"),
    "all TensorRT-LLM 1.0": lambda row: row.family.endswith("v1.0"),
    "all vLLM": lambda row: row.load == "closed loop",
    "dense": lambda row: not row.moe,
    "MoE": lambda row: row.moe,
    "all": lambda row: True,
}


def _group(row: Row) -> str:
    short = row.family.replace("TensorRT-LLM perf-overview", "TensorRT-LLM").split(" via ")[0]
    return f"{short} · {'MoE' if row.moe else 'dense'} · {row.gpu.name}"


def load_folds() -> dict[str, Calibration]:
    stored = json.loads(FOLDS.read_text(encoding="utf-8"))
    return {family: Calibration(**constants) for family, constants in stored.items()}


def _store(folds: dict[str, Calibration]) -> None:
    rounded = {
        family: {name: float(f"{value:.4g}") for name, value in asdict(k).items()} for family, k in folds.items()
    }
    FOLDS.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


def speed(rows: Sequence[Row]) -> list[str]:
    """Of one core: estimates of different replicas per second, and the time of one's capacity within an objective."""
    requests = Requests(input_tokens=1000, output_tokens=300)
    plans = _seconds(lambda row: estimate(row.replica, requests, 32), rows)
    slo = _seconds(lambda row: slo_capacity(row.replica, requests, Slo()), rows)
    return [f"estimates a second: {1 / plans:,.0f}", f"capacity within a latency objective: {slo * 1e3:.2f} ms"]


def _seconds(run: Callable[[Row], object], rows: Sequence[Row]) -> float:
    """The best of five passes over the rows, per row."""
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        for row in rows:
            run(row)
        best = min(best, time.perf_counter() - started)
    return best / len(rows)


def main(arguments: Sequence[str]) -> None:
    rows, reasons = sorted_out()
    print(f"{len(rows)} rows; left out:")
    for reason, count in reasons.items():
        print(f"  {count:3}  {reason}")
    folds = fits(rows)
    if "--write" in arguments:
        _store(folds)
    print("\nLeave one family out: predicted ÷ measured requests/s\n" + "\n".join(table(left_out(rows, folds))))
    everything = [outcome(row, folds[row.family]).rate for row in all_rows()]
    print(line("no row left out, not even the impossible", everything))
    print("\nFirst guesses, no row fitted\n" + "\n".join(table([outcome(row, guess()) for row in rows])[-8:]))
    print("\nConstants: shipped, first guess, and of the folds " + ", ".join(folds))
    for name, value in asdict(CALIBRATION).items():
        others = [getattr(guess(), name), *(getattr(k, name) for k in folds.values())]
        print(f"  {name:24} {value:8.3g}  " + "  ".join(f"{other:8.3g}" for other in others))
    print("\n" + machine())
    print("\n".join(speed(rows)))


if __name__ == "__main__":
    main(sys.argv[1:])
