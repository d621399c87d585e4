"""The pinned vLLM's own models, built without memory (torch's meta device) from folders with a config.json.

stdin: [path, …]. The last line of stdout, by path: "bytes" of all parameters, "kv_cache_dtype" as resolved, "kept",
[kind, KV heads, head size, count] of the layers that keep keys and values, and "state_bytes" of a recurrent one.
Kernels are not chosen, since a CPU has none for these precisions: what they are given is created by vLLM's quantisation
methods all the same.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from math import prod
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# Two models would otherwise choose one port each for a group of one process.
os.environ.update(MASTER_ADDR="127.0.0.1", VLLM_HOST_IP="127.0.0.1", VLLM_LOGGING_LEVEL="ERROR", HF_HUB_OFFLINE="1")

import torch
from vllm.config import VllmConfig, set_current_vllm_config
from vllm.distributed import init_distributed_environment, initialize_model_parallel
from vllm.engine.arg_utils import EngineArgs
from vllm.model_executor.layers.fused_moe import config as fused_moe
from vllm.model_executor.layers.quantization import modelopt
from vllm.model_executor.model_loader.utils import initialize_model
from vllm.model_executor.models.config import MODELS_CONFIG_MAP
from vllm.utils.torch_utils import set_default_torch_dtype
from vllm.v1.kv_cache_interface import MLAAttentionSpec, SlidingWindowSpec


class Kernel:
    """Of no kind, and agreeing to everything."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: True


def without_kernels() -> None:
    modelopt.init_nvfp4_linear_kernel = lambda *_, **__: Kernel()
    modelopt.select_nvfp4_moe_backend = lambda **_: (modelopt.NvFp4MoeBackend.MARLIN, None)
    # Experts without a gate are for GPUs only.
    fused_moe.current_platform = SimpleNamespace(is_cuda_alike=lambda: True, is_xpu=lambda: False)


def kept(config: VllmConfig) -> list[list[Any]]:
    counted: Counter[tuple[str, int, int]] = Counter()
    for layer in config.compilation_config.static_forward_context.values():
        if getattr(layer, "kv_sharing_target_layer_name", None) or not hasattr(layer, "get_kv_cache_spec"):
            continue
        spec = layer.get_kv_cache_spec(config)
        if hasattr(spec, "num_kv_heads"):
            kind = "sliding" if isinstance(spec, SlidingWindowSpec) else "full"
            counted["latent" if isinstance(spec, MLAAttentionSpec) else kind, spec.num_kv_heads, spec.head_size] += 1
    return sorted([*key, count] for key, count in counted.items())


def state_bytes(config: VllmConfig, model: Any) -> int:
    """Of one recurrent layer on a GPU; the CPU backend chose another type for it."""
    if not hasattr(model, "get_mamba_state_shape_from_config"):
        return 0
    config.cache_config.mamba_ssm_cache_dtype = "auto"
    if asks := MODELS_CONFIG_MAP.get(config.model_config.architecture):
        asks.verify_and_update_config(config)
    shapes = model.get_mamba_state_shape_from_config(config)
    types = model.get_mamba_state_dtype_from_config(config)
    return sum(prod(shape) * kind.itemsize for shape, kind in zip(shapes, types, strict=True))


def build(path: str) -> dict[str, Any]:
    args = EngineArgs(
        model=path,
        skip_tokenizer_init=True,
        max_model_len=4096,
        load_format="dummy",
        enforce_eager=True,
        dtype="bfloat16",
    )
    config = args.create_engine_config()
    with set_current_vllm_config(config), torch.device("meta"), set_default_torch_dtype(torch.bfloat16):
        model = initialize_model(vllm_config=config)
        size = sum(each.numel() * each.element_size() for each in model.parameters())
        return {
            "bytes": size,
            "kv_cache_dtype": config.cache_config.cache_dtype,
            "kept": kept(config),
            "state_bytes": state_bytes(config, model),
        }


def main() -> None:
    paths = json.load(sys.stdin)
    without_kernels()
    with tempfile.TemporaryDirectory() as folder, set_current_vllm_config(VllmConfig()):
        init_distributed_environment(1, 0, f"file://{Path(folder) / 'rendezvous'}", 0, "gloo")
        initialize_model_parallel(1, 1)
    sys.stdout.write("\n" + json.dumps({path: build(path) for path in paths}) + "\n")


if __name__ == "__main__":
    main()
