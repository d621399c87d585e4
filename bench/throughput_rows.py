"""The measured rows of tests/data/throughput_points.json as replicas and loads, and which of them are left out.

A row states engine, model, GPU, parallelism, precision and load. What it does not state (memory left for KV cache,
number of requests, spread of lengths) is taken from how its source says that it measured.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from bench.throughput_gpus import GPUS, Gpu

from breakeven.core.matmul import achievable_share
from breakeven.core.replica import AcceleratorSpeed, ModelShape, Replica
from breakeven.core.units import GIB

DATA: Final = Path(__file__).parents[1] / "tests" / "data"

Load = Literal["offline", "closed loop"]


# Bytes per weight of experts or of a dense model, and of what else there is in a mixture: gpt-oss (mxfp4) and Kimi
# (int4) keep attention in bf16, see their config.json. Scales add to the half byte: one of 8 bits for 32 weights in
# mxfp4, one of 16 bits in int4.
_WIDTHS: Final = {"fp16": (2.0, 2.0), "bf16": (2.0, 2.0), "fp8": (1.0, 1.0), "fp4": (0.53, 2.0), "int4": (0.56, 2.0)}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measurement. `ranges` says that lengths were drawn from 80 to 100 % of those stated: see throughput_run."""

    id: str
    family: str
    model: str
    moe: bool
    gpu: Gpu
    replica: Replica
    load: Load
    input_tokens: int
    output_tokens: int
    concurrency: float
    requests_per_second: float
    ttft_ms: float | None
    tpot_ms: float | None
    ranges: bool


@cache
def rows() -> tuple[Row, ...]:
    """All of them, in the file's order."""
    document = json.loads((DATA / "throughput_points.json").read_text(encoding="utf-8"))
    return tuple(_row(record) for record in document["rows"])


def sorted_out() -> tuple[list[Row], Counter[str]]:
    """Rows that count, and how many do not, by reason."""
    kept: list[Row] = []
    reasons: Counter[str] = Counter()
    seen: set[tuple[object, ...]] = set()
    for row in rows():
        reason = _reason_against(row, seen)
        if reason:
            reasons[reason] += 1
        else:
            kept.append(row)
    return kept, reasons


def _reason_against(row: Row, seen: set[tuple[object, ...]]) -> str | None:
    """None of the reasons asks the model that is tested, only the row itself and the datasheet."""
    if row.ttft_ms is None or row.tpot_ms is None:
        return None
    if "Qwen3-235B" in row.model:
        return "vLLM Qwen3-235B-A22B-FP8: equal keys carry different figures; a parallelism field is missing"
    latencies = (round(row.tpot_ms, 1), round(row.ttft_ms))
    run = (row.model, row.gpu, row.replica, row.input_tokens, row.output_tokens, row.concurrency, latencies)
    if run in seen:
        return "the same run, shipped in a second file"
    seen.add(run)
    if _running(row) < 0.5 * min(row.concurrency, row.replica.sequences_held(row.input_tokens)):
        return "TTFT, TPOT and concurrency say that less than half ran: a limit on sequences that is not stated"
    if _least_read_s(row) > row.tpot_ms / 1e3:
        return "faster than the GPU reads weights and KV cache: a precision or a prefix cache is not stated"
    return None


def _running(row: Row) -> float:
    """Little's law over the decode phase: requests/s × seconds of decoding."""
    return row.requests_per_second * (row.tpot_ms or 0) / 1e3 * row.output_tokens


def _least_read_s(row: Row) -> float:
    """Of one step, at the memory's peak: shared weights, the KV cache of what runs, and of experts nothing."""
    model = row.replica.model
    weights = model.shared_parameters * (model.shared_bytes_per_weight or model.bytes_per_weight)
    weights += model.head_parameters * 2
    cache_bytes = _running(row) * (row.input_tokens + row.output_tokens / 2) * model.kv_bytes_per_token
    return (weights / row.replica.tensor_parallel_size + cache_bytes) / (row.gpu.bandwidth_gb_per_s * 1e9)


@cache
def _models() -> tuple[dict[str, Any], ...]:
    return tuple(json.loads((DATA / "throughput_models.json").read_text(encoding="utf-8"))["models"])


def _facts(name: str) -> dict[str, Any]:
    return next(model for model in _models() if any(part in name for part in model["match"]))


