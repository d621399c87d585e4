"""What a replica was measured to serve, which takes the place of the estimate in its plan."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from breakeven.core.engine_args import KvCacheDtype
from breakeven.core.precision import Precision
from breakeven.core.throughput import Capacity
from breakeven.core.units import require_positive
from breakeven.errors import InputError

if TYPE_CHECKING:
    from breakeven.core.deployment import Deployment
    from breakeven.core.facts import Facts
    from breakeven.core.split import Split

# A run with requests of about the plan's shape speaks for it: tokens within this share.
_SHAPE_TOLERANCE: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A run of one replica. `requests_per_second` were served within the latency objective, at the latencies given;
    `saturated_requests_per_second` are the most that were served at all. One of both is enough.

    `precision` is the checkpoint's as published unless given.
    """

    model: str
    accelerator: str
    tensor_parallel_size: int
    input_tokens: int
    output_tokens: int
    source: str
    date: datetime.date
    requests_per_second: float | None = None
    saturated_requests_per_second: float | None = None
    ttft_p99_ms: float | None = None
    tpot_ms: float | None = None
    pipeline_parallel_size: int = 1
    precision: Precision | None = None
    kv_cache_dtype: KvCacheDtype = "auto"
    cached_share: float = 0.0
    engine: str = "vllm"
    engine_version: str | None = None

    def __post_init__(self) -> None:
        require_positive(
            tensor_parallel_size=self.tensor_parallel_size,
            pipeline_parallel_size=self.pipeline_parallel_size,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            requests_per_second=self.requests_per_second,
            saturated_requests_per_second=self.saturated_requests_per_second,
            ttft_p99_ms=self.ttft_p99_ms,
            tpot_ms=self.tpot_ms,
        )
        if not self.source.strip():
            raise ValueError("source must say where the figures are from")
        if self.requests_per_second is None and self.saturated_requests_per_second is None:
            raise ValueError("requests_per_second must be given, or saturated_requests_per_second")
        if (self.requests_per_second or 0) > (self.saturated_requests_per_second or float("inf")):
            raise ValueError("requests_per_second must not exceed saturated_requests_per_second")


def refuse_other(run: Measurement, deployment: Deployment, facts: Facts, split: Split) -> None:
    """Raise InputError with every respect in which the run is not of the plan."""
    if found := [f"{had}, the plan {has}" for had, has in _differences(run, deployment, facts, split)]:
        raise InputError(
            f"measured: the run does not fit the plan. It {'; it '.join(found)}",
            hint="leave `measured` out to plan by the estimate, or plan what was measured",
        )


def _differences(run: Measurement, deployment: Deployment, facts: Facts, split: Split) -> Iterator[tuple[str, str]]:
    precision = run.precision or facts.model.precision
    respects = [
        ("is of", run.model, facts.model.name),
        ("ran on", run.accelerator, facts.accelerator.name),
        ("ran in", run.engine.lower(), "vllm"),
        ("has tensor_parallel_size", run.tensor_parallel_size, split.tensor_parallel_size),
        ("has pipeline_parallel_size", run.pipeline_parallel_size, split.pipeline_parallel_size),
        ("has precision", precision, split.precision),
        ("has kv_cache_dtype", run.kv_cache_dtype, split.kv_cache_dtype),
        ("has cached_share", run.cached_share, deployment.workload.cached_share),
    ]
    yield from ((f"{verb} {had}", f"{has}") for verb, had, has in respects if had != has)
    yield from _other_shape(run, deployment)
    yield from _broken_objective(run, deployment)


def _other_shape(run: Measurement, deployment: Deployment) -> Iterator[tuple[str, str]]:
    workload = deployment.workload
    for name, had, has in (
        ("input_tokens", run.input_tokens, workload.input_tokens),
        ("output_tokens", run.output_tokens, workload.output_tokens),
    ):
        if abs(had / has - 1) > _SHAPE_TOLERANCE:
            yield f"has {name} {had:,}", f"{has:,}"


def _broken_objective(run: Measurement, deployment: Deployment) -> Iterator[tuple[str, str]]:
    slo = deployment.slo
    for name, had, has in (("ttft_p99_ms", run.ttft_p99_ms, slo.ttft_p99_ms), ("tpot_ms", run.tpot_ms, slo.tpot_ms)):
        if had is not None and has is not None and had > has:
            yield f"took {name} {had:,g}", f"allows {has:,g}"


def capacity_of(run: Measurement, estimated: Capacity) -> Capacity:
    """The estimate with what was measured in its place.

    Of a run that was saturated only, the share within the objective stays the model's. By Little's law the concurrency
    follows the rate.
    """
    saturated = run.saturated_requests_per_second
    share = 1.0 if saturated is None else saturated / estimated.saturated_requests_per_second
    within = run.requests_per_second or share * estimated.requests_per_second
    return replace(
        estimated,
        requests_per_second=within,
        saturated_requests_per_second=saturated or max(within, estimated.saturated_requests_per_second),
        concurrency=estimated.concurrency * within / estimated.requests_per_second,
        basis="measured" if run.requests_per_second else "estimate",
        saturated_basis="measured" if saturated else "estimate",
        source=run.source,
        date=run.date,
    )
