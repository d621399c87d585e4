"""TTFT and TPOT of a server that requests arrive at, at a rate: python -m bench.arrivals

Rows of another kind than those of bench.accuracy_throughput (closed loops and offline runs), which no constant was
fitted on and which were first looked at when the model of queueing stood. They are of TensorRT-LLM, whose front end is
not vLLM's: TTFT is compared without the model's front end.
"""

from __future__ import annotations

import json
from dataclasses import replace
from math import log
from typing import Any, Final

from bench.accuracy_throughput import line
from bench.throughput_rows import DATA

from breakeven import load
from breakeven.core.calibration import CALIBRATION
from breakeven.core.engine_args import EngineArgs
from breakeven.core.latency import TTFT_BAND, Requests
from breakeven.core.memory import kv_cache
from breakeven.core.replica import Replica
from breakeven.core.sizing import at_rate
from breakeven.core.throughput import replica

_HEAD: Final = f"{'':58}  rows  median |e|  ±30 %    2 ×   bias  in band"


def errors() -> dict[str, list[float]]:
    """Logarithms of predicted ÷ measured."""
    rows = json.loads((DATA / "arrival_points.json").read_text(encoding="utf-8"))["rows"]
    found: dict[str, list[float]] = {"TTFT without the front end": [], "TPOT": []}
    for row in rows:
        ttft_ms, tpot_ms = _predicted(row)
        found["TTFT without the front end"].append(log(ttft_ms / row["ttft_ms"]))
        found["TPOT"].append(log(tpot_ms / row["tpot_ms"]))
    return found


def _predicted(row: dict[str, Any]) -> tuple[float, float]:
    requests = Requests(input_tokens=row["input_tokens"], output_tokens=row["output_tokens"])
    found = at_rate(_server(row), requests, row["requests_per_second"])
    if found is None:
        raise ValueError(f"more than the model says that it serves: {row}")
    front_end_ms = (CALIBRATION.request_s + CALIBRATION.prompt_token_s * requests.input_tokens) * 1e3
    return found.ttft_ms.value - front_end_ms, found.tpot_ms.value


def _server(row: dict[str, Any]) -> Replica:
    model, accelerator = load.model(row["model"]), load.accelerators()[row["accelerator"]]
    tp = row["tensor_parallel_size"]
    args = EngineArgs(tensor_parallel_size=tp, max_model_len=row["input_tokens"] + row["output_tokens"])
    return replace(replica(model, accelerator, kv_cache(model, accelerator, args), tp), max_num_seqs=2048)


def table() -> list[str]:
    found = errors()
    ttft, tpot = found.items()
    return [_HEAD, line(ttft[0], ttft[1], TTFT_BAND), line(*tpot)]


if __name__ == "__main__":
    print("\n".join(table()))
