"""A Model from a config.json."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from breakeven.core.architecture import Experts
from breakeven.core.model import Model
from breakeven.errors import InputError
from breakeven.huggingface import attention, parameters
from breakeven.huggingface.config import Config, read
from breakeven.huggingface.families import Family, family
from breakeven.huggingface.feed_forward import FeedForward, feed_forward
from breakeven.huggingface.modules import modules
from breakeven.huggingface.quantisation import Quantisation, quantisation


def model(path: Path) -> Model:
    """Raises InputError for what cannot be read, and for an architecture or a quantisation that is not understood."""
    config = read(path)
    kind = family(config.architecture, f"{config.path}: architectures")
    config = replace(config, text={**kind.defaults, **config.text})
    if kind.attention == "mamba":
        config = replace(config, text={**config.text, "num_hidden_layers": len(attention.pattern(config))})
    forward = _nemotron_feed_forward(config) if kind.attention == "mamba" else feed_forward(config, kind)
    try:
        return _model(config, kind, forward)
    except ValueError as error:
        raise InputError(str(error), where=str(path)) from error


def _model(config: Config, kind: Family, forward: FeedForward) -> Model:
    hidden = config.count("hidden_size", "n_embed")
    heads = attention.heads(config, kind)
    tied = config.flag("tie_word_embeddings", default=kind.tied_embeddings)
    vocabulary = config.count("vocab_size")
    layers = config.count("num_hidden_layers", "n_layer")
    recurrent = attention.recurrent(config, kind)
    attentive = attention.pattern(config).count("*") if kind.attention == "mamba" else None
    body = _body(config, kind, forward, hidden, layers if attentive is None else attentive)
    tables = parameters.per_layer_embedding_parameters(config)
    total = body + vocabulary * hidden * (1 if tied else 2) + tables + parameters.encoder_parameters(config)
    experts = forward.expert_parameters(hidden)
    active = total - experts * (1 - forward.per_token / forward.experts) if experts else total
    stored = quantisation(config)
    return Model(
        name=config.name,
        family=kind.title,
        parameters_billion=total / 1e9,
        active_parameters_billion=active / 1e9,
        layers=layers,
        hidden_size=hidden,
        intermediate_size=_widest(forward),
        attention_heads=heads.attention,
        kv_heads=heads.kv,
        head_dim=heads.dim,
        vocabulary=vocabulary,
        context_length=config.count("max_position_embeddings", "seq_length"),
        licence="unknown",
        openness="open-weights",
        gated=False,
        source=str(config.path),
        checked=_written(config.path),
        precision=stored.precision,
        quantised_billion=_quantised_billion(config, kind, forward, stored),
        quantised_bytes=stored.parameter_bytes,
        kv_cache_dtype=stored.modelopt.kv_cache_dtype if stored.modelopt else "auto",
        per_layer_embedding_billion=tables / 1e9 if tables else None,
        tied_embeddings=tied,
        multimodal="vision_config" in config.whole,
        rotary_dim=_rotary_dim(config, kind, heads.dim),
        attention_layers=attentive,
        mla=attention.mla(config, kind),
        sliding=attention.sliding(config, kind),
        shared_cache=attention.shared_cache(config),
        recurrent=recurrent,
        indexer=attention.indexer(config),
        experts=_experts(forward, experts),
    )


def _body(config: Config, kind: Family, forward: FeedForward, hidden: int, attentive: int) -> int:
    """Parameters of all layers but the embeddings and an encoder."""
    recurrent, sliding = attention.recurrent(config, kind), attention.sliding(config, kind)
    indexer = attention.indexer(config)
    total = forward.parameters(hidden) + parameters.per_layer_parameters(config, hidden)
    shared = attention.shared_cache(config)
    if recurrent:
        total += recurrent.layers * parameters.recurrent_parameters(recurrent, kind, hidden)
        attentive -= 0 if kind.attention == "mamba" else recurrent.layers
    heads = attention.heads(config, kind)
    if sliding and sliding.kv_heads and sliding.head_dim:
        own = attention.Heads(attention=heads.attention, kv=sliding.kv_heads, dim=sliding.head_dim)
        # Only full attention uses its keys as values.
        keyed = replace(config, text={**config.text, "attention_k_eq_v": False})
        total += sliding.layers * parameters.attention_parameters(keyed, kind, hidden, own)
        attentive -= sliding.layers
        if shared:
            total += parameters.sharing_parameters(shared, hidden, full=heads, sliding=own)
            attentive -= shared.full + shared.sliding
    total += attentive * parameters.attention_parameters(config, kind, hidden, heads)
    return total + (indexer.layers * parameters.indexer_parameters(config, hidden) if indexer else 0)


def _nemotron_feed_forward(config: Config) -> FeedForward:
    letters = attention.pattern(config)
    return FeedForward(
        dense_layers=letters.count("-"),
        dense_width=config.count("intermediate_size"),
        matrices=2,
        expert_layers=letters.count("E"),
        experts=config.count("n_routed_experts") if "E" in letters else 0,
        per_token=config.count("num_experts_per_tok") if "E" in letters else 0,
        expert_width=config.count("moe_intermediate_size") if "E" in letters else 0,
        shared_width=config.optional("moe_shared_expert_intermediate_size") or 0,
        latent=config.optional("moe_latent_size"),
    )


def _quantised_billion(config: Config, kind: Family, forward: FeedForward, stored: Quantisation) -> float | None:
    """None for all but the embeddings."""
    if stored.experts_only:
        return forward.expert_parameters(config.count("hidden_size")) / 1e9
    return stored.modelopt.parameters(modules(config, kind, forward)) / 1e9 if stored.modelopt else None


def _widest(forward: FeedForward) -> int:
    """Of a dense layer, or of the expert that every token passes; one of those chosen where there is neither."""
    dense = forward.dense_width * (2 if forward.doubled_layers else 1) if forward.dense_layers else 0
    return max(dense, forward.shared_width) or forward.expert_width


def _experts(forward: FeedForward, experts: int) -> Experts | None:
    if not experts:
        return None
    return Experts(
        count=forward.experts,
        per_token=forward.per_token,
        intermediate_size=forward.expert_width,
        parameters_billion=experts / 1e9,
    )


def _rotary_dim(config: Config, kind: Family, head_dim: int) -> int | None:
    """None for what the Model takes by itself: the whole head, or MLA's rotary part."""
    if found := config.optional("rotary_dim"):
        return found
    share = config.table("rope_parameters").get("partial_rotary_factor", config.text.get("partial_rotary_factor"))
    return int(head_dim * share) if kind.attention != "latent" and share else None


def _written(path: Path) -> date:
    return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC).date()
