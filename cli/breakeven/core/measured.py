"""Published measurements of throughput, and which of them lie nearest to a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import log
from typing import Final

from breakeven.core.engine_args import EngineArgs, KvCacheDtype
from breakeven.core.hardware import Accelerator
from breakeven.core.latency import Requests, estimate
from breakeven.core.memory import kv_cache
from breakeven.core.model import Model
from breakeven.core.precision import Precision
from breakeven.core.split import Split
from breakeven.core.throughput import replica
from breakeven.core.units import require_positive

# How many are shown, and how far away is too far to say anything.
_SHOWN: Final = 3
_FURTHEST: Final = 3.0
# Another model is near where both its counts of parameters are within this factor.
_NEAR_SIZE: Final = 1.3

# What a difference weighs against others. These order the runs; they say nothing about errors.
_SAME_SHAPE, _OTHER_MODEL, _ACCELERATOR, _PARALLELISM, _PRECISION, _CACHE = 0.1, 1.0, 0.5, 0.7, 0.7, 0.1
_ENGINE, _TOKENS, _CONCURRENCY = 0.3, 0.5, 0.25


@dataclass(frozen=True, kw_only=True)
class Run:
    """One measurement of one server. Without `concurrency` all requests came at once: it is saturated."""

    input_tokens: int
    output_tokens: int
    requests_per_second: float
    concurrency: int | None = None
    ttft_ms: float | None = None
    tpot_ms: float | None = None

    def __post_init__(self) -> None:
        require_positive(
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            requests_per_second=self.requests_per_second,
            concurrency=self.concurrency,
            ttft_ms=self.ttft_ms,
            tpot_ms=self.tpot_ms,
        )


@dataclass(frozen=True, kw_only=True)
class Series:
    """Runs of one server. `model` is the catalogue's record of the weights' shape, `ran` what the source calls them.

    `measured` is as exact as the source is: a day, a month or a year.
    """

    model: str
    ran: str
    accelerator: str
    tensor_parallel_size: int
    precision: Precision
    engine: str
    source: str
    measured: str
    runs: tuple[Run, ...]
    engine_version: str | None = None
    kv_cache_dtype: KvCacheDtype = "auto"


@dataclass(frozen=True, kw_only=True)
class Sought:
    """One replica of a plan, at the concurrency for which its figure holds and at the most that it runs."""

    model: Model
    accelerator: Accelerator
    split: Split
    input_tokens: int
    output_tokens: int
    concurrency: float
    saturated_concurrency: float


@dataclass(frozen=True, kw_only=True)
class Near:
    """A run near a plan: what both have in common, and what is other in it. `estimated` is of that very run."""

    series: Series
    run: Run
    same: tuple[str, ...]
    other: tuple[str, ...]
    distance: float
    estimated_requests_per_second: float | None


@dataclass(frozen=True, kw_only=True)
class _Difference:
    """In one respect: what it is called, how the run has it (None where as the plan has it), how much it weighs."""

    name: str
    other: str | None
    weight: float


def nearest(
    series: Iterable[Series], models: Mapping[str, Model], accelerators: Mapping[str, Accelerator], sought: Sought
) -> tuple[Near, ...]:
    """The nearest first, of each shape of request one; none where nothing comparable was measured."""
    found = [
        _near(one, run, differences)
        for one in series
        if _is_comparable(models[one.model], sought.model)
        for run, differences in _compared(one, models[one.model], accelerators[one.accelerator], sought)
    ]
    found = sorted((near for near in found if near.distance <= _FURTHEST), key=lambda near: near.distance)
    return tuple(_with_estimate(near, models, accelerators) for near in found[:_SHOWN])


def _compared(
    series: Series, model: Model, accelerator: Accelerator, sought: Sought
) -> Iterator[tuple[Run, list[_Difference]]]:
    """Each shape's run at the nearest load."""
    server = list(_server_differences(series, model, accelerator, sought))
    for shape in dict.fromkeys((run.input_tokens, run.output_tokens) for run in series.runs):
        runs = [run for run in series.runs if (run.input_tokens, run.output_tokens) == shape]
        run = min(runs, key=lambda run: _load_weight(run, sought))
        yield run, [*server, *_run_differences(run, sought)]


def _near(series: Series, run: Run, differences: list[_Difference]) -> Near:
    return Near(
        series=series,
        run=run,
        same=tuple(one.name for one in differences if one.other is None),
        other=tuple(one.other for one in differences if one.other),
        distance=sum(one.weight for one in differences),
        estimated_requests_per_second=None,
    )


def _with_estimate(near: Near, models: Mapping[str, Model], accelerators: Mapping[str, Accelerator]) -> Near:
    model, accelerator = models[near.series.model], accelerators[near.series.accelerator]
    return replace(near, estimated_requests_per_second=_estimated(near.series, near.run, model, accelerator))


