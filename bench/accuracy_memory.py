"""KV cache estimates against startup logs of vLLM, by family: `python -m bench.accuracy_memory`.

Twice: with the KV memory that the log states, which tests the arithmetic of blocks; and without it, which tests the
estimate of weights and overheads too. Llama and Code Llama are what the overheads' constants were taken from; the other
families only test them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Final

from breakeven import load
from breakeven.core.engine_args import EngineArgs
from breakeven.core.memory import MemoryFit, kv_cache
from breakeven.core.overhead import cuda_graph_gib
from breakeven.core.precision import Precision
from breakeven.errors import InputError

POINTS: Final = Path(__file__).parents[1] / "tests" / "data" / "kv_cache_points.json"

# Quantised copies → the catalogue's model and the precision that they are in.
_COPIES: Final[dict[str, tuple[str, Precision]]] = {
    "RedHatAI/Llama-3.3-70B-Instruct-fp8-dynamic": ("meta-llama/Llama-3.3-70B-Instruct", "fp8"),
    "RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w4a16": ("meta-llama/Llama-3.1-8B-Instruct", "int4"),
    "RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w8a8": ("meta-llama/Llama-3.1-8B-Instruct", "int8"),
    "RedHatAI/Mistral-Small-3.1-24B-Instruct-2503-quantized.w8a8": (
        "mistralai/Mistral-Small-3.1-24B-Instruct-2503",
        "int8",
    ),
    "RedHatAI/Qwen2.5-7B-Instruct-fp8-dynamic": ("Qwen/Qwen2.5-7B-Instruct", "fp8"),
    "RedHatAI/Qwen2.5-7B-Instruct-quantized.w8a8": ("Qwen/Qwen2.5-7B-Instruct", "int8"),
    "redhatai/Llama-3.3-70B-Instruct-quantized.w8a8": ("meta-llama/Llama-3.3-70B-Instruct", "int8"),
}

# Families whose logs gave the constants of core/overhead.py.
CALIBRATION: Final = ("Llama 3.1", "Llama 3.3", "Code Llama")

# Failed starts whose reason the configuration shows.
REFUSED: Final = {
    "llmd-microsoft-phi-2--h100-80gb--tp1pp1dp1--8192.FAILED": (8192, 1),
    "llmd-qwen-qwen3-14b--h100-80gb--tp5pp1dp1--8192.FAILED": (8192, 5),
}


@dataclass(frozen=True, kw_only=True)
class Point:
    """Relative errors of one start, and GiB by which the estimates of KV memory and graphs are above the log.

    Version 0.19 does not subtract the graphs; the estimate of them is that for later versions.
    """

    id: str
    family: str
    tokens_given: float
    concurrency_given: float
    tokens: float
    kv_gib: float
    graphs_gib: float
    is_moe: bool


def rows() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(POINTS.read_text(encoding="utf-8"))["rows"]
    return found


def points() -> list[Point]:
    """All starts that logged tokens, two of which failed later."""
    return [_point(row) for row in rows() if row["kv_tokens"] is not None]


def fit(row: dict[str, Any], *, given: bool) -> MemoryFit:
    """The estimate for a row's configuration; with the logged KV memory, the least of its ranks, if `given`."""
    model, precision = _model(row)
    args = EngineArgs(
        tensor_parallel_size=row["tp"],
        pipeline_parallel_size=row["pp"],
        precision=precision,
        dtype=row["dtype"],
        kv_cache_dtype=row["kv_cache_dtype"],
        max_model_len=row["max_model_len"],
        max_num_seqs=row["max_num_seqs"],
        max_num_batched_tokens=row["max_num_batched_tokens"],
        gpu_memory_utilization=row["gpu_memory_utilization"],
        vllm_version=row["vllm_version"],
    )
    known = replace(args, kv_cache_memory_gib=_logged_gib(row)) if given else args
    return kv_cache(load.models()[model], load.accelerators()["h100-80gb"], known)


def refusal(row_id: str) -> str:
    """Why a configuration that could not start is refused; empty if it is not."""
    row = next(row for row in rows() if row["id"] == row_id)
    length, tp = REFUSED[row_id]
    args = EngineArgs(tensor_parallel_size=tp, max_model_len=length, vllm_version="0.19.0")
    try:
        kv_cache(load.models()[row["model"]], load.accelerators()["h100-80gb"], args)
    except InputError as error:
        return str(error)
    return ""


