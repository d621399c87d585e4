"""Attention and recurrent layers: what they keep, and their parameters."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.core.architecture import Indexer, Mla, Recurrent, SharedCache, Sliding
from breakeven.errors import InputError
from breakeven.huggingface.config import Config
from breakeven.huggingface.families import Family

# An indexer's key in DeepSeek-V3.2 and GLM-5: fp8, and an fp32 scale for each 128.
_INDEX_SCALE_BYTES = 4
_INDEX_SCALE_OF = 128


@dataclass(frozen=True, kw_only=True)
class Heads:
    """Of full attention."""

    attention: int
    kv: int
    dim: int


def heads(config: Config, family: Family) -> Heads:
    attention = config.count("num_attention_heads", "n_head")
    dim = config.optional("global_head_dim", "head_dim") or config.count("hidden_size", "n_embed") // attention
    if family.attention == "bloom":
        return Heads(attention=attention, kv=attention, dim=dim)
    if family.attention == "falcon":
        return Heads(attention=attention, kv=_falcon_kv_heads(config, attention), dim=dim)
    kv = config.optional("num_global_key_value_heads", "num_key_value_heads") or attention
    return Heads(attention=attention, kv=kv, dim=dim)


def _falcon_kv_heads(config: Config, attention: int) -> int:
    if config.flag("new_decoder_architecture"):
        return config.optional("num_kv_heads") or attention
    return 1 if config.flag("multi_query", default=True) else attention


def mla(config: Config, family: Family) -> Mla | None:
    if family.attention != "latent":
        return None
    return Mla(
        kv_lora_rank=config.count("kv_lora_rank"),
        qk_rope_head_dim=config.count("qk_rope_head_dim"),
        q_lora_rank=config.optional("q_lora_rank"),
        qk_nope_head_dim=config.count("qk_nope_head_dim"),
        v_head_dim=config.count("v_head_dim"),
    )


def indexer(config: Config) -> Indexer | None:
    """Beside MLA it keeps fp8; MiniMax-M3 keeps bf16 keys for its sparse layers."""
    if dim := config.optional("index_head_dim"):
        kinds = config.names("indexer_types")
        layers = sum(1 for kind in kinds if kind == "full") if kinds else config.count("num_hidden_layers")
        return Indexer(layers=layers, bytes_per_token=dim + dim // _INDEX_SCALE_OF * _INDEX_SCALE_BYTES)
    sparse = config.table("sparse_attention_config")
    if sparse.get("use_sparse_attention"):
        layers = sum(1 for each in sparse["sparse_attention_freq"] if each)
        return Indexer(layers=layers, bytes_per_token=2 * int(sparse["sparse_index_dim"]))
    return None


def sliding(config: Config, family: Family) -> Sliding | None:
    layers = config.count("num_hidden_layers", "n_layer")
    if family.window == "chunks":
        return Sliding(layers=layers - layers // 4, window=config.count("attention_chunk_size"), kind="chunked")
    window = config.optional("sliding_window")
    if window is None or not config.flag("use_sliding_window", default=True):
        return None
    shared = shared_cache(config)
    count = _sliding_layers(config, family, layers) - (shared.sliding if shared else 0)
    if not count:
        return None
    own = config.optional("global_head_dim") is not None
    return Sliding(
        layers=count,
        window=window,
        kv_heads=config.count("num_key_value_heads") if own else None,
        head_dim=config.count("head_dim") if own else None,
    )


def _sliding_layers(config: Config, family: Family, layers: int) -> int:
    if kinds := config.names("layer_types"):
        return sum(1 for kind in kinds if kind == "sliding_attention")
    if family.window == "alternate":
        return -(-layers // 2)
    if family.window == "five of six":
        return layers - layers // (config.optional("sliding_window_pattern") or 6)
    return layers


def shared_cache(config: Config) -> SharedCache | None:
    """Raises InputError where it is not said of what kind the layers are."""
    count, kinds = config.optional("num_kv_shared_layers"), config.names("layer_types")
    if not count:
        return None
    last = kinds[-count:]
    if len(kinds) <= count or set(last) - set(kinds[:-count]) or set(last) - {"full_attention", "sliding_attention"}:
        raise InputError(
            "expected layer_types with a full or sliding layer before each that shares its cache",
            where=f"{config.path}: num_kv_shared_layers",
        )
    return SharedCache(full=last.count("full_attention"), sliding=last.count("sliding_attention"))


def recurrent(config: Config, family: Family) -> Recurrent | None:
    if family.attention == "delta":
        return _delta(config)
    return _mamba(config) if family.attention == "mamba" else None


def _delta(config: Config) -> Recurrent:
    """Gated delta net: vllm/model_executor/layers/mamba/mamba_utils.py gated_delta_net_state_shape."""
    key_heads, key = config.count("linear_num_key_heads"), config.count("linear_key_head_dim")
    value_heads, value = config.count("linear_num_value_heads"), config.count("linear_value_head_dim")
    return Recurrent(
        layers=_linear_layers(config),
        heads=value_heads,
        head_dim=value,
        state_size=key,
        conv_channels=2 * key_heads * key + value_heads * value,
        conv_kernel=config.count("linear_conv_kernel_dim"),
        # What a config leaves out (Qwen3-Next) is the activations'.
        state_bytes=_state_bytes(config, "mamba_ssm_dtype", "bfloat16"),
    )


def _linear_layers(config: Config) -> int:
    """Three of four where no layer is named."""
    if kinds := config.names("layer_types"):
        return sum(1 for kind in kinds if kind == "linear_attention")
    layers = config.count("num_hidden_layers")
    return layers - layers // (config.optional("full_attention_interval") or 4)


def _mamba(config: Config) -> Recurrent:
    """Mamba-2: the same file, mamba2_state_shape."""
    count, dim, state = (config.count(key) for key in ("mamba_num_heads", "mamba_head_dim", "ssm_state_size"))
    return Recurrent(
        layers=pattern(config).count("M"),
        heads=count,
        head_dim=dim,
        state_size=state,
        conv_channels=count * dim + 2 * config.count("n_groups") * state,
        conv_kernel=config.count("conv_kernel"),
        state_bytes=_state_bytes(config, "mamba_ssm_cache_dtype", "float32"),
    )


def _state_bytes(config: Config, key: str, default: str) -> int:
    """Of an element: mamba_utils.py _mamba_state_dtype, and models/config.py for what a config asks for."""
    return 4 if config.text.get(key, default) == "float32" else 2


def pattern(config: Config) -> str:
    """Nemotron-H's layers as letters: Mamba, attention (*), Experts, dense (-). Raises InputError without them."""
    words = {"mamba": "M", "attention": "*", "moe": "E", "mlp": "-"}
    named = "".join(words.get(str(kind), "?") for kind in config.names("layers_block_type"))
    found = named or str(config.text.get("hybrid_override_pattern") or "")
    if not found or set(found) - set("M*E-"):
        raise InputError("expected letters of M, *, E and -", where=f"{config.path}: hybrid_override_pattern")
    return found
