"""vLLM's arguments by their own names, and the rules that its versions differ in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from breakeven.core.hardware import Accelerator
from breakeven.core.precision import Precision
from breakeven.core.units import require_positive
from breakeven.errors import InputError

KvCacheDtype = Literal["auto", "fp8"]

# The version of the pinned image.
VLLM_VERSION: Final = "0.32.0"
# Its default: vllm/config/cache.py; 0.9 before 0.20.
GPU_MEMORY_UTILIZATION: Final = 0.92


@dataclass(frozen=True, kw_only=True)
class EngineArgs:
    """Arguments of `vllm serve`; what is None is vLLM's default for the accelerator and the model.

    `precision` is the checkpoint's, the model's published one without it. `kv_cache_memory_gib` stands for memory
    that was measured, and replaces the estimate; one value, or one per pipeline rank. `max_loras` enables LoRA.
    """

    tensor_parallel_size: int = 1
    pipeline_parallel_size: int = 1
    precision: Precision | None = None
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    kv_cache_dtype: KvCacheDtype = "auto"
    max_model_len: int | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    gpu_memory_utilization: float = GPU_MEMORY_UTILIZATION
    enable_prefix_caching: bool = True
    vllm_version: str = VLLM_VERSION
    kv_cache_memory_gib: tuple[float, ...] | None = None
    max_loras: int = 0
    max_lora_rank: int = 16

    def __post_init__(self) -> None:
        require_positive(
            tensor_parallel_size=self.tensor_parallel_size,
            pipeline_parallel_size=self.pipeline_parallel_size,
            max_model_len=self.max_model_len,
            max_num_seqs=self.max_num_seqs,
            max_num_batched_tokens=self.max_num_batched_tokens,
            gpu_memory_utilization=self.gpu_memory_utilization,
        )
        if self.gpu_memory_utilization > 1:
            raise ValueError(f"gpu_memory_utilization must be at most 1, got {self.gpu_memory_utilization}")

    @property
    def gpus(self) -> int:
        return self.tensor_parallel_size * self.pipeline_parallel_size

    @property
    def element_bytes(self) -> int:
        """Of an activation."""
        return 4 if self.dtype == "float32" else 2

    def sequences(self, accelerator: Accelerator) -> int:
        return self.max_num_seqs or accelerator.max_num_seqs

    def batched_tokens(self, accelerator: Accelerator) -> int:
        return self.max_num_batched_tokens or accelerator.max_num_batched_tokens


@dataclass(frozen=True, kw_only=True)
class EngineRules:
    """How vLLM counts, from version `since` on."""

    since: tuple[int, int]
    # VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS became 1.
    graphs_subtracted: bool
    # "GPU KV cache size" became int(concurrency × max_model_len); before, it was the pool's blocks over the groups.
    tokens_by_concurrency: bool
    # Tokens of steps that still run keep their blocks: one step, two with asynchronous scheduling.
    steps_in_flight: int
    # Recurrent states a request holds: with prefix caching ("align") the current and the last cached one.
    states_per_request: int
    # Llama 4's chunked layers give blocks back; before, they were allocated like full attention.
    chunks_freed: bool


# 0.32 was read in its source; 0.19 is what the startup logs of tests/core/data are of; the change at 0.21 is in
# vLLM's log and default. What lies between is taken to be as the older of its neighbours.
_RULES: Final = (
    EngineRules(
        since=(0, 17),
        graphs_subtracted=False,
        tokens_by_concurrency=False,
        steps_in_flight=1,
        states_per_request=1,
        chunks_freed=False,
    ),
    EngineRules(
        since=(0, 21),
        graphs_subtracted=True,
        tokens_by_concurrency=True,
        steps_in_flight=2,
        states_per_request=2,
        chunks_freed=False,
    ),
    EngineRules(
        since=(0, 32),
        graphs_subtracted=True,
        tokens_by_concurrency=True,
        steps_in_flight=2,
        states_per_request=2,
        chunks_freed=True,
    ),
)


def rules(vllm_version: str) -> EngineRules:
    """Raises InputError for what is no version, and before 0.17, whose activation peak is another."""
    parts = vllm_version.removeprefix("v").split(".")
    if len(parts) < 2 or not all(part.isdigit() for part in parts[:2]):
        raise InputError(f"expected a vLLM version such as {VLLM_VERSION}, got {vllm_version!r}")
    version = (int(parts[0]), int(parts[1]))
    known = [rule for rule in _RULES if rule.since <= version]
    if not known:
        raise InputError(f"vLLM {vllm_version} counts memory differently; 0.17 and later are understood")
    return known[-1]
