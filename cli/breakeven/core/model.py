"""Models, with the facts that their memory and speed follow from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from breakeven.core.units import GIB, require_positive

BF16_BYTES: Final = 2


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model with uniform full attention (MHA, GQA or MQA), served in bf16.

    `comparator` is the same weights hosted, as `provider/model` of the price book.
    """

    name: str
    family: str
    parameters_billion: float
    active_parameters_billion: float
    layers: int
    hidden_size: int
    attention_heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    context_length: int
    licence: str
    gated: bool
    comparator: str
    source: str
    checked: date

    def __post_init__(self) -> None:
        require_positive(
            parameters_billion=self.parameters_billion,
            active_parameters_billion=self.active_parameters_billion,
            layers=self.layers,
            hidden_size=self.hidden_size,
            attention_heads=self.attention_heads,
            kv_heads=self.kv_heads,
            head_dim=self.head_dim,
            vocabulary=self.vocabulary,
            context_length=self.context_length,
        )
        if self.active_parameters_billion > self.parameters_billion:
            raise ValueError("active_parameters_billion must not exceed parameters_billion")

    @property
    def is_moe(self) -> bool:
        return self.active_parameters_billion < self.parameters_billion

    @property
    def weights_bytes(self) -> float:
        return self.parameters_billion * 1e9 * BF16_BYTES

    @property
    def weights_gib(self) -> float:
        return self.weights_bytes / GIB

    def divides_by(self, tensor_parallel_size: int) -> bool:
        """Whether vLLM can split the attention heads; KV heads may be replicated, but never cut."""
        return self.attention_heads % tensor_parallel_size == 0 and (
            self.kv_heads % tensor_parallel_size == 0 or tensor_parallel_size % self.kv_heads == 0
        )

    def kv_bytes_per_token(self, tensor_parallel_size: int) -> int:
        """KV cache bytes per token on each GPU: keys and values of every layer in bf16."""
        heads = max(1, self.kv_heads // tensor_parallel_size)
        return 2 * self.layers * heads * self.head_dim * BF16_BYTES
