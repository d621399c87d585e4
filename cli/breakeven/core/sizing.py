"""What `deploy size` answers: the plan as `up` would make it, how it does at the mean load, and the candidates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from breakeven.core.candidates import Candidate, Candidates, candidates, server
from breakeven.core.deployment import Deployment
from breakeven.core.facts import Facts
from breakeven.core.hardware import Accelerator
from breakeven.core.latency import Estimate, Figure, Requests, estimate, most_running
from breakeven.core.measured import Near, Series, Sought, nearest
from breakeven.core.model import Model
from breakeven.core.plan import Plan, plan
from breakeven.core.replica import Replica
from breakeven.core.split import Split, kv_cache_dtypes, splits
from breakeven.core.throughput import Capacity, requests_of
from breakeven.errors import InfeasibleError

# Halvings of the range in which the concurrency lies: to within 1 part in 65,000 of what the replica can run.
_HALVINGS: Final = 16


@dataclass(frozen=True, kw_only=True)
class Planned:
    """`saturated` and `mean_load` are of one replica; no mean load where the traffic is more than it serves."""

    plan: Plan
    saturated: Estimate
    mean_load: Estimate | None


@dataclass(frozen=True, kw_only=True)
class Sizing:
    """`planned` is None, and `refused` says why, where only what `up` does not choose would fit."""

    deployment: Deployment
    facts: Facts
    planned: Planned | None
    refused: str | None
    candidates: Candidates

    @property
    def chosen(self) -> Candidate | None:
        """The candidate that is the plan's."""
        return next((one for one in self.candidates.ranked if self.is_chosen(one)), None)

    def is_chosen(self, candidate: Candidate) -> bool:
        return self.planned is not None and candidate.split == self.planned.plan.split


def size(deployment: Deployment, facts: Facts) -> Sizing:
    """Raises InfeasibleError, with the nearest change, where no candidate fits."""
    found = candidates(deployment, facts, _ways(deployment, facts))
    planned, refused = None, None
    try:
        planned = _planned(plan(deployment, facts))
    except InfeasibleError as error:
        if not found.ranked:
            raise
        refused = error.message
    return Sizing(deployment=deployment, facts=facts, planned=planned, refused=refused, candidates=found)


def _ways(deployment: Deployment, facts: Facts) -> list[Split]:
    """Each once: to a checkpoint that asks for an fp8 cache, auto is fp8; it goes by the name that the user gave."""
    asked = deployment.engine.kv_cache_dtype
    name = asked if asked in kv_cache_dtypes(facts) else "auto"
    return [
        split
        for split in splits(facts, deployment.engine.nodes)
        if split.kv_cache_dtype == name or facts.model.stored_in(split.precision).kv_cache_dtype == "auto"
    ]


def near(
    sizing: Sizing, series: Iterable[Series], models: Mapping[str, Model], accelerators: Mapping[str, Accelerator]
) -> tuple[Near, ...]:
    """Measured runs nearest to a replica of the plan; none without a plan."""
    if sizing.planned is None:
        return ()
    found, saturated = sizing.planned.plan, sizing.planned.saturated
    sought = Sought(
        model=found.facts.model.stored_in(found.split.precision),
        accelerator=found.facts.accelerator,
        split=found.split,
        input_tokens=found.workload.input_tokens,
        output_tokens=found.workload.output_tokens,
        concurrency=found.capacity.concurrency,
        saturated_concurrency=saturated.concurrency,
    )
    return nearest(series, models, accelerators, sought)


def at_rate(server: Replica, requests: Requests, requests_per_second: float) -> Estimate | None:
    """The steady load of so many requests a second; None where they are more than the replica serves.

    Below what one request after the other makes, it is that: requests meet nobody.
    """
    low, high = 1.0, most_running(server, requests)
    if estimate(server, requests, high).requests_per_second.value < requests_per_second:
        return None
    if estimate(server, requests, low).requests_per_second.value >= requests_per_second:
        return estimate(server, requests, low)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        enough = estimate(server, requests, middle).requests_per_second.value >= requests_per_second
        low, high = (low, middle) if enough else (middle, high)
    return estimate(server, requests, high)


def _planned(found: Plan) -> Planned:
    one, requests = server(found.facts, found.split, found.memory), requests_of(found.workload)
    return Planned(
        plan=found,
        saturated=_as_measured(estimate(one, requests), found.capacity),
        mean_load=at_rate(one, requests, found.workload.mean_requests_per_second / found.replicas),
    )


def _as_measured(saturated: Estimate, capacity: Capacity) -> Estimate:
    """Rates as measured, without a band; latencies stay the model's."""
    if capacity.saturated_basis == "estimate":
        return saturated
    share = capacity.saturated_requests_per_second / saturated.requests_per_second.value
    return replace(
        saturated,
        requests_per_second=Figure(value=share * saturated.requests_per_second.value, band=1.0),
        output_tokens_per_second=Figure(value=share * saturated.output_tokens_per_second.value, band=1.0),
        total_tokens_per_second=Figure(value=share * saturated.total_tokens_per_second.value, band=1.0),
    )