def _model(row: dict[str, Any]) -> tuple[str, Precision | None]:
    if row["model"] in _COPIES:
        return _COPIES[row["model"]]
    return row["model"], "fp8" if row["quantization"] == "fp8" else None


def _logged_gib(row: dict[str, Any]) -> tuple[float, ...]:
    """As logged by the first rank; where ranks differ, each one's from its own activation peak."""
    peaks = row["activation_peak_gib"]
    if not isinstance(peaks, list):
        return (row["kv_available_gib"],)
    usable = row["gpu_total_gib"] * row["gpu_memory_utilization"]
    return tuple(usable - row["weights_gib"] - row["non_torch_gib"] - peak for peak in peaks)


def _point(row: dict[str, Any]) -> Point:
    given, own = fit(row, given=True), fit(row, given=False)
    model = load.models()[_model(row)[0]]
    parallel = EngineArgs(tensor_parallel_size=row["tp"], pipeline_parallel_size=row["pp"])
    return Point(
        id=row["id"],
        family=model.family,
        tokens_given=given.kv_tokens / row["kv_tokens"] - 1,
        concurrency_given=given.concurrency / row["max_concurrency_x"] - 1,
        tokens=own.kv_tokens / row["kv_tokens"] - 1,
        kv_gib=own.kv_gib - min(_logged_gib(row)),
        graphs_gib=cuda_graph_gib(model, parallel) - row["cuda_graph_gib"],
        is_moe=model.is_moe,
    )


def within(errors: Iterable[float], limit: float) -> float:
    """Share of the errors that are at most `limit`, either way."""
    all_ = list(errors)
    return sum(abs(error) <= limit for error in all_) / len(all_)


def table(found: Sequence[Point]) -> str:
    """Markdown: a row a family, then those that gave constants, the others, and all."""
    families: dict[str, list[Point]] = {}
    for point in found:
        families.setdefault(point.family, []).append(point)
    calibration = [point for point in found if point.family in CALIBRATION]
    others = [point for point in found if point.family not in CALIBRATION]
    lines = [
        "| family | starts | given KV memory: within 0.3 % | worst | estimated: median | worst | within 5 % | GiB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_line(family, families[family]) for family in sorted(families)]
    lines += [_line("**gave constants**", calibration), _line("**others**", others), _line("**all**", found)]
    return "\n".join(lines)


def _line(name: str, found: Sequence[Point]) -> str:
    given = [point.tokens_given for point in found]
    own = [point.tokens for point in found]
    gib = [point.kv_gib for point in found]
    return (
        f"| {name} | {len(found)} | {within(given, 0.003):.0%} | {_worst(given):+.3%} | {median(map(abs, own)):.2%} "
        f"| {_worst(own):+.2%} | {within(own, 0.05):.0%} | {min(gib):+.2f} to {max(gib):+.2f} |"
    )


def _worst(errors: Sequence[float]) -> float:
    return max(errors, key=abs)


def microseconds(run: Callable[[], object], rounds: int = 2000) -> float:
    """Mean of one call."""
    from bench.harness import timed

    return timed(lambda: [run() for _ in range(rounds)]) / rounds * 1e6


def main() -> None:
    """Print the table, the refusals, what was left out and the time of one estimate."""
    found = points()
    print(table(found))
    print(f"\nConcurrency at max_model_len within 0.5 %: {within((p.concurrency_given for p in found), 0.005):.0%}")
    for kind, moe in (("dense", False), ("experts", True)):
        graphs = [point.graphs_gib for point in found if point.is_moe is moe]
        print(f"CUDA graphs, {kind}: {min(graphs):+.2f} to {max(graphs):+.2f} GiB above the log")
    for row_id in REFUSED:
        print(f"refused: {refusal(row_id)}")
    left_out = [row["id"] for row in rows() if row["outcome"] == "failed" and row["id"] not in REFUSED]
    print(f"left out, failed for other reasons: {', '.join(left_out)}")
    model, accelerator = load.models()["google/gemma-3-27b-it"], load.accelerators()["h100-80gb"]
    print(f"one estimate: {microseconds(lambda: kv_cache(model, accelerator)):.0f} µs")


if __name__ == "__main__":
    main()
