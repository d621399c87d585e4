"""Whether a model fits, and how much KV cache is left, as vLLM itself counts it.

KV = memory × gpu_memory_utilization − weights − LoRA adapters − non-torch − activation peak − CUDA graphs (the last
from 0.21 on), the least of all ranks (vllm/v1/worker/gpu_worker.py, 0.32.0). What the estimate is worth:
docs/accuracy.md.

    kv_cache(model, accelerator, EngineArgs(tensor_parallel_size=2, kv_cache_dtype="fp8")).kv_tokens
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from breakeven.core.adapters import adapters_bytes
from breakeven.core.engine_args import EngineArgs, EngineRules, rules
from breakeven.core.hardware import Accelerator
from breakeven.core.kv_layout import KvLayout, kv_layout
from breakeven.core.model import Model
from breakeven.core.overhead import activation_gib, cuda_graph_gib, non_torch_gib
from breakeven.core.units import GIB
from breakeven.core.weights import layers_on_rank, rank_weights_bytes
from breakeven.errors import InputError

# What a plan keeps back, so that an estimate that is too high does not become a server that refuses to start. Of the
# startup logs none had less than the estimate by more than 0.7 (Gemma 3, its encoder), and CUDA graphs of experts took
# up to 0.6 more than estimated.
MARGIN_GIB: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class MemoryFit:
    """GiB on the GPU of the tightest pipeline rank. `kv_gib` below zero: weights and overheads alone do not fit.

    `kv_tokens` is what vLLM logs as "GPU KV cache size", whose meaning follows its version; `concurrency` how many
    requests of `max_model_len` tokens it logs beside it.
    """

    usable_gib: float
    weights_gib: float
    adapters_gib: float
    non_torch_gib: float
    activation_gib: float
    cuda_graph_gib: float
    kv_gib: float
    blocks: int
    safe_blocks: int
    max_model_len: int
    kv_tokens: int
    layout: KvLayout

    @property
    def overhead_gib(self) -> float:
        """What the engine takes for itself."""
        return self.non_torch_gib + self.activation_gib + self.cuda_graph_gib

    @property
    def concurrency(self) -> float:
        return self.requests(self.max_model_len)

    def requests(self, length: int) -> float:
        """Requests of `length` tokens that the cache holds at once."""
        return self.blocks / self.layout.blocks_per_request(length)

    def holds(self, length: int) -> bool:
        """Whether a sequence of `length` fits even if the estimate is `MARGIN_GIB` too high; vLLM keeps one block."""
        return self.safe_blocks - 1 >= self.layout.blocks_per_request(length)

    def longest(self, limit: int) -> int:
        """The longest sequence up to `limit` that it holds; 0 if none."""
        low, high = 0, limit
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.holds(middle) else (low, middle - 1)
        return low

    @property
    def fits(self) -> bool:
        return self.holds(self.max_model_len)


def kv_cache(model: Model, accelerator: Accelerator, args: EngineArgs | None = None) -> MemoryFit:
    """The memory of a replica on `args.gpus` such GPUs.

    Raises InputError for what vLLM refuses whatever the memory: a context that the model lacks, heads that do not
    divide, more pipeline stages than layers, a version that is not understood. That it does not fit is a value.
    """
    args = args or EngineArgs()
    _check(model, args)
    rule = rules(args.vllm_version)
    in_flight = args.batched_tokens(accelerator) * (rule.steps_in_flight + args.pipeline_parallel_size - 1)
    layout = kv_layout(model, args, rule, in_flight)
    ranks = [_fit_rank(model, accelerator, args, rule, layout, rank) for rank in range(args.pipeline_parallel_size)]
    tightest = min(ranks, key=lambda rank: rank.blocks)
    return replace(tightest, safe_blocks=min(rank.safe_blocks for rank in ranks))


def _check(model: Model, args: EngineArgs) -> None:
    if args.max_model_len and args.max_model_len > model.context_length:
        raise InputError(
            f"max_model_len {args.max_model_len:,} exceeds the context of {model.name}, {model.context_length:,}"
        )
    if why := model.why_not_split(args.tensor_parallel_size):
        raise InputError(f"tensor_parallel_size {args.tensor_parallel_size} does not divide {model.name}: it has {why}")
    if args.pipeline_parallel_size > model.layers:
        raise InputError(
            f"pipeline_parallel_size {args.pipeline_parallel_size} exceeds the {model.layers} layers of {model.name}"
        )


def _fit_rank(
    model: Model, accelerator: Accelerator, args: EngineArgs, rule: EngineRules, layout: KvLayout, rank: int
) -> MemoryFit:
    usable = accelerator.memory_gib * args.gpu_memory_utilization
    weights = rank_weights_bytes(model, args, rank) / GIB
    non_torch = non_torch_gib(args)
    adapters = adapters_bytes(model, args, rank) / GIB
    activation = activation_gib(model, accelerator, args, samples=rank == args.pipeline_parallel_size - 1)
    graphs = cuda_graph_gib(model, args) if rule.graphs_subtracted else 0.0
    kv, margin = usable - weights - adapters - non_torch - activation - graphs, MARGIN_GIB
    if args.kv_cache_memory_gib is not None:
        kv, margin = args.kv_cache_memory_gib[min(rank, len(args.kv_cache_memory_gib) - 1)], 0.0
    share = layers_on_rank(model.layers, args.pipeline_parallel_size, rank) / model.layers
    block_bytes = layout.bytes_per_block(share)
    blocks = max(0, int(kv * GIB // block_bytes))
    length = args.max_model_len or model.context_length
    return MemoryFit(
        usable_gib=usable,
        weights_gib=weights,
        adapters_gib=adapters,
        non_torch_gib=non_torch,
        activation_gib=activation,
        cuda_graph_gib=graphs,
        kv_gib=kv,
        blocks=blocks,
        safe_blocks=max(0, int((kv - margin) * GIB // block_bytes)),
        max_model_len=length,
        kv_tokens=_logged_tokens(blocks, length, rule, layout),
        layout=layout,
    )


def _logged_tokens(blocks: int, length: int, rule: EngineRules, layout: KvLayout) -> int:
    if rule.tokens_by_concurrency:
        return int(blocks / layout.blocks_per_request(length) * length)
    return blocks // layout.tables * layout.block_tokens
