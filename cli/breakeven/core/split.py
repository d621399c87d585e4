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
    """How one replica is cut, and what its weights and its KV cache are stored in.

    On several nodes it fills them: each layer is cut within a node, and the stages are dealt out to the nodes.
    """

    tensor_parallel_size: int
    pipeline_parallel_size: int = 1
    nodes: int = 1
    precision: Precision
    kv_cache_dtype: KvCacheDtype = "auto"

    @property
    def gpus(self) -> int:
        return self.tensor_parallel_size * self.pipeline_parallel_size

    @property
    def gpus_per_pod(self) -> int:
        """A pod is what runs on one node."""
        return self.gpus // self.nodes

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
            and choice.nodes == self.nodes
            and (choice.precision or published) == self.precision
            and (choice.kv_cache_dtype or "auto") == self.kv_cache_dtype
        )


def splits(facts: Facts, nodes: int = 1) -> Iterator[Split]:
    """Even parts of the node, or of several nodes all of them, in each precision to be had."""
    parts = _parts(facts.profile.gpus_per_node) if nodes == 1 else _spanning(facts.profile.gpus_per_node, nodes)
    for precision, kv_cache_dtype, (tp, pp) in product(precisions(facts), kv_cache_dtypes(facts), parts):
        yield Split(
            tensor_parallel_size=tp,
            pipeline_parallel_size=pp,
            nodes=nodes,
            precision=precision,
            kv_cache_dtype=kv_cache_dtype,
        )


def _parts(node: int) -> list[tuple[int, int]]:
    """Cut by tensor and by pipeline parallelism."""
    return [(tp, pp) for tp in range(1, node + 1) for pp in range(1, node // tp + 1) if node % (tp * pp) == 0]


def _spanning(node: int, nodes: int) -> list[tuple[int, int]]:
    """vLLM numbers the GPUs stage by stage, so stages of a node's divisor never cross to the next node.

    vllm/distributed/parallel_state.py initialize_model_parallel, 0.32.0.
    """
    return [(tp, nodes * node // tp) for tp in range(1, node + 1) if node % tp == 0]


def precisions(facts: Facts) -> tuple[Precision, ...]:
    """As published; and fp8 of a 16-bit checkpoint, where the accelerator multiplies it."""
    published = facts.model.precision
    return (published, "fp8") if published == "bf16" and facts.accelerator.fp8_tflops else (published,)


def kv_cache_dtypes(facts: Facts) -> tuple[KvCacheDtype, ...]:
    """As the activations; and fp8 where the accelerator multiplies it."""
    return ("auto", "fp8") if facts.accelerator.fp8_tflops else ("auto",)