def _row(record: dict[str, Any]) -> Row:
    """Runs of aiconfigurator with data parallelism on `tp` GPUs state load and requests/s for one rank of `dp`."""
    ranks = record.get("dp", 1)
    rate = record.get("req_s") or record["output_tok_s"] / record["osl"]
    return Row(
        id=record["id"],
        family=record["family"],
        model=record["model"],
        moe="experts" in _facts(record["model"]),
        gpu=GPUS[record["gpu"]],
        replica=_replica(record),
        load="closed loop" if record["load"] == "closed loop" else "offline",
        input_tokens=record["isl"],
        output_tokens=record["osl"],
        concurrency=record.get("concurrency", 0) * ranks,
        requests_per_second=rate * ranks,
        ttft_ms=record.get("ttft_ms"),
        tpot_ms=record.get("tpot_ms"),
        ranges="silicon_concurrency" in record.get("notes", ""),
    )


def _replica(record: dict[str, Any]) -> Replica:
    """30 rows of Qwen3-32B state no precision: its checkpoint is bf16."""
    gpu, tp = GPUS[record["gpu"]], record["tp"]
    width, shared = _WIDTHS[record.get("precision", "bf16").lower()]
    model = _shape(record, width, shared)
    weights = (model.expert_parameters * width + (model.shared_parameters + 2 * model.head_parameters) * shared) / tp
    bf16 = gpu.bf16_tflops * achievable_share(gpu.achievable)
    return Replica(
        model=model,
        accelerator=AcceleratorSpeed(
            bandwidth_gb_per_s=gpu.bandwidth_gb_per_s,
            tflops=gpu.fp8_tflops * achievable_share(gpu.achievable, fp8=True) if width == 1.0 else bf16,
            bf16_tflops=bf16,
            link_gb_per_s=gpu.link_gb_per_s,
            link=gpu.link,
        ),
        tensor_parallel_size=tp,
        kv_cache_gib=_kv_cache_gib(record["engine"], gpu, weights / GIB, tp),
        max_num_seqs=1024 if record["engine"] == "vllm" else 2048,
    )


def _kv_cache_gib(engine: str, gpu: Gpu, weights_gib: float, tp: int) -> float:
    """vLLM before 0.20: 0.9 of the GPU less weights, activations (2) and non-torch memory (0.2, with NCCL 2.1).

    TensorRT-LLM states no figure for what is left, only the share that it takes of it: 0.92 less 3 GiB is assumed.
    """
    if engine == "vllm":
        return gpu.memory_gib * 0.9 - weights_gib - (2.2 if tp == 1 else 4.1)
    return gpu.memory_gib * 0.92 - weights_gib - 3


def _shape(record: dict[str, Any], width: float, shared: float) -> ModelShape:
    facts = _facts(record["model"])
    full = facts.get("full_attention_layers", facts["layers"])
    token, window = _kv_bytes(record, facts)
    return ModelShape(
        parameters_billion=facts["parameters_billion"],
        active_parameters_billion=facts["active_parameters_billion"],
        layers=facts["layers"],
        hidden_size=facts["hidden_size"],
        vocabulary=facts["vocabulary"],
        attention_width=facts["attention_heads"] * (facts["head_dim"] + facts.get("value_dim", facts["head_dim"])),
        attention_layers=full,
        kv_bytes_per_token=token * full,
        kv_bytes_per_sequence=window * (facts["layers"] - full) * facts.get("window_tokens", 0),
        experts=facts.get("experts", 0),
        experts_per_token=facts.get("experts_per_token", 0),
        bytes_per_weight=width,
        shared_bytes_per_weight=shared,
    )


def _kv_bytes(record: dict[str, Any], facts: dict[str, Any]) -> tuple[float, float]:
    """Per token and layer, on each GPU; of a full and of a sliding layer.

    TensorRT-LLM keeps FP8 models' KV cache in FP8; its 1.0 runs mixtures with data-parallel attention, so that each
    rank holds whole heads of its own sequences.
    """
    offline, tp = record["engine"] != "vllm", record["tp"]
    width = 1 if offline and record["precision"] == "FP8" else 2
    if "latent_dim" in facts:
        return facts["latent_dim"] * width, 0.0
    heads = max(1.0, facts["kv_heads"] / tp)
    if record.get("engine_version") == "1.0" and "experts" in facts:
        heads = facts["kv_heads"] / tp
    each = 2 * heads * facts["head_dim"] * width
    return each, each
