"""Bytes of weights on each GPU."""

from __future__ import annotations

from typing import Final

from breakeven.core.engine_args import EngineArgs
from breakeven.core.model import Model
from breakeven.core.precision import Precision

# Marlin's tiles: vllm/model_executor/layers/fused_moe/oracle/mxfp4.py, 0.32.0.
_MXFP4_HIDDEN_TILE: Final = 256
_MXFP4_EXPERT_TILE: Final = 128


def rank_weights_bytes(model: Model, args: EngineArgs, rank: int) -> float:
    """Of one GPU of the pipeline rank: its layers, the input embedding on the first, the output head on the last."""
    precision = args.precision or model.precision
    share = layers_on_rank(model.layers, args.pipeline_parallel_size, rank) / model.layers
    body = _body_bytes(model, args, precision) * share + _replicated_bytes(model, args, precision) * share
    embeddings = _embeddings_on_rank(model, args, rank) * model.vocabulary * model.hidden_size * args.element_bytes
    return (body + embeddings) + _looked_up_bytes(model, args) + _rotary_bytes(model, args)


def layers_on_rank(layers: int, pipeline_parallel_size: int, rank: int) -> int:
    """Even shares; what is left goes to the stages before the last one, from the back.

    vllm/distributed/utils.py get_pp_indices.
    """
    base, rest = divmod(layers, pipeline_parallel_size)
    takes_one = 2 <= pipeline_parallel_size - rank < 2 + rest
    return base + (1 if takes_one else 0)


def _body_bytes(model: Model, args: EngineArgs, precision: Precision) -> float:
    """Everything but the embeddings, split over the GPUs of a stage."""
    body = (model.parameters_billion - model.embedding_billion - model.looked_up_billion) * 1e9
    quantised = 0.0 if precision == "bf16" else min(body, model.quantisable_billion(precision) * 1e9)
    padding = _mxfp4_padding(model, args) if precision == "mxfp4" else 1.0
    stored = quantised * padding * model.quantised_parameter_bytes(precision) + (body - quantised) * args.element_bytes
    return stored / args.tensor_parallel_size


def _mxfp4_padding(model: Model, args: EngineArgs) -> float:
    """How much larger the experts become when rounded up to the kernel's tiles."""
    if model.experts is None:
        return 1.0
    width = model.experts.intermediate_size / args.tensor_parallel_size
    hidden = _rounded_up(model.hidden_size, _MXFP4_HIDDEN_TILE) / model.hidden_size
    return hidden * _rounded_up(width, _MXFP4_EXPERT_TILE) / width


def _rounded_up(value: float, tile: int) -> int:
    return int(-(-value // tile) * tile)


def _replicated_bytes(model: Model, args: EngineArgs, precision: Precision) -> float:
    """What a GPU holds beyond its share: MLA's down projections, and KV heads of which there are too few."""
    tp = args.tensor_parallel_size
    if model.mla:
        width = model.mla.replicated_width * (1 - 1 / tp)
    else:
        width = 2 * model.head_dim * (max(1, model.kv_heads // tp) - model.kv_heads / tp)
    quantised = precision != "mxfp4" and model.quantised_billion is None
    size = model.quantised_parameter_bytes(precision) if quantised and precision != "bf16" else args.element_bytes
    return width * model.hidden_size * model.caching_layers * size


def _embeddings_on_rank(model: Model, args: EngineArgs, rank: int) -> float:
    """How many of the two matrices, over the GPUs of the rank."""
    last = args.pipeline_parallel_size - 1
    held = (rank == 0) + (rank == last)
    if model.tied_embeddings and last == 0:
        held = 1
    return held / args.tensor_parallel_size


def _looked_up_bytes(model: Model, args: EngineArgs) -> float:
    """Per-layer embeddings, split over the GPUs of every stage (vllm/model_executor/models/gemma4.py Gemma4Model)."""
    return model.looked_up_billion * 1e9 * args.element_bytes / args.tensor_parallel_size


def _rotary_bytes(model: Model, args: EngineArgs) -> float:
    """The table of cosines and sines for every position, whole on every GPU."""
    dim = model.rotary_dim
    if dim is None:
        dim = model.mla.qk_rope_head_dim if model.mla else model.head_dim
    return model.context_length * dim * args.element_bytes
