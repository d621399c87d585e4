"""Every way to fill a profile's node with replicas of a model, those that do not fit dropped, the best first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from breakeven.core.deployment import Deployment
from breakeven.core.engine_args import EngineArgs
from breakeven.core.fit_advice import reason
from breakeven.core.latency import Estimate, Requests, estimate
from breakeven.core.memory import MemoryFit, kv_cache
from breakeven.core.plan import Facts, tokens_needed
from breakeven.core.precision import Precision
from breakeven.core.slo import Slo, SloCapacity, slo_capacity
from breakeven.core.throughput import replica
from breakeven.core.units import SECONDS_PER_MONTH
from breakeven.core.workload import Workload
from breakeven.errors import InputError


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


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A split that fits, and fills the node. `saturated` and `under_slo` are those of one replica.

    `node_usd_per_month` is the rent at the plan's own price; None where that is unknown.
    """

    split: Split
    replicas_per_node: int
    memory: MemoryFit
    saturated: Estimate
    under_slo: SloCapacity
    node_usd_per_month: Decimal | None

    @property
    def requests_per_second(self) -> float:
        """Of the node, saturated."""
        return self.replicas_per_node * self.saturated.requests_per_second.value

    @property
    def slo_requests_per_second(self) -> float:
        """Of the node while the objective holds; 0 where it holds at no load."""
        found = self.under_slo.estimate
        return self.replicas_per_node * found.requests_per_second.value if found else 0.0

    @property
    def slo_requests_per_second_per_usd(self) -> float:
        """What candidates are ranked by. Without a price it is per node: all fill the same one."""
        return self.slo_requests_per_second / float(self.node_usd_per_month or 1)

    @property
    def usd_per_million_requests(self) -> Decimal | None:
        """Rent alone, of a node that is as busy as the objective allows all month."""
        if self.node_usd_per_month is None or not self.slo_requests_per_second:
            return None
        millions = Decimal(repr(self.slo_requests_per_second)) * SECONDS_PER_MONTH / 1_000_000
        return self.node_usd_per_month / millions


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """A split that does not fit, with the smallest reason."""

    split: Split
    reason: str


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """`ranked` has the best first."""

    ranked: tuple[Candidate, ...]
    dropped: tuple[Dropped, ...]


def candidates(deployment: Deployment, facts: Facts, slo: Slo) -> Candidates:
    """All splits of the profile's node. Raises InputError for requests that the model's context cannot hold."""
    tokens = tokens_needed(deployment, facts.model)
    found = [_judge(deployment, facts, slo, split, tokens) for split in splits(facts)]
    return Candidates(
        ranked=tuple(sorted((one for one in found if isinstance(one, Candidate)), key=_rank)),
        dropped=tuple(one for one in found if isinstance(one, Dropped)),
    )


def splits(facts: Facts) -> Iterator[Split]:
    """Even parts of the node, cut by tensor and by pipeline parallelism, in each precision to be had."""
    node = facts.profile.gpus_per_node
    for precision in _precisions(facts):
        for tp in range(1, node + 1):
            for pp in range(1, node // tp + 1):
                if node % (tp * pp) == 0:
                    yield Split(tensor_parallel_size=tp, pipeline_parallel_size=pp, precision=precision)


def node_usd_per_month(facts: Facts) -> Decimal | None:
    """Rent of one node at the chosen offer or the reference; serverless GPUs as if busy all month."""
    if facts.offer is None:
        return facts.profile.reference.usd_per_month
    return facts.offer.usd_per_month(facts.profile.gpus_per_node)


def _precisions(facts: Facts) -> tuple[Precision, ...]:
    """As published; and fp8 of a 16-bit checkpoint, where the accelerator multiplies it."""
    published = facts.model.precision
    return (published, "fp8") if published == "bf16" and facts.accelerator.fp8_tflops else (published,)


def _judge(deployment: Deployment, facts: Facts, slo: Slo, split: Split, tokens: int) -> Candidate | Dropped:
    args = split.args(tokens)
    try:
        memory = kv_cache(facts.model, facts.accelerator, args)
    except InputError as error:
        return Dropped(split=split, reason=error.message)
    if not memory.fits:
        return Dropped(split=split, reason=reason(memory, args))
    length = deployment.max_model_len or memory.longest(facts.model.context_length)
    memory = kv_cache(facts.model, facts.accelerator, split.args(length))
    return _candidate(facts, slo, split, memory, deployment.workload)


def _candidate(facts: Facts, slo: Slo, split: Split, memory: MemoryFit, workload: Workload) -> Candidate:
    model = facts.model.stored_in(split.precision)
    server = replace(
        replica(model, facts.accelerator, memory, split.tensor_parallel_size),
        pipeline_parallel_size=split.pipeline_parallel_size,
    )
    requests = Requests(input_tokens=workload.input_tokens, output_tokens=workload.output_tokens)
    return Candidate(
        split=split,
        replicas_per_node=facts.profile.gpus_per_node // split.gpus,
        memory=memory,
        saturated=estimate(server, requests),
        under_slo=slo_capacity(server, requests, slo),
        node_usd_per_month=node_usd_per_month(facts),
    )


def _rank(candidate: Candidate) -> tuple[float, int, int, bool]:
    """Capacity per dollar; then fewer GPUs a replica, fewer stages, and the checkpoint as it is."""
    split = candidate.split
    per_usd = candidate.slo_requests_per_second_per_usd
    return -per_usd, split.gpus, split.pipeline_parallel_size, split.precision == "fp8"
