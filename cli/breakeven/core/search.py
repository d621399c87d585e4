"""All ways to run one model on given nodes, each at each price: those within the objective and budget, and the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Final

from breakeven.core.candidates import Candidate, candidates, server
from breakeven.core.cost import CostProjection, project
from breakeven.core.deployment import Deployment, EngineChoice
from breakeven.core.facts import Facts
from breakeven.core.hardware import Offer
from breakeven.core.latency import Estimate
from breakeven.core.model import Model
from breakeven.core.plan import Plan, plan_of
from breakeven.core.shape import Shape
from breakeven.core.sizing import at_rate
from breakeven.core.split import Split, splits
from breakeven.core.throughput import requests_of
from breakeven.errors import InputError

# What one accepts with a plan; one that concedes more never displaces one that concedes less.
CONCESSIONS: Final = {
    "spot": "the provider may take the node away",
    "reserved": "paid for a term, used or not",
    "cold starts": "the first requests after idle time wait for a start, outside the objective",
    "quantised": "vLLM quantises the weights at the start; what that does to answers is not looked at",
    "pipelined": "no measured row has pipeline parallelism: its rates are the estimate's alone",
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A model, as `--model` names it, and the nodes to look at for it."""

    name: str
    model: Model
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, kw_only=True)
class Priced:
    """A plan at one price. `mean_load` is of one replica at its share of the mean traffic."""

    plan: Plan
    shape: Shape
    projection: CostProjection
    mean_load: Estimate

    @property
    def monthly_usd(self) -> Decimal:
        return self.projection.monthly_usd

    @cached_property
    def request_s(self) -> float:
        """Of an average request, to its last token."""
        load = self.mean_load
        return (load.ttft_ms.value + load.tpot_ms.value * (self.plan.workload.output_tokens - 1)) / 1e3

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
            "cold starts": plan.facts.profile.is_serverless,
            "quantised": plan.quantization is not None,
            "pipelined": plan.split.pipeline_parallel_size > 1,
        }
        return frozenset(name for name, holds in found.items() if holds)

    @cached_property
    def can_be_typed(self) -> bool:
        """Whether there is a profile that names the offer."""
        return self.shape.can_be_typed(self.plan.facts.offer)

    @cached_property
    def rank(self) -> tuple[object, ...]:
        """The cheapest first; of equals the fastest, the roomiest, and what can be typed as it is."""
        facts = self.plan.facts
        names = (facts.model.name, facts.profile.name, facts.offer.name if facts.offer else "")
        return self.monthly_usd, self.request_s, -self.times_traffic, not self.can_be_typed, self.plan.split.gpus, names


@dataclass(frozen=True, kw_only=True)
class Slow:
    """A way to run a model that fits, and keeps the objective at no load."""

    facts: Facts
    candidate: Candidate


@dataclass(frozen=True, kw_only=True)
class Search:
    """Counts are of ways × prices. `refused` is set where the model's context cannot hold a request."""

    wanted: Wanted
    priced: tuple[Priced, ...] = ()
    slow: tuple[Slow, ...] = ()
    looked_at: int = 0
    fit: int = 0
    refused: InputError | None = None


def search(deployment: Deployment, wanted: Wanted) -> Search:
    """Of prices that ask for the same concession, only the cheapest is projected: the plan is the same."""
    ways = [(shape, split) for shape in wanted.shapes for split in splits(shape.facts(wanted.model))]
    looked_at = sum(len(shape.prices) for shape, _ in ways)
    try:
        judged = _judged(deployment, wanted)
    except InputError as error:
        return Search(wanted=wanted, looked_at=looked_at, refused=error)
    fit = [(shape, judged[key]) for shape, split in ways if (key := (shape.accelerator.name, split)) in judged]
    return Search(
        wanted=wanted,
        priced=tuple(_priced(deployment, wanted, fit)),
        slow=tuple(
            Slow(facts=shape.facts(wanted.model), candidate=candidate)
            for shape, candidate in fit
            if candidate.under_slo.estimate is None
        ),
        looked_at=looked_at,
        fit=sum(len(shape.prices) for shape, _ in fit),
    )


def _judged(deployment: Deployment, wanted: Wanted) -> dict[tuple[str, Split], Candidate]:
    """By accelerator and split: how large the node is, and what it costs, changes nothing about one replica."""
    by_accelerator: dict[str, list[Facts]] = {}
    for shape in wanted.shapes:
        by_accelerator.setdefault(shape.accelerator.name, []).append(shape.facts(wanted.model))
    return {
        (name, one.split): one
        for name, facts in by_accelerator.items()
        for one in candidates(deployment, facts[0], dict.fromkeys(way for node in facts for way in splits(node))).ranked
    }


def _priced(deployment: Deployment, wanted: Wanted, fit: list[tuple[Shape, Candidate]]) -> Iterator[Priced]:
    loads: dict[tuple[str, Split, int], Estimate] = {}
    for shape, candidate in fit:
        within = candidate.under_slo.estimate
        if within is None:
            continue
        chosen = replace(candidate, replicas_per_node=shape.profile.gpus_per_node // candidate.split.gpus)
        pinned = _pinned(deployment, wanted, shape, candidate.split)
        plan = plan_of(pinned, shape.facts(wanted.model), chosen, within)
        key = shape.accelerator.name, candidate.split, plan.replicas
        if key not in loads:
            loads[key] = _mean_load(plan) or within
        for offer in _cheapest(shape):
            at = _at(plan, offer)
            yield Priced(plan=at, shape=shape, projection=project(at), mean_load=loads[key])


def _pinned(deployment: Deployment, wanted: Wanted, shape: Shape, split: Split) -> Deployment:
    """What the other verbs would have to be told to make the same plan. One stage is what they take by themselves."""
    published = split.precision == wanted.model.precision
    return replace(
        deployment,
        profile=shape.profile.name,
        model=None if wanted.name == shape.profile.model else wanted.name,
        engine=EngineChoice(
            tensor_parallel_size=split.tensor_parallel_size,
            pipeline_parallel_size=split.pipeline_parallel_size if split.pipeline_parallel_size > 1 else None,
            precision=None if published else split.precision,
        ),
    )


def _mean_load(plan: Plan) -> Estimate | None:
    one = server(plan.facts, plan.split, plan.memory)
    return at_rate(one, requests_of(plan.workload), plan.workload.mean_requests_per_second / plan.replicas)


def _cheapest(shape: Shape) -> Iterator[Offer | None]:
    """For each commitment; the reference rent is firm, as on-demand prices are."""
    firm: dict[str, Offer | None] = {}
    for offer in sorted(shape.prices, key=lambda one: _node_usd(shape, one)):
        firm.setdefault(offer.commitment if offer else "on-demand", offer)
    yield from firm.values()


def _node_usd(shape: Shape, offer: Offer | None) -> tuple[Decimal, str]:
    profile = shape.profile
    if offer is None:
        return profile.reference.usd_per_month or Decimal(0), ""
    return offer.usd_per_month(profile.gpus_per_node), offer.name


def _at(plan: Plan, offer: Offer | None) -> Plan:
    prices = replace(plan.deployment.prices, offer=offer.name if offer else None)
    return replace(
        plan, facts=replace(plan.facts, offer=offer), deployment=replace(plan.deployment, prices=prices)
    )
