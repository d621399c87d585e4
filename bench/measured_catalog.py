"""The packaged catalogue of measured runs, made from tests/data/throughput_points.json:

    python -m bench.measured_catalog > cli/breakeven/catalog/measured.yaml

Rows without a date, runs with data parallelism inside a server, and what bench.throughput_rows leaves out stay out.
A test compares the file with what this prints.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any, Final

from bench.throughput_gpus import GPUS
from bench.throughput_rows import DATA, sorted_out

_HEAD: Final = """\
# Published runs of inference servers, one server each, for `deploy size` to show beside its estimate.
# Made by bench/measured_catalog.py from tests/data/throughput_points.json; not edited by hand.
# model: the catalogue's record of weights of that shape; ran: what the source calls them.
# measured: as exact as the source says.
# Runs without concurrency are offline, all requests at once: requests/s = output tokens/s ÷ output_tokens. For the
# others the source gives mean TTFT and TPOT: requests/s = concurrency ÷ (TTFT + TPOT × (output_tokens − 1)).
"""
# The source's name → the catalogue's.
_MODELS: Final = {
    "LLaMA-3.1-8B": "meta-llama/Llama-3.1-8B-Instruct",
    "LLaMA-3-70B": "meta-llama/Meta-Llama-3-70B-Instruct",
    "Mistral-7B": "mistralai/Mistral-7B-Instruct-v0.3",
    "Mixtral-8x7B": "mistralai/Mixtral-8x7B-Instruct-v0.1",
    "Mixtral-8x22B": "mistralai/Mixtral-8x22B-Instruct-v0.1",
    "meta-llama/Llama-3.1-70B": "meta-llama/Llama-3.1-70B-Instruct",
    "nvidia/Llama-3.1-8B-Instruct-FP8": "meta-llama/Llama-3.1-8B-Instruct",
}
_PRECISIONS: Final = {"fp16": "bf16", "bf16": "bf16", "fp8": "fp8", "fp4": "mxfp4", "int4": "int4"}
_ENGINES: Final = {"tensorrt-llm": "TensorRT-LLM", "vllm": "vllm"}
_AICONFIGURATOR: Final = (
    "https://github.com/ai-dynamo/aiconfigurator, measured runs shipped with aiconfigurator-core 0.12.0"
)


def text() -> str:
    """The whole file."""
    counted = {row.id for row in sorted_out()[0]}
    records = json.loads((DATA / "throughput_points.json").read_text(encoding="utf-8"))["rows"]
    groups: dict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
    for record in records:
        if record["id"] in counted and record.get("date") and record.get("dp", 1) == 1:
            groups[tuple(_series(record).items())].append(_run(record))
    return _HEAD + "".join(_block(dict(series), runs) for series, runs in groups.items())


def _series(record: dict[str, Any]) -> dict[str, str]:
    url = record["source_url"]
    found = {
        "model": _MODELS.get(record["model"], record["model"]),
        "ran": record["model"],
        "accelerator": GPUS[record["gpu"]].achievable,
        "tensor_parallel_size": str(record["tp"]),
        "precision": _PRECISIONS[record["precision"].lower()],
        "kv_cache_dtype": _kv_cache_dtype(record),
        "engine": _ENGINES[record["engine"]],
        "engine_version": json.dumps(record.get("engine_version") or None),
        "source": url if url.startswith("https://") else _AICONFIGURATOR,
        "measured": json.dumps(record["date"]),
    }
    return {key: value for key, value in found.items() if value != "null"}


def _kv_cache_dtype(record: dict[str, Any]) -> str:
    """TensorRT-LLM keeps the cache of an FP8 checkpoint in FP8: docs/source/performance/perf-overview.md."""
    return "fp8" if record["engine"] == "tensorrt-llm" and record["precision"] == "FP8" else "null"


def _run(record: dict[str, Any]) -> str:
    keys = {"isl": "input_tokens", "osl": "output_tokens", "concurrency": "concurrency", "req_s": "requests_per_second"}
    given = [f"{name}: {record[key]}" for key, name in keys.items() if key in record]
    latencies = [f"{key}: {float(f'{record[key]:.4g}')}" for key in ("ttft_ms", "tpot_ms") if key in record]
    return ", ".join(given + latencies)


def _block(series: dict[str, str], runs: list[str]) -> str:
    lines = [f"{key}: {value}" for key, value in series.items()]
    return "\n  ".join([f"- {lines[0]}", *lines[1:], "runs:", *(f"  - {{{run}}}" for run in runs)]) + "\n"


if __name__ == "__main__":
    print(text(), end="")
