"""Kinds of layers beside plain attention, and what vLLM keeps for each: bytes on one GPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from breakeven.core.units import require_positive

# vLLM's packed fp8 latent for sparse MLA, fp8_ds_mla: 512 fp8 values, 16 bytes of scales, 64 bf16 rotary values
# (vllm/model_executor/layers/attention/mla_attention.py, 0.32.0).
_FP8_DS_MLA_BYTES: Final = 656


@dataclass(frozen=True, kw_only=True)
class Mla:
    """Multi-head latent attention: one vector per token and layer for all heads; no `q_lora_rank` for a full query.

    A head's query is `qk_nope_head_dim` + `qk_rope_head_dim` wide and its value `v_head_dim`, DeepSeek's by default.
    """

    kv_lora_rank: int
    qk_rope_head_dim: int
    q_lora_rank: int | None = None
    qk_nope_head_dim: int = 128
    v_head_dim: int = 128

    def __post_init__(self) -> None:
        require_positive(
            kv_lora_rank=self.kv_lora_rank,
            qk_rope_head_dim=self.qk_rope_head_dim,
            q_lora_rank=self.q_lora_rank,
            qk_nope_head_dim=self.qk_nope_head_dim,
            v_head_dim=self.v_head_dim,
        )

    def bytes_per_token(self, element_bytes: int, *, sparse: bool) -> int:
        """Of one layer, the same on every tensor-parallel rank."""
        if sparse and element_bytes == 1:
            return _FP8_DS_MLA_BYTES
        return (self.kv_lora_rank + self.qk_rope_head_dim) * element_bytes

    @property
    def head_width(self) -> int:
        """Of a query and a value together."""
        return self.qk_nope_head_dim + self.qk_rope_head_dim + self.v_head_dim

    @property
    def replicated_width(self) -> int:
        """Output width of the down projections, which vLLM does not split over the GPUs."""
        return self.kv_lora_rank + self.qk_rope_head_dim + (self.q_lora_rank or 0)


@dataclass(frozen=True, kw_only=True)
class Sliding:
    """Layers that keep the last `window` tokens; "chunked": those of the current chunk (Llama 4).

    Heads and their size are the model's unless given.
    """

    layers: int
    window: int
    kind: Literal["sliding", "chunked"] = "sliding"
    kv_heads: int | None = None
    head_dim: int | None = None

    def __post_init__(self) -> None:
        require_positive(layers=self.layers, window=self.window, kv_heads=self.kv_heads, head_dim=self.head_dim)


@dataclass(frozen=True, kw_only=True)
class SharedCache:
    """Last layers that read what an earlier layer of their kind keeps, and keep nothing (Gemma 4 E2B and E4B).

    `full` look at the whole context, `sliding` within the window.
    """

    full: int
    sliding: int

    def __post_init__(self) -> None:
        require_positive(layers=self.full + self.sliding)


@dataclass(frozen=True, kw_only=True)
class Recurrent:
    """Gated-delta-net and Mamba-2 layers: one state per request, whatever its length.

    A state is `heads` × `head_dim` × `state_size` elements of `state_bytes`, and a convolution's last
    `conv_kernel` − 1 inputs of `conv_channels` in bf16; heads and channels are split over the GPUs
    (vllm/model_executor/layers/mamba/mamba_utils.py, 0.32.0).
    """

    layers: int
    heads: int
    head_dim: int
    state_size: int
    conv_channels: int
    conv_kernel: int = 4
    state_bytes: int = 4

    def __post_init__(self) -> None:
        require_positive(
            layers=self.layers,
            heads=self.heads,
            head_dim=self.head_dim,
            state_size=self.state_size,
            conv_channels=self.conv_channels,
            conv_kernel=self.conv_kernel,
            state_bytes=self.state_bytes,
        )

    def bytes_per_request(self, tensor_parallel_size: int) -> int:
        """Of one layer on one GPU."""
        state = self.heads * self.head_dim * self.state_size * self.state_bytes
        convolution = self.conv_channels * (self.conv_kernel - 1) * 2
        return -(-(state + convolution) // tensor_parallel_size)


@dataclass(frozen=True, kw_only=True)
class Indexer:
    """Keys beside the cache by which sparse attention picks tokens: on every GPU whole, whatever the cache's dtype.

    DeepSeek-V3.2 and GLM-5: 128 fp8 values and a 4-byte scale; MiniMax-M3: 128 bf16 values.
    """

    layers: int
    bytes_per_token: int

    def __post_init__(self) -> None:
        require_positive(layers=self.layers, bytes_per_token=self.bytes_per_token)


@dataclass(frozen=True, kw_only=True)
class Experts:
    """Routed experts: all of a layer's, those of a token, the width of one, and the parameters of all."""

    count: int
    per_token: int
    intermediate_size: int
    parameters_billion: float

    def __post_init__(self) -> None:
        require_positive(
            count=self.count,
            per_token=self.per_token,
            intermediate_size=self.intermediate_size,
            parameters_billion=self.parameters_billion,
        )
        if self.per_token > self.count:
            raise ValueError("per_token must not exceed count")
