"""Every way to fill a profile's node, or several, with replicas of a model; what does not fit dropped, best first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from breakeven.core.chart.serving import lora
from breakeven.core.deployment import Deployment
from breakeven.core.engine_args import EngineArgs
from breakeven.core.facts import Facts, tokens_needed
from breakeven.core.fit_advice import reason
from breakeven.core.latency import Estimate, estimate
from breakeven.core.memory import MemoryFit, kv_cache
from breakeven.core.replica import Replica
from breakeven.core.slo import SloCapacity, slo_capacity
from breakeven.core.split import Split
from breakeven.core.throughput import replica, requests_of
from breakeven.core.units import SECONDS_PER_MONTH
from breakeven.errors import InputError

# 2,048 tokens, as a power of two.
_SHORTEST: Final = 11


@dataclass(frozen=True, kw_only=True)
class Length:
    """A max_model_len: whether the KV cache holds one request of it, and how many."""

    max_model_len: int
    fits: bool
    concurrency: float


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A split that fits, and fills `split.nodes` nodes with `replicas`.

    `saturated` and `under_slo` are those of one replica.
    `memory` is for the longest max_model_len that fits, or the one asked for; `lengths` has the others that were tried.
    They serve alike: how long a request may be does not change how long requests are.
    `node_usd_per_month` is the rent at the plan's own price; None where that is unknown.
    """

    split: Split
    replicas: int
    memory: MemoryFit
    saturated: Estimate
    under_slo: SloCapacity
    node_usd_per_month: Decimal | None
    lengths: tuple[Length, ...]

    @property
    def requests_per_second(self) -> float:
        """Of all replicas, saturated."""
        return self.replicas * self.saturated.requests_per_second.value

    @property
    def slo_requests_per_second(self) -> float:
        """Of all replicas while the objective holds; 0 where even one request alone misses it."""
        found = self.under_slo.estimate
        return self.replicas * found.requests_per_second.value if found else 0.0

    @property
    def slo_requests_per_second_per_usd(self) -> float:
        """What candidates are ranked by. Without a price it is per node."""
        return self.slo_requests_per_second / float((self.node_usd_per_month or 1) * self.split.nodes)

    @property
    def usd_per_million_requests(self) -> Decimal | None:
        """Rent alone, of nodes that are as busy as the objective allows all month."""
        if self.node_usd_per_month is None or not self.slo_requests_per_second:
            return None
        millions = Decimal(repr(self.slo_requests_per_second)) * SECONDS_PER_MONTH / 1_000_000
        return self.node_usd_per_month * self.split.nodes / millions


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


def candidates(deployment: Deployment, facts: Facts, ways: Iterable[Split]) -> Candidates:
    """Those of `ways` that fit, judged. Raises InputError for requests that the model's context cannot hold."""
    tokens = tokens_needed(deployment, facts.model)
    found = [_judge(deployment, facts, split, tokens) for split in ways]
    return Candidates(
        ranked=tuple(sorted((one for one in found if isinstance(one, Candidate)), key=_rank)),
        dropped=tuple(one for one in found if isinstance(one, Dropped)),
    )


def server(facts: Facts, split: Split, memory: MemoryFit) -> Replica:
    """One replica so cut."""
    return replica(
        facts.model.stored_in(split.precision),
        facts.accelerator,
        memory,
        split.tensor_parallel_size,
        split.pipeline_parallel_size,
        split.kv_cache_dtype,
    )


def engine_args(deployment: Deployment, split: Split, max_model_len: int) -> EngineArgs:
    """As the chart passes them: LoRA takes memory, too."""
    adapters = lora(deployment.chart.lora)
    return replace(split.args(max_model_len), max_loras=len(adapters.adapters), max_lora_rank=adapters.max_rank)


def _judge(deployment: Deployment, facts: Facts, split: Split, tokens: int) -> Candidate | Dropped:
    args = engine_args(deployment, split, tokens)
    try:
        memory = kv_cache(facts.model, facts.accelerator, args)
    except InputError as error:
        return Dropped(split=split, reason=error.message)
    if not memory.fits:
        return Dropped(split=split, reason=reason(memory, args))
    length = deployment.max_model_len or memory.longest(facts.model.context_length)
    memory = kv_cache(facts.model, facts.accelerator, engine_args(deployment, split, length))
    return _candidate(deployment, facts, split, memory)


def lengths(deployment: Deployment, facts: Facts, memory: MemoryFit) -> tuple[Length, ...]:
    """What is asked for; otherwise powers of two from 2,048 on that hold a request, and the model's whole context."""
    context = facts.model.context_length
    powers = [2**power for power in range(_SHORTEST, context.bit_length())]
    longer = [length for length in powers if deployment.workload.tokens_per_request <= length < context]
    tried = [deployment.max_model_len] if deployment.max_model_len else [*longer, context]
    return tuple(
        Length(max_model_len=length, fits=memory.holds(length), concurrency=memory.requests(length)) for length in tried
    )


def _candidate(deployment: Deployment, facts: Facts, split: Split, memory: MemoryFit) -> Candidate:
    one, requests = server(facts, split, memory), requests_of(deployment.workload)
    return Candidate(
        split=split,
        replicas=split.nodes * facts.profile.gpus_per_node // split.gpus,
        memory=memory,
        saturated=estimate(one, requests),
        under_slo=slo_capacity(one, requests, deployment.slo),
        node_usd_per_month=facts.node_usd_per_month,
        lengths=lengths(deployment, facts, memory),
    )


def _rank(candidate: Candidate) -> tuple[float, int, int, bool, bool]:
    """Capacity per dollar; then fewer GPUs a replica, fewer stages, the checkpoint and the cache as they are."""
    split = candidate.split
    per_usd = candidate.slo_requests_per_second_per_usd
    quantised = split.precision == "fp8", split.kv_cache_dtype == "fp8"
    return -per_usd, split.gpus, split.pipeline_parallel_size, *quantised
