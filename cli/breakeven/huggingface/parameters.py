"""How many parameters an architecture has, from the shapes of its layers; norms and biases as far as they count.

What is left out (biases of a few families, an encoder's adapters) is below 0.5 % of any model in the catalogue.
"""

from __future__ import annotations

from typing import Final

from breakeven.core.architecture import Recurrent, SharedCache
from breakeven.huggingface.attention import Heads
from breakeven.huggingface.config import Config
from breakeven.huggingface.families import Family

# What a config.json may leave out (transformers 5, configuration_gemma4.py Gemma4AudioConfig).
_AUDIO: Final = {"hidden_size": 1024, "output_proj_dims": 1536, "num_hidden_layers": 12}


def attention_parameters(config: Config, family: Family, hidden: int, heads: Heads) -> int:
    """Of one layer of full attention."""
    if family.attention == "latent":
        return _latent(config, hidden, heads)
    query = heads.attention * heads.dim * (2 if config.flag("attn_output_gate") else 1)
    bias = query + 2 * heads.kv * heads.dim if family.qkv_bias or config.flag("attention_bias") else 0
    keys = 1 if config.flag("attention_k_eq_v") else 2
    return hidden * (query + keys * heads.kv * heads.dim) + heads.attention * heads.dim * hidden + bias


def _latent(config: Config, hidden: int, heads: Heads) -> int:
    """Multi-head latent attention, with the indexer where there is one."""
    rank, rope = config.count("kv_lora_rank"), config.count("qk_rope_head_dim")
    nope, value = config.count("qk_nope_head_dim"), config.count("v_head_dim")
    query_rank = config.optional("q_lora_rank")
    query_out = heads.attention * (nope + rope)
    query = query_rank * (hidden + query_out) if query_rank else hidden * query_out
    cache = hidden * (rank + rope) + rank * heads.attention * (nope + value)
    return query + cache + heads.attention * value * hidden


def indexer_parameters(config: Config, hidden: int) -> int:
    """Of one layer."""
    dim = config.optional("index_head_dim")
    if dim and (rank := config.optional("q_lora_rank")):
        count = config.count("index_n_heads")
        return rank * count * dim + hidden * dim + hidden * count
    sparse = config.table("sparse_attention_config")
    if sparse.get("use_sparse_attention"):
        return hidden * int(sparse["sparse_index_dim"]) * (int(sparse["sparse_num_index_heads"]) + 1)
    return 0


def recurrent_parameters(recurrent: Recurrent, family: Family, hidden: int) -> int:
    """Of one layer: projections in and out, the gate, a value and a decay per head, the convolution."""
    inner = recurrent.heads * recurrent.head_dim
    per_head = 2 if family.attention == "delta" else 1
    projections = hidden * (recurrent.conv_channels + inner + per_head * recurrent.heads) + inner * hidden
    return projections + recurrent.conv_channels * recurrent.conv_kernel


def sharing_parameters(shared: SharedCache, hidden: int, *, full: Heads, sliding: Heads) -> int:
    """Of the layers that read another's keys and values: their queries and outputs."""
    width = shared.full * full.attention * full.dim + shared.sliding * sliding.attention * sliding.dim
    return 2 * hidden * width


def per_layer_embedding_parameters(config: Config) -> int:
    """The tables of Gemma 4 E2B and E4B, all layers' together."""
    return _per_layer_width(config) * (config.optional("vocab_size_per_layer_input") or 0)


def per_layer_parameters(config: Config, hidden: int) -> int:
    """What puts them into each layer: one projection for all, and a gate and a projection in each."""
    return 3 * hidden * _per_layer_width(config)


def _per_layer_width(config: Config) -> int:
    size = config.optional("hidden_size_per_layer_input")
    return size * config.count("num_hidden_layers") if size else 0


def encoder_parameters(config: Config) -> int:
    """A vision transformer's layers and the adapter to the language model, and Gemma 4's ears; 0 without them."""
    return _vision(config) + _audio(config)


def _audio(config: Config) -> int:
    """Gemma 4's conformer: two feed-forward layers, attention with relative positions, and a convolution in each."""
    audio = config.whole.get("audio_config")
    if not isinstance(audio, dict) or audio.get("model_type") != "gemma4_audio":
        return 0
    hidden = _first(audio, "hidden_size") or _AUDIO["hidden_size"]
    out = _first(audio, "output_proj_dims") or _AUDIO["output_proj_dims"]
    layers = _first(audio, "num_hidden_layers") or _AUDIO["num_hidden_layers"]
    return layers * 24 * hidden**2 + hidden**2 + hidden * out + out * config.count("hidden_size")


def _vision(config: Config) -> int:
    vision = config.whole.get("vision_config")
    if not isinstance(vision, dict):
        return 0
    if vision.get("model_type") == "gemma4_vision":
        return _gemma4_vision(config, vision)
    hidden = _first(vision, "hidden_size", "vt_hidden_size")
    depth = _first(vision, "depth", "num_hidden_layers", "vt_num_hidden_layers")
    width = _first(vision, "intermediate_size", "vt_intermediate_size")
    merged = hidden * _first(vision, "spatial_merge_size") ** 2
    out = _first(vision, "out_hidden_size")
    adapters = 1 + len(vision.get("deepstack_visual_indexes") or ())
    return depth * (4 * hidden**2 + 2 * hidden * width) + adapters * merged * (merged + out)


def _gemma4_vision(config: Config, vision: dict[str, object]) -> int:
    """Gated layers, and a table of positions for rows and columns (transformers, modeling_gemma4.py)."""
    hidden, width = _first(vision, "hidden_size"), _first(vision, "intermediate_size")
    patches = 3 * _first(vision, "patch_size") ** 2 + 2 * _first(vision, "position_embedding_size")
    adapter = hidden * config.count("hidden_size")
    return _first(vision, "num_hidden_layers") * (4 * hidden**2 + 3 * hidden * width) + patches * hidden + adapter


def _first(table: dict[str, object], *keys: str) -> int:
    return next((value for key in keys if isinstance(value := table.get(key), int)), 0)
