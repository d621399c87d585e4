"""Whether a model fits, and how much KV cache is left, as vLLM itself counts it.

KV = memory × gpu_memory_utilization − weights − non-torch − activation peak − CUDA graphs
(vllm/v1/worker/gpu_worker.py, 0.32.0). The three overheads are the largest ones that startup logs of
vLLM 0.19.0 on H100 show for models of this kind (llm-d-planner accuracy/results/v0.19.0, 2026-04-22), so that
"fits" errs towards "does not".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from breakeven.core.hardware import Accelerator
from breakeven.core.model import Model
from breakeven.core.units import GIB

# vLLM's default since 0.20: vllm/config/cache.py
GPU_MEMORY_UTILIZATION: Final = 0.92
_BLOCK_TOKENS: Final = 16

_NON_TORCH_GIB: Final = 0.25
# NCCL's buffers: 2.09 to 2.21 GiB per GPU whenever TP ≥ 2.
_NON_TORCH_TP_GIB: Final = 2.2
_CUDA_GRAPH_GIB: Final = 1.85
# The peak is the sampler's logits: 3.7–4.1 × sequences × vocabulary × 4 bytes on dense models, up to 4.9 on MoE.
_ACTIVATION_DENSE: Final = 4.1
_ACTIVATION_MOE: Final = 4.9
# Seen with 1,024 sequences only; kept for smaller batches too, where the forward pass takes over.
_ACTIVATION_SEQUENCES: Final = 1024


@dataclass(frozen=True, kw_only=True)
class MemoryFit:
    """GiB on each GPU. `kv_gib` below zero means that the weights and overheads alone do not fit."""

    usable_gib: float
    weights_gib: float
    overhead_gib: float
    kv_gib: float
    kv_tokens: int


def fit(model: Model, accelerator: Accelerator, tensor_parallel_size: int) -> MemoryFit:
    """The memory of each of `tensor_parallel_size` GPUs that share the model."""
    usable = accelerator.memory_gib * GPU_MEMORY_UTILIZATION
    weights = model.weights_gib / tensor_parallel_size
    overhead = _overhead_gib(model, tensor_parallel_size)
    kv = usable - weights - overhead
    block_bytes = model.kv_bytes_per_token(tensor_parallel_size) * _BLOCK_TOKENS
    blocks = max(0, int(kv * GIB // block_bytes))
    return MemoryFit(
        usable_gib=usable,
        weights_gib=weights,
        overhead_gib=overhead,
        kv_gib=kv,
        kv_tokens=blocks * _BLOCK_TOKENS,
    )


def _overhead_gib(model: Model, tensor_parallel_size: int) -> float:
    logits = _ACTIVATION_MOE if model.is_moe else _ACTIVATION_DENSE
    activation = logits * _ACTIVATION_SEQUENCES * model.vocabulary * 4 / GIB
    non_torch = _NON_TORCH_GIB if tensor_parallel_size == 1 else _NON_TORCH_TP_GIB
    return activation + non_torch + _CUDA_GRAPH_GIB
