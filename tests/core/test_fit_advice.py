from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven import load
from breakeven.core.engine_args import EngineArgs
from breakeven.core.fit_advice import Advice, advise
from breakeven.core.memory import kv_cache

MODELS = load.models()
GPUS = load.accelerators()


def advice(name: str, gpu: str, **args: Any) -> Advice:
    given = EngineArgs(**args)
    return advise(MODELS[name], GPUS[gpu], given, kv_cache(MODELS[name], GPUS[gpu], given))


def test_weights_alone_are_too_large() -> None:
    # 70.55e9 × 2 B = 131.4 GiB, and a table of 34 MB; 79.19 × 0.92 = 72.9 GiB. fp8: 69.7 GiB + 0.3 + 2.0 + 1.9 > 72.9.
    assert str(advice("meta-llama/Llama-3.3-70B-Instruct", "h100-80gb", max_model_len=8192)) == (
        "needs 131.4 GiB of weights, has 72.9 GiB: use 4 GPUs, or int4"
    )
    assert str(advice("meta-llama/Llama-3.3-70B-Instruct", "h200-141gb", max_model_len=8192)) == (
        "needs 131.4 GiB of weights, has 128.6 GiB: use 2 GPUs, or fp8"
    )


def test_weights_fit_but_the_engine_does_not() -> None:
    found = advice("Qwen/Qwen2.5-72B-Instruct", "h100-80gb", tensor_parallel_size=2)
    assert found.reason == ("needs 67.7 GiB of weights and 7.2 GiB for the engine on each of 2 GPUs, has 72.9 GiB")
    assert found.changes == ("use 4 GPUs", "fp8")


def test_the_cache_is_too_small_for_the_context() -> None:
    # Llama-3.1-8B on an L4: 22.03 × 0.92 − 14.99 − 0.25 − 0.58 − 0.89 − 1.0 = 2.56 GiB of the 16.0 for 131,072 tokens.
    found = advice("meta-llama/Llama-3.1-8B-Instruct", "l4-24gb")
    assert found.reason == "needs 16.0 GiB of KV cache for 131,072 tokens on one GPU, has 2.6 GiB"
    assert found.changes[0] == "use 2 GPUs"
    assert found.changes[-1].startswith("max_model_len 20,")


def test_hardware_without_fp8_is_not_told_to_use_it() -> None:
    found = advice("Qwen/Qwen3-32B", "a100-40gb", max_model_len=8192)
    assert found.changes == ("use 4 GPUs", "int4")


def test_nothing_helps() -> None:
    giant = replace(MODELS["Qwen/Qwen3-8B"], parameters_billion=50_000.0, active_parameters_billion=50_000.0)
    found = advise(giant, GPUS["t4-16gb"], EngineArgs(), kv_cache(giant, GPUS["t4-16gb"]))
    assert str(found).endswith(": no change makes it fit")


@given(st.sampled_from(sorted(MODELS)), st.sampled_from(sorted(GPUS)))
def test_what_is_advised_fits(name: str, gpu: str) -> None:
    length = min(8192, MODELS[name].context_length)
    args = EngineArgs(max_model_len=length)
    found = kv_cache(MODELS[name], GPUS[gpu], args)
    if found.fits:
        return
    for change in advise(MODELS[name], GPUS[gpu], args, found).changes:
        if change.startswith("use "):
            args_then = replace(args, tensor_parallel_size=int(change.split()[1]))
        elif change.startswith("max_model_len "):
            args_then = replace(args, max_model_len=int(change.split()[1].replace(",", "")))
        elif change == "kv_cache_dtype fp8":
            args_then = replace(args, kv_cache_dtype="fp8")
        else:
            assert change in ("fp8", "int8", "int4")
            args_then = EngineArgs(max_model_len=length, precision=change)  # type: ignore[arg-type]
        assert kv_cache(MODELS[name], GPUS[gpu], args_then).fits


@pytest.mark.parametrize("changes", [(), ("use 2 GPUs",), ("use 2 GPUs", "fp8"), ("use 2 GPUs", "fp8", "int4")])
def test_changes_are_alternatives(changes: tuple[str, ...]) -> None:
    ends = ["no change makes it fit", "use 2 GPUs", "use 2 GPUs, or fp8", "use 2 GPUs, fp8, or int4"]
    assert str(Advice(reason="why", changes=changes)) == f"why: {ends[len(changes)]}"
