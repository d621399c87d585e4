"""What the pinned vLLM reckons, where no GPU is needed to ask it.

stdin: {"accelerators": {name: {"title", "memory_gib"}}, "caches": [cache, …], "configs": [path, …]}. The last line of
stdout: "defaults", "batches" by accelerator, "caches" in order and "architectures" by path.
"""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

import torch
from vllm.config import CacheConfig, VllmConfig
from vllm.engine import arg_utils
from vllm.transformers_utils.config import get_config, get_hf_text_config
from vllm.transformers_utils.model_arch_config_convertor import (
    MODEL_ARCH_CONFIG_CONVERTORS,
    ModelArchConfigConvertorBase,
)
from vllm.usage.usage_lib import UsageContext
from vllm.v1.attention.backends.utils import get_supported_kv_cache_layouts
from vllm.v1.core.kv_cache_utils import get_kv_cache_capacity, get_kv_cache_configs
from vllm.v1.kv_cache_interface import (
    ChunkedLocalAttentionSpec,
    FullAttentionSpec,
    KVCacheSpec,
    MLAAttentionSpec,
    SlidingWindowSpec,
)

GIB = 2**30


def batches(title: str, memory_gib: float) -> dict[str, int]:
    """The API server's defaults on a device of this name and memory."""
    arg_utils.current_platform = SimpleNamespace(
        get_device_total_memory=lambda: int(memory_gib * GIB),
        get_device_name=lambda: title,
        is_tpu=lambda: False,
        is_cpu=lambda: False,
    )
    tokens, sequences = arg_utils.EngineArgs.get_batch_defaults(world_size=1)
    server = UsageContext.OPENAI_API_SERVER
    return {"max_num_batched_tokens": tokens[server], "max_num_seqs": sequences[server]}


def spec(layer: dict[str, Any]) -> KVCacheSpec:
    dtype = torch.float8_e4m3fn if layer["fp8"] else torch.bfloat16
    common = {"block_size": 16, "head_size": layer["head_size"], "dtype": dtype}
    if layer["kind"] == "latent":
        return MLAAttentionSpec(num_kv_heads=1, **common)
    common["num_kv_heads"] = layer["kv_heads"]
    if layer["kind"] == "sliding":
        return SlidingWindowSpec(sliding_window=layer["window"], **common)
    if layer["kind"] == "chunked":
        return ChunkedLocalAttentionSpec(attention_chunk_size=layer["window"], **common)
    return FullAttentionSpec(**common)


def cache(given: dict[str, Any]) -> dict[str, float]:
    """Blocks, logged tokens and concurrency for `layers` in `memory_bytes` on one worker."""
    config = SimpleNamespace(
        model_config=SimpleNamespace(
            max_model_len=given["max_model_len"], original_max_model_len=given["max_model_len"]
        ),
        cache_config=SimpleNamespace(
            num_gpu_blocks_override=None,
            prefix_cache_retention_interval=None,
            # Of backends that declare none, as FlashAttention's.
            get_resolved_kv_cache_layout=lambda: get_supported_kv_cache_layouts([])[0],
        ),
        scheduler_config=SimpleNamespace(
            disable_hybrid_kv_cache_manager=False,
            max_num_batched_tokens=given["max_num_batched_tokens"],
            async_scheduling=True,
        ),
        parallel_config=SimpleNamespace(
            tensor_parallel_size=1, pipeline_parallel_size=1, decode_context_parallel_size=1
        ),
        attention_config=SimpleNamespace(hisparse_config=None),
        speculative_config=None,
        use_v2_model_runner=True,
        kv_transfer_config=None,
        num_prefill_lookahead_tokens=0,
    )
    config.max_concurrent_batches = VllmConfig.max_concurrent_batches.fget(config)
    config.max_in_flight_tokens = VllmConfig.max_in_flight_tokens.fget(config)
    layers = [layer for layer in given["layers"] for _ in range(layer["count"])]
    specs = {f"layers.{number}": spec(layer) for number, layer in enumerate(layers)}
    (found,) = get_kv_cache_configs(config, [specs], [given["memory_bytes"]])
    tokens, concurrency = get_kv_cache_capacity(config, found)
    return {"blocks": found.num_blocks, "kv_tokens": tokens, "concurrency": concurrency}


def architecture(path: str) -> dict[str, Any]:
    """What vLLM reads from a folder's config.json."""
    whole = get_config(path, trust_remote_code=False)
    convertor = MODEL_ARCH_CONFIG_CONVERTORS.get(whole.model_type, ModelArchConfigConvertorBase)
    found = convertor(whole, get_hf_text_config(whole)).convert()
    layers = [found[number] for number in range(found.total_num_hidden_layers)]
    return {
        "layers": found.total_num_hidden_layers,
        "hidden_size": found.hidden_size,
        "attention_heads": found.total_num_attention_heads,
        "vocabulary": found.vocab_size,
        "experts": found.num_experts,
        "experts_per_token": found.num_experts_per_token,
        "latent": found.is_deepseek_mla,
        "heads_kept": sorted({(layer.total_num_kv_heads, layer.head_size) for layer in layers}),
    }


def main() -> None:
    given = json.load(sys.stdin)
    answer = {
        "defaults": {
            "gpu_memory_utilization": CacheConfig.gpu_memory_utilization,
            "block_size": CacheConfig.DEFAULT_BLOCK_SIZE,
            "enable_prefix_caching": CacheConfig.enable_prefix_caching,
        },
        "caches": [cache(entry) for entry in given["caches"]],
        "architectures": {path: architecture(path) for path in given["configs"]},
        "batches": {name: batches(**entry) for name, entry in given["accelerators"].items()},
    }
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
