"""How a replica is cut over GPUs, and how one fills a node with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from breakeven.core.deployment import EngineChoice
from breakeven.core.engine_args import EngineArgs, KvCacheDtype
from breakeven.core.facts import Facts
from breakeven.core.precision import Precision


@dataclass(frozen=True, kw_only=True)
class Split:
    """How one replica is cut, and what its weights and its KV cache are stored in."""

    tensor_parallel_size: int
    pipeline_parallel_size: int = 1
    precision: Precision
    kv_cache_dtype: KvCacheDtype = "auto"

    @property
    def gpus(self) -> int:
        return self.tensor_parallel_size * self.pipeline_parallel_size

    def args(self, max_model_len: int) -> EngineArgs:
        return EngineArgs(
            tensor_parallel_size=self.tensor_parallel_size,
            pipeline_parallel_size=self.pipeline_parallel_size,
            precision=self.precision,
            kv_cache_dtype=self.kv_cache_dtype,
            max_model_len=max_model_len,
        )

    def is_asked(self, choice: EngineChoice, published: Precision) -> bool:
        """Whether it is what the user wants; what he leaves open is as published and vLLM's default, however cut."""
        return (
            choice.tensor_parallel_size in (None, self.tensor_parallel_size)
            and choice.pipeline_parallel_size in (None, self.pipeline_parallel_size)
            and (choice.precision or published) == self.precision
            and (choice.kv_cache_dtype or "auto") == self.kv_cache_dtype
        )


def splits(facts: Facts) -> Iterator[Split]:
    """Even parts of the node, cut by tensor and by pipeline parallelism, in each precision to be had."""
    node = facts.profile.gpus_per_node
    parts = [(tp, pp) for tp in range(1, node + 1) for pp in range(1, node // tp + 1) if node % (tp * pp) == 0]
    for precision, kv_cache_dtype, (tp, pp) in product(precisions(facts), kv_cache_dtypes(facts), parts):
        yield Split(
            tensor_parallel_size=tp,
            pipeline_parallel_size=pp,
            precision=precision,
            kv_cache_dtype=kv_cache_dtype,
        )


def precisions(facts: Facts) -> tuple[Precision, ...]:
    """As published; and fp8 of a 16-bit checkpoint, where the accelerator multiplies it."""
    published = facts.model.precision
    return (published, "fp8") if published == "bf16" and facts.accelerator.fp8_tflops else (published,)


def kv_cache_dtypes(facts: Facts) -> tuple[KvCacheDtype, ...]:
    """As the activations; and fp8 where the accelerator multiplies it."""
    return ("auto", "fp8") if facts.accelerator.fp8_tflops else ("auto",)
