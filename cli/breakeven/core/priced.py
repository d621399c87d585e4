"""A plan at one price, with what it is compared by: the bill, the speed at the mean load, room, and concessions."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

from breakeven.core.age import STALE_AFTER_DAYS
from breakeven.core.candidates import Candidate, server
from breakeven.core.cost import CostProjection
from breakeven.core.facts import Facts
from breakeven.core.latency import Estimate, estimate
from breakeven.core.plan import Plan
from breakeven.core.replica import Replica
from breakeven.core.shape import Shape
from breakeven.core.sizing import at_rate
from breakeven.core.throughput import requests_of
from breakeven.core.workload import Workload

# What one accepts with a plan; one that concedes more never displaces one that concedes less.
CONCESSIONS: Final = {
    "spot": "the provider may take the node away",
    "reserved": "paid for a term, used or not",
    "stale": f"the price was checked more than {STALE_AFTER_DAYS} days from the day whose prices count",
    "cold starts": "the first requests after idle time wait for a start, outside the objective",
    "quantised": "vLLM quantises the weights at the start; what that does to answers is not looked at",
    "pipelined": "no measured row has pipeline parallelism: its rates are the estimate's alone",
}


@dataclass(frozen=True, kw_only=True)
class One:
    """One replica, whatever node it is on. How fast it is takes long to reckon: only when it is asked for."""

    facts: Facts
    candidate: Candidate
    workload: Workload

    @cached_property
    def server(self) -> Replica:
        return server(self.facts, self.candidate.split, self.candidate.memory)

    @cached_property
    def fastest_s(self) -> float:
        """Seconds of a request that meets nobody."""
        return self.request_s(estimate(self.server, requests_of(self.workload), 1.0))

    def request_s(self, found: Estimate) -> float:
        """Of an average request, to its last token."""
        return (found.ttft_ms.value + found.tpot_ms.value * (self.workload.output_tokens - 1)) / 1e3


@dataclass(frozen=True, kw_only=True)
class Load:
    """One of `replicas` at its share of the mean traffic."""

    one: One
    replicas: int
    within: Estimate

    @cached_property
    def mean(self) -> Estimate:
        workload = self.one.workload
        rate = workload.mean_requests_per_second / self.replicas
        return at_rate(self.one.server, requests_of(workload), rate) or self.within


@dataclass(frozen=True, kw_only=True)
class Priced:
    """A plan at one price, which is stale on the day that counts, or is not."""

    plan: Plan
    shape: Shape
    projection: CostProjection
    load: Load
    is_stale: bool

    @property
    def monthly_usd(self) -> Decimal:
        return self.projection.monthly_usd

    @property
    def mean_load(self) -> Estimate:
        return self.load.mean

    @property
    def fastest_s(self) -> float:
        return self.load.one.fastest_s

    @cached_property
    def request_s(self) -> float:
        """Of an average request at the mean load."""
        return self.load.one.request_s(self.load.mean)

    @cached_property
    def times_traffic(self) -> float:
        """The traffic that the plan is large enough for ÷ the one asked for."""
        return self.plan.requests_per_month / self.plan.workload.requests_per_month

    @cached_property
    def concessions(self) -> frozenset[str]:
        plan, offer = self.plan, self.plan.facts.offer
        found = {
            "spot": offer is not None and offer.commitment == "spot",
            "reserved": offer is not None and offer.commitment == "reserved",
            "stale": self.is_stale,
            "cold starts": plan.facts.profile.is_serverless and not plan.replicas_range[0],
            "quantised": plan.quantization is not None,
            "pipelined": plan.split.pipeline_parallel_size > 1,
        }
        return frozenset(name for name, holds in found.items() if holds)

    @cached_property
    def can_be_typed(self) -> bool:
        """Whether there is a profile that names the offer."""
        return self.shape.can_be_typed(self.plan.facts.offer)

    @property
    def preference(self) -> tuple[object, ...]:
        """Among equals, what can be typed as it is."""
        facts = self.plan.facts
        names = (facts.model.name, facts.profile.name, facts.offer.name if facts.offer else "")
        return not self.can_be_typed, self.plan.split.gpus, names
