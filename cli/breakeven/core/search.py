"""All ways to run one model on given nodes at each price: those that keep the objective, and those that do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from breakeven.core.age import is_stale
from breakeven.core.candidates import Candidate, candidates
from breakeven.core.cost import project
from breakeven.core.deployment import Deployment, EngineChoice
from breakeven.core.facts import Facts
from breakeven.core.hardware import Offer
from breakeven.core.model import Model
from breakeven.core.plan import Plan, plan_of
from breakeven.core.priced import Load, One, Priced
from breakeven.core.shape import Shape
from breakeven.core.split import Split, splits
from breakeven.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A model, as `--model` names it, and the nodes to look at for it."""

    name: str
    model: Model
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, kw_only=True)
class Slow:
    """A way to run a model that fits, of which even one request alone misses the objective."""

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


def search(deployment: Deployment, wanted: Wanted, at: date) -> Search:
    """Of prices that ask for the same concessions on that day, only the cheapest is projected: the plan is the same."""
    ways = [(shape, split) for shape in wanted.shapes for split in _ways(shape.facts(wanted.model))]
    looked_at = sum(len(shape.prices) for shape, _ in ways)
    try:
        judged = _judged(deployment, wanted)
    except InputError as error:
        return Search(wanted=wanted, looked_at=looked_at, refused=error)
    fit = [(shape, judged[key]) for shape, split in ways if (key := (shape.accelerator.name, split)) in judged]
    return Search(
        wanted=wanted,
        priced=tuple(_priced(deployment, wanted, fit, at)),
        slow=tuple(
            Slow(facts=shape.facts(wanted.model), candidate=one.candidate)
            for shape, one in fit
            if one.candidate.under_slo.estimate is None
        ),
        looked_at=looked_at,
        fit=sum(len(shape.prices) for shape, _ in fit),
    )


def _ways(facts: Facts) -> list[Split]:
    """An 8-bit cache is for the user to ask for: what it does to answers is not looked at."""
    return [split for split in splits(facts) if split.kv_cache_dtype == "auto"]


def _judged(deployment: Deployment, wanted: Wanted) -> dict[tuple[str, Split], One]:
    """By accelerator and split: how large the node is, and what it costs, changes nothing about one replica."""
    by_accelerator: dict[str, list[Facts]] = {}
    for shape in wanted.shapes:
        by_accelerator.setdefault(shape.accelerator.name, []).append(shape.facts(wanted.model))
    return {
        (name, found.split): One(facts=facts[0], candidate=found, workload=deployment.workload)
        for name, facts in by_accelerator.items()
        for found in candidates(
            deployment, facts[0], dict.fromkeys(way for node in facts for way in _ways(node))
        ).ranked
    }


def _priced(deployment: Deployment, wanted: Wanted, fit: list[tuple[Shape, One]], at: date) -> Iterator[Priced]:
    loads: dict[tuple[int, int], Load] = {}
    for shape, one in fit:
        within, split = one.candidate.under_slo.estimate, one.candidate.split
        if within is None:
            continue
        chosen = replace(one.candidate, replicas=shape.profile.gpus_per_node // split.gpus)
        plan = plan_of(_pinned(deployment, wanted, shape, split), shape.facts(wanted.model), chosen)
        load = loads.setdefault((id(one), plan.replicas), Load(one=one, replicas=plan.replicas, within=within))
        for terms, offer in _cheapest(shape, at).items():
            offered = _offered(plan, offer)
            yield Priced(plan=offered, shape=shape, projection=project(offered), load=load, is_stale=terms.is_stale)


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


class _Terms(NamedTuple):
    """The reference rent is firm, as on-demand prices are."""

    commitment: str
    is_stale: bool


def _cheapest(shape: Shape, at: date) -> dict[_Terms, Offer | None]:
    found: dict[_Terms, Offer | None] = {}
    for offer in sorted(shape.prices, key=lambda one: _node_usd(shape, one)):
        checked = offer.checked if offer else shape.profile.reference.checked
        found.setdefault(_Terms(offer.commitment if offer else "on-demand", is_stale(checked, at)), offer)
    return found


def _node_usd(shape: Shape, offer: Offer | None) -> tuple[Decimal, str]:
    profile = shape.profile
    if offer is None:
        return profile.reference.usd_per_month or Decimal(0), ""
    return offer.usd_per_month(profile.gpus_per_node), offer.name


def _offered(plan: Plan, offer: Offer | None) -> Plan:
    prices = replace(plan.deployment.prices, offer=offer.name if offer else None)
    return replace(plan, facts=replace(plan.facts, offer=offer), deployment=replace(plan.deployment, prices=prices))
