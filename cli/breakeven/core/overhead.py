"""GiB that vLLM needs on each GPU beside weights and KV cache.

The activation peak is put together from what vLLM allocates while it profiles itself: `max_num_batched_tokens` tokens
through the layers, then `max_num_seqs` of them through the sampler (vllm/v1/worker/gpu_model_runner.py profile_run).
Three constants come from startup logs of vLLM 0.19.0 on H100 for the Llama 3 and CodeLlama models only
(llm-d-planner accuracy/results/v0.19.0, 2026-04-22); the logs of other families only test it: docs/accuracy.md.
"""

from __future__ import annotations

from typing import Final

from breakeven.core.engine_args import EngineArgs
from breakeven.core.hardware import Accelerator
from breakeven.core.model import Model
from breakeven.core.units import GIB

# What the peak exceeds the tensors below by: 0.14 for CodeLlama-7B, and for the stages of Llama-3.1-8B.
_ACTIVATION_BASE_GIB: Final = 0.14
# CUDA's context beyond what was there before the engine, and with it NCCL's buffers: 2.07 to 2.21.
_NON_TORCH_GIB: Final = 0.25
_NON_TORCH_TP_GIB: Final = 2.1
# 0.91 for Llama-3.1-8B, 1.79 for Llama-3.3-70B. Experts add some: on average 0.5, from 0 to 1.1.
_GRAPHS_BASE_GIB: Final = 0.25
_GRAPHS_PER_LAYER_GIB: Final = 0.02
_GRAPHS_EXPERTS_GIB: Final = 0.5

# The sampler holds the logits, their fp32 copy, and two fp32 tensors of that shape beside it.
_SAMPLER_FP32_BYTES: Final = 12


def non_torch_gib(args: EngineArgs) -> float:
    return _NON_TORCH_GIB if args.tensor_parallel_size == 1 else _NON_TORCH_TP_GIB


def cuda_graph_gib(model: Model, args: EngineArgs) -> float:
    """Of the pipeline rank with the most layers. With LoRA each graph is captured twice, with adapters and without.

    vllm/v1/cudagraph_dispatcher.py, cudagraph_specialize_lora; no start-up log with LoRA was at hand to measure it.
    """
    layers = -(-model.layers // args.pipeline_parallel_size)
    experts = _GRAPHS_EXPERTS_GIB if model.is_moe else 0.0
    once = _GRAPHS_BASE_GIB + _GRAPHS_PER_LAYER_GIB * layers + experts
    return 2 * once if args.max_loras else once


def activation_gib(model: Model, accelerator: Accelerator, args: EngineArgs, *, samples: bool) -> float:
    """The peak of a pipeline rank; only the last one samples."""
    tokens = args.batched_tokens(accelerator)
    hidden = tokens * model.hidden_size * args.element_bytes
    peak = _forward_bytes(model, tokens, args)
    if samples:
        peak = max(peak, hidden + _sampler_bytes(model, args.sequences(accelerator), args))
    if args.pipeline_parallel_size > 1:
        peak += 2 * hidden  # hidden states and residuals on their way between the stages
    if model.multimodal:
        peak += 2 * hidden  # the encoder's output and the inputs' embeddings
    return _ACTIVATION_BASE_GIB + (peak + _experts_bytes(model, tokens, args)) / GIB


def _sampler_bytes(model: Model, sequences: int, args: EngineArgs) -> int:
    return sequences * model.vocabulary * (args.element_bytes + _SAMPLER_FP32_BYTES)


def _forward_bytes(model: Model, tokens: int, args: EngineArgs) -> float:
    """Hidden state and residual, and the feed-forward layer's gate, up and their product."""
    width = 2 * model.hidden_size + 3 * model.intermediate_size / args.tensor_parallel_size
    return tokens * width * args.element_bytes


def _experts_bytes(model: Model, tokens: int, args: EngineArgs) -> float:
    """The two workspaces of the fused kernels, which stay allocated; those for mxfp4 have none.

    vllm/model_executor/layers/fused_moe/experts/triton_moe.py workspace_shapes.
    """
    if model.experts is None or (args.precision or model.precision) == "mxfp4":
        return 0.0
    width = model.experts.intermediate_size / args.tensor_parallel_size
    workspaces = max(width, model.hidden_size) + max(2 * width, model.hidden_size)
    return tokens * model.experts.per_token * workspaces * args.element_bytes
