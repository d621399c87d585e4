"""How a replica is cut over GPUs, and how one fills a node with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from breakeven.core.deployment import EngineChoice
from breakeven.core.engine_args import EngineArgs
from breakeven.core.facts import Facts
from breakeven.core.precision import Precision


@dataclass(frozen=True, kw_only=True)
class Split:
    """How one replica is cut, and what its weights are stored in."""

    tensor_parallel_size: int
    pipeline_parallel_size: int = 1
    precision: Precision

    @property
    def gpus(self) -> int:
        return self.tensor_parallel_size * self.pipeline_parallel_size

    def args(self, max_model_len: int) -> EngineArgs:
        return EngineArgs(
            tensor_parallel_size=self.tensor_parallel_size,
            pipeline_parallel_size=self.pipeline_parallel_size,
            precision=self.precision,
            max_model_len=max_model_len,
        )

    def is_asked(self, choice: EngineChoice, published: Precision) -> bool:
        """Whether it is what the user wants; what he leaves open is the checkpoint as published, in any parallelism."""
        return (
            choice.tensor_parallel_size in (None, self.tensor_parallel_size)
            and choice.pipeline_parallel_size in (None, self.pipeline_parallel_size)
            and (choice.precision or published) == self.precision
        )


def splits(facts: Facts) -> Iterator[Split]:
    """Even parts of the node, cut by tensor and by pipeline parallelism, in each precision to be had."""
    node = facts.profile.gpus_per_node
    for precision in precisions(facts):
        for tp in range(1, node + 1):
            for pp in range(1, node // tp + 1):
                if node % (tp * pp) == 0:
                    yield Split(tensor_parallel_size=tp, pipeline_parallel_size=pp, precision=precision)


def precisions(facts: Facts) -> tuple[Precision, ...]:
    """As published; and fp8 of a 16-bit checkpoint, where the accelerator multiplies it."""
    published = facts.model.precision
    return (published, "fp8") if published == "bf16" and facts.accelerator.fp8_tflops else (published,)
