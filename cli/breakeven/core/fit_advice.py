"""Why a model does not fit, in its smallest form, and the nearest changes that make it fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from breakeven.core.engine_args import EngineArgs
from breakeven.core.hardware import Accelerator
from breakeven.core.memory import MARGIN_GIB, MemoryFit, kv_cache
from breakeven.core.model import Model
from breakeven.core.precision import Precision
from breakeven.core.units import count
from breakeven.errors import InputError

# GPUs of one replica that are looked at, and precisions from the mildest on.
_GPUS: Final = (1, 2, 4, 8, 16, 32, 64)
_QUANTISED: Final[tuple[Precision, ...]] = ("fp8", "int8", "int4")


@dataclass(frozen=True, kw_only=True)
class Advice:
    """`reason` compares what is needed with what there is; `changes` are alternatives, the nearest first."""

    reason: str
    changes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.reason}: {_either(self.changes)}" if self.changes else f"{self.reason}: no change makes it fit"


def advise(model: Model, accelerator: Accelerator, args: EngineArgs, fit: MemoryFit) -> Advice:
    """For a fit that does not. Raises what `kv_cache` raises."""
    changes = (
        _more_gpus(model, accelerator, args),
        _lower_precision(model, accelerator, args),
        *_less_cache(model, accelerator, args, fit),
        _fewer_adapters(model, accelerator, args),
    )
    return Advice(reason=reason(fit, args), changes=tuple(change for change in changes if change))


def reason(fit: MemoryFit, args: EngineArgs) -> str:
    """What is needed against what there is, of a fit that does not."""
    on = f"each of {args.gpus} GPUs" if args.gpus > 1 else "one GPU"
    if fit.weights_gib > fit.usable_gib:
        return f"needs {fit.weights_gib * args.gpus:,.1f} GiB of weights, has {fit.usable_gib * args.gpus:,.1f} GiB"
    if fit.kv_gib <= MARGIN_GIB:
        adapters = f", {fit.adapters_gib:.1f} GiB for LoRA adapters" if args.max_loras else ""
        return (
            f"needs {fit.weights_gib:.1f} GiB of weights{adapters} and {fit.overhead_gib + MARGIN_GIB:.1f} GiB for the "
            f"engine on {on}, has {fit.usable_gib:.1f} GiB"
        )
    block_gib = fit.kv_gib / max(1, fit.blocks)
    needed = (fit.layout.blocks_per_request(fit.max_model_len) + 1) * block_gib
    return (
        f"needs {needed:.1f} GiB of KV cache for {fit.max_model_len:,} tokens on {on}, "
        f"has {fit.kv_gib - MARGIN_GIB:.1f} GiB"
    )


def _fits(model: Model, accelerator: Accelerator, args: EngineArgs) -> bool:
    try:
        return kv_cache(model, accelerator, args).fits
    except InputError:
        return False


def _more_gpus(model: Model, accelerator: Accelerator, args: EngineArgs) -> str | None:
    """The smallest count of GPUs that share each layer; pipeline stages stay as they are."""
    for tp in _GPUS:
        if tp > args.tensor_parallel_size and _fits(model, accelerator, replace(args, tensor_parallel_size=tp)):
            return f"use {tp * args.pipeline_parallel_size} GPUs"
    return None


def _lower_precision(model: Model, accelerator: Accelerator, args: EngineArgs) -> str | None:
    if (args.precision or model.precision) != "bf16":
        return None
    for precision in _QUANTISED:
        if precision == "fp8" and accelerator.fp8_tflops is None:
            continue
        if _fits(model, accelerator, replace(args, precision=precision)):
            return precision
    return None


def _less_cache(model: Model, accelerator: Accelerator, args: EngineArgs, fit: MemoryFit) -> tuple[str | None, ...]:
    fp8 = replace(args, kv_cache_dtype="fp8")
    halved = args.kv_cache_dtype == "auto" and accelerator.fp8_tflops and _fits(model, accelerator, fp8)
    longest = fit.longest(fit.max_model_len - 1) if fit.max_model_len > 1 else 0
    return (
        "kv_cache_dtype fp8" if halved else None,
        f"max_model_len {longest:,}" if longest else None,
    )


def _fewer_adapters(model: Model, accelerator: Accelerator, args: EngineArgs) -> str | None:
    """As many of the same rank as fit."""
    for number in range(args.max_loras - 1, -1, -1):
        if _fits(model, accelerator, replace(args, max_loras=number)):
            return count(number, "LoRA adapter") if number else "no LoRA adapter"
    return None


def _either(changes: tuple[str, ...]) -> str:
    *most, last = changes
    return f"{', '.join(most)}, or {last}" if most else last
