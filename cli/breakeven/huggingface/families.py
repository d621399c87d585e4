"""The architectures that are understood, by the name that stands in config.json, and what each leaves unsaid there.

Read from vLLM's own models (vllm/model_executor/models, 0.32.0) and the configuration classes of transformers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final, Literal

from breakeven.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Family:
    """What a family's config.json does not say.

    `experts`: None for dense models; "with one shared" of the same width (Llama 4); "beside" a dense layer (Gemma 4).
    `window`: which layers slide where no `layer_types` says so: every second, five of six, or three of four in chunks.
    """

    title: str
    experts: Literal["routed", "with one shared", "beside"] | None = None
    feed_forward_matrices: int = 3
    window: Literal["alternate", "five of six", "chunks"] | None = None
    attention: Literal["grouped", "latent", "delta", "mamba", "falcon", "bloom"] = "grouped"
    tied_embeddings: bool = False
    qkv_bias: bool = False
    defaults: Mapping[str, int] = field(default_factory=dict)


_GEMMA3: Final = {
    "vocab_size": 262208,
    "head_dim": 256,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "max_position_embeddings": 131072,
}

_FAMILIES: Final[dict[str, Family]] = {
    "LlamaForCausalLM": Family(title="Llama"),
    "MistralForCausalLM": Family(title="Mistral"),
    "Ministral3ForCausalLM": Family(title="Mistral"),
    "Mistral3ForConditionalGeneration": Family(title="Mistral"),
    "Qwen2ForCausalLM": Family(title="Qwen2", qkv_bias=True),
    "Qwen3ForCausalLM": Family(title="Qwen3"),
    "Qwen3VLForConditionalGeneration": Family(title="Qwen3-VL"),
    "Phi3ForCausalLM": Family(title="Phi"),
    "PhiForCausalLM": Family(title="Phi", feed_forward_matrices=2, qkv_bias=True),
    "GraniteForCausalLM": Family(title="Granite", tied_embeddings=True),
    "Olmo2ForCausalLM": Family(title="OLMo 2"),
    "Olmo3ForCausalLM": Family(title="OLMo 3"),
    "GemmaForCausalLM": Family(title="Gemma", tied_embeddings=True),
    "Gemma2ForCausalLM": Family(title="Gemma 2", tied_embeddings=True, window="alternate"),
    "Gemma3ForCausalLM": Family(title="Gemma 3", tied_embeddings=True, window="five of six", defaults=_GEMMA3),
    "Gemma3ForConditionalGeneration": Family(
        title="Gemma 3", tied_embeddings=True, window="five of six", defaults=_GEMMA3
    ),
    "Gemma4ForConditionalGeneration": Family(title="Gemma 4", tied_embeddings=True, experts="beside"),
    "FalconForCausalLM": Family(title="Falcon", feed_forward_matrices=2, attention="falcon", tied_embeddings=True),
    "BloomForCausalLM": Family(title="BLOOM", feed_forward_matrices=2, attention="bloom", tied_embeddings=True),
    "MixtralForCausalLM": Family(title="Mixtral", experts="routed"),
    "Qwen2MoeForCausalLM": Family(title="Qwen2-MoE", experts="routed", qkv_bias=True),
    "Qwen3MoeForCausalLM": Family(title="Qwen3-MoE", experts="routed"),
    "Qwen3VLMoeForConditionalGeneration": Family(title="Qwen3-VL", experts="routed"),
    "Llama4ForConditionalGeneration": Family(title="Llama 4", experts="with one shared", window="chunks"),
    "GptOssForCausalLM": Family(title="gpt-oss", experts="routed"),
    "MiniMaxM2ForCausalLM": Family(title="MiniMax-M2", experts="routed"),
    "MiniMaxM3ForCausalLM": Family(title="MiniMax-M3", experts="routed"),
    "DeepseekV2ForCausalLM": Family(title="DeepSeek-V2", experts="routed", attention="latent"),
    "DeepseekV3ForCausalLM": Family(title="DeepSeek-V3", experts="routed", attention="latent"),
    "DeepseekV32ForCausalLM": Family(title="DeepSeek-V3.2", experts="routed", attention="latent"),
    "Glm4MoeForCausalLM": Family(title="GLM-4.5", experts="routed", qkv_bias=True),
    "Glm4MoeLiteForCausalLM": Family(title="GLM-4.7-Flash", experts="routed", attention="latent"),
    "GlmMoeDsaForCausalLM": Family(title="GLM-5", experts="routed", attention="latent"),
    "KimiVLForConditionalGeneration": Family(title="Kimi-VL", experts="routed", attention="latent"),
    "KimiK25ForConditionalGeneration": Family(title="Kimi K2.5", experts="routed", attention="latent"),
    "Qwen3NextForCausalLM": Family(
        title="Qwen3-Next", experts="routed", attention="delta", defaults={"attn_output_gate": 1}
    ),
    "Qwen3_5ForConditionalGeneration": Family(title="Qwen3.5", attention="delta"),
    "Qwen3_5MoeForConditionalGeneration": Family(title="Qwen3.5", experts="routed", attention="delta"),
    "NemotronHForCausalLM": Family(title="Nemotron-H", experts="routed", feed_forward_matrices=2, attention="mamba"),
}


# What of those that are asked for keeps them from being understood.
_WHY: Final[dict[str, str]] = {
    "DeepseekV4ForCausalLM": "its layers compress what they keep by different factors, in pages of their own sizes",
    "KimiK3ForConditionalGeneration": "delta attention of its own beside latents, experts in a latent space",
    "KimiLinearForCausalLM": "delta attention of its own beside latents",
    "MiniMaxM3SparseForConditionalGeneration": "only MiniMaxM3ForCausalLM, without its encoder, is",
}


def family(architecture: str, where: str) -> Family:
    """Raises InputError for an architecture that is not understood, with the close ones that are."""
    if architecture not in _FAMILIES:
        shown = ascii(architecture)[1:-1]
        close = get_close_matches(architecture, _FAMILIES, n=2, cutoff=0.8)
        why = _WHY.get(architecture, "how it keeps its cache is unknown, and not guessed")
        known = f"; understood are {', '.join(close)} and {len(_FAMILIES) - len(close)} others" if close else ""
        raise InputError(
            f"the architecture {shown} is not understood: {why}",
            where=where,
            hint=f"`deploy models` lists the models that are{known}",
        )
    return _FAMILIES[architecture]
