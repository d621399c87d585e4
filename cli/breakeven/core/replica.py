"""What the speed of one vLLM server follows from, apart from any catalogue: shapes, rates and how they are split."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from breakeven.core.units import GIB, require_not_negative, require_positive


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """A model as a step sees it. Experts are those of one layer.

    `kv_bytes_per_token` is what one token holds on each GPU of a tensor-parallel group, over all layers;
    `kv_bytes_per_sequence` what a sequence holds whatever its length (a full window, a recurrent state), and
    `kv_bytes_per_window_token` what each of its last `window_tokens` holds besides; a step reads all that
    `reads_per_kept` times. `attention_width` is heads × (query head size + value head size), of the `attention_layers`
    that look at the whole context and the `window_layers` that do not. `shared_bytes_per_weight` is for what is not in
    an expert, where that is kept in another precision.
    """

    parameters_billion: float
    active_parameters_billion: float
    layers: int
    hidden_size: int
    vocabulary: int
    attention_width: int
    attention_layers: int
    kv_bytes_per_token: float
    reads_per_kept: float = 1.0
    kv_bytes_per_sequence: float = 0.0
    kv_bytes_per_window_token: float = 0.0
    window_tokens: int = 0
    window_layers: int = 0
    experts: int = 0
    experts_per_token: int = 0
    bytes_per_weight: float = 2.0
    shared_bytes_per_weight: float | None = None

    def __post_init__(self) -> None:
        require_positive(
            parameters_billion=self.parameters_billion,
            active_parameters_billion=self.active_parameters_billion,
            layers=self.layers,
            hidden_size=self.hidden_size,
            vocabulary=self.vocabulary,
            bytes_per_weight=self.bytes_per_weight,
        )
        require_not_negative(
            kv_bytes_per_token=self.kv_bytes_per_token,
            kv_bytes_per_sequence=self.kv_bytes_per_sequence,
            kv_bytes_per_window_token=self.kv_bytes_per_window_token,
        )
        if self.active_parameters_billion > self.parameters_billion:
            raise ValueError("active_parameters_billion must not exceed parameters_billion")
        if self.experts and not 0 < self.experts_per_token <= self.experts:
            raise ValueError("experts_per_token must be 1 to experts")

    def kv_bytes(self, tokens: float) -> float:
        """What a sequence of so many tokens holds on each GPU."""
        windows = min(tokens, self.window_tokens) * self.kv_bytes_per_window_token
        return tokens * self.kv_bytes_per_token + windows + self.kv_bytes_per_sequence

    @cached_property
    def head_parameters(self) -> float:
        """The output projection; the input embedding is as large, and is looked up, not multiplied."""
        return float(self.vocabulary * self.hidden_size)

    @cached_property
    def expert_parameters(self) -> float:
        """All experts together: total − active = experts × (1 − chosen ÷ all)."""
        if self.experts <= self.experts_per_token:
            return 0.0
        unread = 1 - self.experts_per_token / self.experts
        return (self.parameters_billion - self.active_parameters_billion) * 1e9 / unread

    @cached_property
    def shared_parameters(self) -> float:
        """Read for every token, whatever the router says: attention, dense layers, shared experts."""
        return max(0.0, self.parameters_billion * 1e9 - self.expert_parameters - 2 * self.head_parameters)

    @cached_property
    def layer_outputs(self) -> float:
        """Numbers that the matmuls of all layers write per token, = active parameters ÷ hidden size."""
        return max(0.0, self.active_parameters_billion * 1e9 - 2 * self.head_parameters) / self.hidden_size


@dataclass(frozen=True, kw_only=True)
class AcceleratorSpeed:
    """Datasheet rates of one GPU, without sparsity, and the share of them that the best matmul was measured to reach.

    `tflops` is for the precision that the model's experts (or all of a dense model) are multiplied in, `bf16_tflops`
    for the rest; both achievable, not peak.
    """

    bandwidth_gb_per_s: float
    tflops: float
    bf16_tflops: float
    link_gb_per_s: float
    link: Literal["nvlink", "pcie"] = "nvlink"

    def __post_init__(self) -> None:
        require_positive(
            bandwidth_gb_per_s=self.bandwidth_gb_per_s,
            tflops=self.tflops,
            bf16_tflops=self.bf16_tflops,
            link_gb_per_s=self.link_gb_per_s,
        )


@dataclass(frozen=True, kw_only=True)
class Replica:
    """One server: a model on tensor × pipeline parallel GPUs. `kv_cache_gib` is what each GPU has for KV cache."""

    model: ModelShape
    accelerator: AcceleratorSpeed
    tensor_parallel_size: int = 1
    pipeline_parallel_size: int = 1
    kv_cache_gib: float
    max_num_seqs: int = 1024
    max_num_batched_tokens: int = 8192

    def __post_init__(self) -> None:
        require_positive(
            tensor_parallel_size=self.tensor_parallel_size,
            pipeline_parallel_size=self.pipeline_parallel_size,
            max_num_seqs=self.max_num_seqs,
            max_num_batched_tokens=self.max_num_batched_tokens,
        )

    def sequences_held(self, tokens: float) -> float:
        """Sequences of so many tokens that the KV cache holds; at least one, since a server that starts serves one."""
        return max(1.0, self.kv_cache_gib * GIB * self.pipeline_parallel_size / self.model.kv_bytes(tokens))