def _is_comparable(one: Model, other: Model) -> bool:
    return one.is_moe == other.is_moe and max(_apart(one, other)) <= log(_NEAR_SIZE)


def _apart(one: Model, other: Model) -> tuple[float, float]:
    """On the logarithmic scale, in all and in active parameters."""
    return (
        abs(log(one.parameters_billion / other.parameters_billion)),
        abs(log(one.active_parameters_billion / other.active_parameters_billion)),
    )


def _server_differences(
    series: Series, model: Model, accelerator: Accelerator, sought: Sought
) -> Iterator[_Difference]:
    yield _model_difference(series, model, sought.model)
    mine = sought.accelerator
    speeds = abs(log(accelerator.bandwidth_gb_per_s / mine.bandwidth_gb_per_s))
    speeds += abs(log(accelerator.bf16_tflops / mine.bf16_tflops))
    yield _differ("accelerator", accelerator.title, mine.title, _ACCELERATOR + speeds)
    yield _parallelism_difference(series.tensor_parallel_size, sought.split)
    yield _precision_difference(series, sought.split)
    engine = None if series.engine == "vllm" else f"{series.engine} {series.engine_version or ''}".rstrip()
    yield _Difference(name="engine", other=engine, weight=_ENGINE if engine else 0.0)


def _parallelism_difference(tensor_parallel_size: int, split: Split) -> _Difference:
    """All runs have one pipeline stage."""
    apart = abs(log(tensor_parallel_size / split.tensor_parallel_size)) + log(split.pipeline_parallel_size)
    return _Difference(name="TP", other=f"TP {tensor_parallel_size}" if apart else None, weight=_PARALLELISM * apart)


def _precision_difference(series: Series, split: Split) -> _Difference:
    """Of the weights and of the KV cache."""
    weight = _PRECISION * (series.precision != split.precision) + _CACHE * (
        series.kv_cache_dtype != split.kv_cache_dtype
    )
    stored = series.precision if series.kv_cache_dtype == "auto" else f"{series.precision}, KV {series.kv_cache_dtype}"
    return _Difference(name="precision", other=stored if weight else None, weight=weight)


def _model_difference(series: Series, model: Model, sought: Model) -> _Difference:
    """The catalogue's record may be of other weights of the same shape, which are as fast."""
    if model.name == sought.name:
        return _Difference(name="model", other=None, weight=0.0)
    if _shape(model) == _shape(sought):
        return _Difference(name="model", other=f"{series.ran} of the same shape", weight=_SAME_SHAPE)
    size = f"{series.ran} of {model.parameters_billion:,.1f} B"
    return _Difference(name="model", other=size, weight=_OTHER_MODEL + sum(_apart(model, sought)))


def _shape(model: Model) -> tuple[object, ...]:
    heads = (model.attention_heads, model.kv_heads, model.head_dim)
    layers = (model.layers, model.hidden_size, model.intermediate_size, model.mla, model.sliding, model.recurrent)
    return (*heads, *layers, model.vocabulary, model.experts)


def _differ(name: str, run: str, plan: str, weight: float) -> _Difference:
    return _Difference(name=name, other=run if run != plan else None, weight=weight if run != plan else 0.0)


def _run_differences(run: Run, sought: Sought) -> Iterator[_Difference]:
    tokens = abs(log(run.input_tokens / sought.input_tokens)) + abs(log(run.output_tokens / sought.output_tokens))
    shape = f"{run.input_tokens:,} in + {run.output_tokens:,} out"
    yield _Difference(name="shape", other=shape if tokens else None, weight=_TOKENS * tokens)
    load = _load_weight(run, sought)
    yield _Difference(name="load", other=_load(run) if load else None, weight=load)


def _load_weight(run: Run, sought: Sought) -> float:
    return _CONCURRENCY * abs(log((run.concurrency or sought.saturated_concurrency) / sought.concurrency))


def _load(run: Run) -> str:
    return "saturated" if run.concurrency is None else f"{run.concurrency:,} at once"


def _estimated(series: Series, run: Run, model: Model, accelerator: Accelerator) -> float | None:
    """What the model of throughput says of the run; None where it would not fit."""
    tokens = run.input_tokens + run.output_tokens
    stored = model.stored_in(series.precision)
    tp, cache = series.tensor_parallel_size, series.kv_cache_dtype
    args = EngineArgs(tensor_parallel_size=tp, kv_cache_dtype=cache, max_model_len=tokens)
    if tokens > model.context_length or not (memory := kv_cache(stored, accelerator, args)).fits:
        return None
    server = replica(stored, accelerator, memory, tp, kv_cache_dtype=cache)
    requests = Requests(input_tokens=run.input_tokens, output_tokens=run.output_tokens)
    return estimate(server, requests, run.concurrency).requests_per_second.value
