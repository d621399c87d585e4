"""Models, with the facts that their memory and speed follow from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal

from breakeven.core.architecture import Experts, Indexer, Mla, Recurrent, SharedCache, Sliding
from breakeven.core.precision import Precision, bytes_per_parameter
from breakeven.core.units import GIB, require_positive

BF16_BYTES: Final = 2


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model, and how each of its layers keeps what it has read.

    `kv_heads` and `head_dim` are those of full attention; what `sliding` and `recurrent` layers and what `mla` keep
    instead is theirs. `attention_layers` keep keys and values (all but recurrent and `shared_cache` ones without it).
    `precision` is the published checkpoint's, `quantised_billion` the parameters that it stores so (all but the
    embeddings without it), in `quantised_bytes` each where its scales are finer than usual. `kv_cache_dtype` is what
    the checkpoint asks for where vLLM is left to choose. `per_layer_embedding_billion` are tables that a layer looks a
    token up in: always in 16 bits, on every pipeline stage, and no part of a matmul. `multimodal` models also have an
    encoder, which takes memory while vLLM starts. `comparator` is the same weights hosted, as `provider/model` of the
    price book. `tool_parser` is vLLM's `--tool-call-parser`, `reasoning_parser` its `--reasoning-parser`.
    """

    name: str
    family: str
    parameters_billion: float
    active_parameters_billion: float
    layers: int
    hidden_size: int
    intermediate_size: int
    attention_heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    context_length: int
    licence: str
    openness: Literal["open-weights", "open-source"]
    gated: bool
    source: str
    checked: date
    comparator: str | None = None
    tool_parser: str | None = None
    reasoning_parser: str | None = None
    precision: Precision = "bf16"
    quantised_billion: float | None = None
    quantised_bytes: float | None = None
    kv_cache_dtype: Literal["auto", "fp8"] = "auto"
    per_layer_embedding_billion: float | None = None
    tied_embeddings: bool = False
    multimodal: bool = False
    rotary_dim: int | None = None
    attention_layers: int | None = None
    mla: Mla | None = None
    sliding: Sliding | None = None
    shared_cache: SharedCache | None = None
    recurrent: Recurrent | None = None
    indexer: Indexer | None = None
    experts: Experts | None = None

    def __post_init__(self) -> None:
        require_positive(
            parameters_billion=self.parameters_billion,
            active_parameters_billion=self.active_parameters_billion,
            layers=self.layers,
            hidden_size=self.hidden_size,
            intermediate_size=self.intermediate_size,
            attention_heads=self.attention_heads,
            kv_heads=self.kv_heads,
            head_dim=self.head_dim,
            vocabulary=self.vocabulary,
            context_length=self.context_length,
            quantised_billion=self.quantised_billion,
            quantised_bytes=self.quantised_bytes,
            per_layer_embedding_billion=self.per_layer_embedding_billion,
            attention_layers=self.attention_layers,
        )
        if self.active_parameters_billion > self.parameters_billion:
            raise ValueError("active_parameters_billion must not exceed parameters_billion")
        if self.embedding_billion + self.looked_up_billion >= self.parameters_billion:
            raise ValueError("parameters_billion must exceed the embeddings' share of them")
        if self.full_layers < 0 or self.layers < self.caching_layers + self.recurrent_layers + self.sharing_layers:
            raise ValueError("layers must be at least the attention, sliding, sharing and recurrent layers together")

    @property
    def is_moe(self) -> bool:
        return self.active_parameters_billion < self.parameters_billion

    @property
    def recurrent_layers(self) -> int:
        return self.recurrent.layers if self.recurrent else 0

    @property
    def sharing_layers(self) -> int:
        return self.shared_cache.full + self.shared_cache.sliding if self.shared_cache else 0

    @property
    def caching_layers(self) -> int:
        """Layers that keep something for each token, be it within a window."""
        if self.attention_layers is not None:
            return self.attention_layers
        return self.layers - self.recurrent_layers - self.sharing_layers

    @property
    def full_layers(self) -> int:
        """Layers that keep every token."""
        return self.caching_layers - (self.sliding.layers if self.sliding else 0)

    @property
    def embedding_billion(self) -> float:
        """Parameters of the input embedding and, unless it is the same matrix, of the output head."""
        return self.vocabulary * self.hidden_size * (1 if self.tied_embeddings else 2) / 1e9

    @property
    def looked_up_billion(self) -> float:
        """Parameters of per-layer embeddings."""
        return self.per_layer_embedding_billion or 0.0

    def quantisable_billion(self, precision: Precision) -> float:
        """Parameters that a checkpoint of this precision stores in it; the others stay in 16 bits."""
        if precision == self.precision and self.quantised_billion is not None:
            return self.quantised_billion
        if precision == "mxfp4":
            return self.experts.parameters_billion if self.experts else 0.0
        return self.parameters_billion - self.embedding_billion - self.looked_up_billion

    def quantised_parameter_bytes(self, precision: Precision) -> float:
        """Bytes of each of them, scales included."""
        if precision == self.precision and self.quantised_bytes is not None:
            return self.quantised_bytes
        return bytes_per_parameter(precision)

    def weights_bytes_in(self, precision: Precision) -> float:
        """All weights, as a checkpoint of this precision stores them."""
        quantised = 0.0 if precision == "bf16" else self.quantisable_billion(precision)
        rest = self.parameters_billion - quantised
        return (quantised * self.quantised_parameter_bytes(precision) + rest * BF16_BYTES) * 1e9

    def stored_in(self, precision: Precision) -> Model:
        """The same model in another checkpoint, quantised as is usual."""
        if precision == self.precision:
            return self
        return replace(self, precision=precision, quantised_billion=None, quantised_bytes=None, kv_cache_dtype="auto")

    def kv_element_bytes(self, kv_cache_dtype: str, element_bytes: int = BF16_BYTES) -> int:
        """Of a key or a value for `--kv-cache-dtype`: with auto as the checkpoint says, or else as the activations.

        vllm/utils/torch_utils.py resolve_kv_cache_dtype_string.
        """
        asked = self.kv_cache_dtype if kv_cache_dtype == "auto" else kv_cache_dtype
        return 1 if asked == "fp8" else element_bytes

    @property
    def weights_bytes(self) -> float:
        """All weights as published."""
        return self.weights_bytes_in(self.precision)

    @property
    def weights_gib(self) -> float:
        return self.weights_bytes / GIB

    def divides_by(self, tensor_parallel_size: int) -> bool:
        """Whether vLLM can split it so; `why_not_split` says why not."""
        return self.why_not_split(tensor_parallel_size) is None

    def why_not_split(self, tensor_parallel_size: int) -> str | None:
        """What does not divide by the GPUs. KV heads may be replicated, but never cut; the vocabulary is padded to 64.

        vllm/config/model.py verify_with_parallel_config; vllm/model_executor/layers/vocab_parallel_embedding.py.
        """
        tp = tensor_parallel_size
        if self.attention_heads % tp:
            return f"{self.attention_heads} attention heads"
        if -(-self.vocabulary // 64) * 64 % tp:
            return f"a vocabulary of {self.vocabulary:,}"
        if self.mla is None and self.kv_heads % tp and tp % self.kv_heads:
            return f"{self.kv_heads} KV heads"
        return None

    def kv_bytes_per_token(self, tensor_parallel_size: int, element_bytes: int = BF16_BYTES) -> int:
        """KV cache bytes per token on each GPU while no window is full; recurrent layers keep none."""
        full = self.full_layers * self.full_layer_bytes(tensor_parallel_size, element_bytes)
        windows = self.sliding.layers if self.sliding else 0
        index = self.indexer.layers * self.indexer.bytes_per_token if self.indexer else 0
        return full + windows * self.sliding_layer_bytes(tensor_parallel_size, element_bytes) + index

    def full_layer_bytes(self, tensor_parallel_size: int, element_bytes: int) -> int:
        """Per token and layer: keys and values of the GPU's heads, or the latent, which every GPU holds whole."""
        if self.mla:
            return self.mla.bytes_per_token(element_bytes, sparse=self.indexer is not None)
        return 2 * max(1, self.kv_heads // tensor_parallel_size) * self.head_dim * element_bytes

    def sliding_layer_bytes(self, tensor_parallel_size: int, element_bytes: int) -> int:
        """Per token within the window and layer."""
        heads = (self.sliding and self.sliding.kv_heads) or self.kv_heads
        dim = (self.sliding and self.sliding.head_dim) or self.head_dim
        return 2 * max(1, heads // tensor_parallel_size) * dim * element_bytes
