"""Bytes on each GPU that vLLM sets aside for LoRA adapters when it starts, whatever they hold: a slot each, in bf16.

A slot has two matrices for every linear layer, A (rank × what goes in) and B (what comes out × rank), for every routed
expert, and for the embeddings. Over the GPUs only what comes out of a layer that is cut by columns is split, and what
goes into one that is cut by rows (vllm/lora/layers, fully_sharded_loras off, 0.32.0). Slots of recurrent layers, of the
embeddings of models that take no adapter there, and of a dense layer beside experts are upper bounds.
"""

from __future__ import annotations

from breakeven.core.engine_args import EngineArgs
from breakeven.core.model import BF16_BYTES, Model
from breakeven.core.weights import layers_on_rank


def adapters_bytes(model: Model, args: EngineArgs, rank: int) -> float:
    """Of one GPU of the pipeline rank."""
    if not args.max_loras:
        return 0.0
    share = layers_on_rank(model.layers, args.pipeline_parallel_size, rank) / model.layers
    width = _layers_width(model, args.tensor_parallel_size) * share + _embeddings_width(model, args, rank)
    return width * args.max_loras * args.max_lora_rank * BF16_BYTES


def _layers_width(model: Model, tp: int) -> float:
    """Elements of all layers for each of an adapter's ranks."""
    attention = _latent_width(model, tp) if model.mla else _attention_width(model, tp)
    dense = 3 * (model.hidden_size + model.intermediate_size / tp)
    return (
        attention * model.caching_layers
        + dense * model.layers
        + _recurrent_width(model, tp) * model.recurrent_layers
        + _experts_width(model, tp)
    )


def _attention_width(model: Model, tp: int) -> float:
    """Query, key and value; then the output."""
    heads, kv_heads = model.attention_heads / tp, max(1.0, model.kv_heads / tp)
    return 3 * model.hidden_size + (heads + 2 * kv_heads) * model.head_dim + heads * model.head_dim + model.hidden_size


def _latent_width(model: Model, tp: int) -> float:
    """The down projections, which every GPU has whole; then the query, keys and values, and the output."""
    assert model.mla is not None
    mla, heads = model.mla, model.attention_heads / tp
    query = mla.q_lora_rank or model.hidden_size
    down = 2 * model.hidden_size + mla.replicated_width
    up = query + mla.kv_lora_rank + heads * (mla.qk_nope_head_dim + mla.head_width)
    return down + up + heads * mla.v_head_dim + model.hidden_size


def _recurrent_width(model: Model, tp: int) -> float:
    """What goes in, in at most six parts, and what comes out."""
    if model.recurrent is None:
        return 0.0
    values = model.recurrent.heads * model.recurrent.head_dim
    return 7 * model.hidden_size + (model.recurrent.conv_channels + 3 * values) / tp


def _experts_width(model: Model, tp: int) -> float:
    """All experts of all layers: a matrix of hidden × width has that many elements for each rank."""
    if model.experts is None:
        return 0.0
    width = model.experts.intermediate_size
    matrices = model.experts.parameters_billion * 1e9 / (model.hidden_size * width)
    return matrices * (model.hidden_size + width / tp)


def _embeddings_width(model: Model, args: EngineArgs, rank: int) -> int:
    """Whole on every GPU: the input's on the first stage, the output's on the last."""
    held = (rank == 0) + (rank == args.pipeline_parallel_size - 1)
    return held * (model.vocabulary + model.hidden_size)
