"""A model's matrices under the names of its checkpoint, by which a quantisation leaves some of them out.

As vLLM's own models name and fuse them (vllm/model_executor/models, 0.32.0). Routers, convolutions, norms, encoders and
embeddings are not among them: none is quantised.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from breakeven.core.architecture import Recurrent
from breakeven.errors import InputError
from breakeven.huggingface import attention
from breakeven.huggingface.attention import Heads
from breakeven.huggingface.config import Config
from breakeven.huggingface.families import Family
from breakeven.huggingface.feed_forward import FeedForward


@dataclass(frozen=True, kw_only=True)
class Module:
    """`name` begins with `model.layers.`, whatever stands before `layers.` in the checkpoint."""

    name: str
    parameters: int


# Where experts stand in a layer, and what those of every token are called.
_EXPERTS_IN: Final = {"MiniMax-M2": "block_sparse_moe", "Mixtral": "block_sparse_moe", "Gemma 4": "moe"}
_SHARED: Final = {"Qwen2-MoE": "shared_expert", "Qwen3-Next": "shared_expert", "Qwen3.5": "shared_expert"}
# Named otherwise, and met in no such checkpoint.
_UNNAMED: Final = ("falcon", "bloom")


def modules(config: Config, family: Family, forward: FeedForward) -> Iterator[Module]:
    """Of all layers. Raises InputError for keys that are missing, and for a family whose names are not known."""
    if family.attention in _UNNAMED or family.title in ("Phi", "Llama 4", "MiniMax-M3"):
        where = f"{config.path}: quantization_config"
        raise InputError(f"which matrices of {family.title} modelopt leaves out is not understood", where=where)
    for number in range(config.count("num_hidden_layers")):
        parts = _nemotron if family.attention == "mamba" else _layer
        for name, parameters in parts(config, family, forward, number):
            yield Module(name=f"model.layers.{number}.{name}", parameters=parameters)


def _layer(config: Config, family: Family, forward: FeedForward, number: int) -> Iterator[tuple[str, int]]:
    hidden = config.count("hidden_size")
    yield from _mixer(config, family, number, hidden)
    has_experts = forward.expert_layers and number >= config.count("num_hidden_layers") - forward.expert_layers
    if not has_experts or family.experts == "beside":
        yield from _matrices("mlp", forward, hidden, forward.dense_width)
    if has_experts:
        within = _EXPERTS_IN.get(family.title, "mlp")
        yield from _experts(within, _SHARED.get(family.title, "shared_experts"), forward, hidden)


def _matrices(within: str, forward: FeedForward, hidden: int, width: int) -> Iterator[tuple[str, int]]:
    for name in ("gate_proj", "up_proj", "down_proj")[-forward.matrices :]:
        yield f"{within}.{name}", hidden * width


def _experts(within: str, shared: str, forward: FeedForward, hidden: int) -> Iterator[tuple[str, int]]:
    size = forward.matrices * (forward.latent or hidden) * forward.expert_width
    yield f"{within}.experts", forward.experts * size
    yield from _matrices(f"{within}.{shared}", forward, hidden, forward.shared_width)


def _nemotron(config: Config, family: Family, forward: FeedForward, number: int) -> Iterator[tuple[str, int]]:
    """Each layer is one mixer (nemotron_h.py)."""
    hidden, letter = config.count("hidden_size"), attention.pattern(config)[number]
    if letter == "M" and (recurrent := attention.recurrent(config, family)):
        inner = recurrent.heads * recurrent.head_dim
        yield "mixer.in_proj", hidden * (recurrent.conv_channels + inner + recurrent.heads)
        yield "mixer.out_proj", inner * hidden
    elif letter == "*":
        yield from _attention(config, hidden, attention.heads(config, family), "mixer")
    elif letter == "E":
        yield from _experts("mixer", "shared_experts", forward, hidden)
        if forward.latent:
            yield "mixer.fc1_latent_proj", hidden * forward.latent
            yield "mixer.fc2_latent_proj", forward.latent * hidden
    else:
        yield from _matrices("mixer", forward, hidden, forward.dense_width)


def _mixer(config: Config, family: Family, number: int, hidden: int) -> Iterator[tuple[str, int]]:
    kind = _kind(config, family, number)
    recurrent = attention.recurrent(config, family)
    if kind == "linear_attention" and recurrent:
        yield from _delta(recurrent, hidden)
    elif family.attention == "latent":
        yield from _latent(config, hidden)
    else:
        yield from _attention(config, hidden, _heads(config, family, kind))


def _kind(config: Config, family: Family, number: int) -> str:
    """As `layer_types` says, or as attention.recurrent counts where it says nothing."""
    if kinds := config.names("layer_types"):
        return str(kinds[number])
    interval = config.optional("full_attention_interval") or 4
    return "linear_attention" if family.attention == "delta" and (number + 1) % interval else "full_attention"


def _heads(config: Config, family: Family, kind: str) -> Heads:
    full, sliding = attention.heads(config, family), attention.sliding(config, family)
    if kind == "sliding_attention" and sliding and sliding.kv_heads and sliding.head_dim:
        return Heads(attention=full.attention, kv=sliding.kv_heads, dim=sliding.head_dim)
    return full


def _attention(config: Config, hidden: int, heads: Heads, within: str = "self_attn") -> Iterator[tuple[str, int]]:
    """Keys that stand for values, too, fill both places of the fused matrix (gemma4.py Gemma4Attention)."""
    query, kept = heads.attention * heads.dim, heads.kv * heads.dim
    yield f"{within}.q_proj", hidden * query * (2 if config.flag("attn_output_gate") else 1)
    yield f"{within}.k_proj", hidden * kept
    yield f"{within}.v_proj", hidden * kept
    yield f"{within}.o_proj", query * hidden


def _latent(config: Config, hidden: int) -> Iterator[tuple[str, int]]:
    heads, rank, rope = (
        config.count("num_attention_heads"),
        config.count("kv_lora_rank"),
        config.count("qk_rope_head_dim"),
    )
    nope, value = config.count("qk_nope_head_dim"), config.count("v_head_dim")
    if query_rank := config.optional("q_lora_rank"):
        yield "self_attn.q_a_proj", hidden * query_rank
        yield "self_attn.q_b_proj", query_rank * heads * (nope + rope)
    else:
        yield "self_attn.q_proj", hidden * heads * (nope + rope)
    yield "self_attn.kv_a_proj_with_mqa", hidden * (rank + rope)
    yield "self_attn.kv_b_proj", rank * heads * (nope + value)
    yield "self_attn.o_proj", heads * value * hidden


def _delta(recurrent: Recurrent, hidden: int) -> Iterator[tuple[str, int]]:
    inner = recurrent.heads * recurrent.head_dim
    yield "linear_attn.in_proj_qkv", hidden * recurrent.conv_channels
    yield "linear_attn.in_proj_z", hidden * inner
    yield "linear_attn.in_proj_b", hidden * recurrent.heads
    yield "linear_attn.in_proj_a", hidden * recurrent.heads
    yield "linear_attn.out_proj", inner * hidden
