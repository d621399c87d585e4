"""Inputs become one immutable Plan; rendering, pricing, preview, apply and reports read it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import Final, Literal

from breakeven.core.candidates import Candidate, candidates, server
from breakeven.core.chart.fit import require_fit
from breakeven.core.deployment import Deployment
from breakeven.core.facts import Facts
from breakeven.core.latency import Estimate, estimate
from breakeven.core.measurement import capacity_of, refuse_other
from breakeven.core.memory import MemoryFit
from breakeven.core.misfit import asked_for, does_not_fit
from breakeven.core.replica_counts import replicas_of
from breakeven.core.split import Split
from breakeven.core.throughput import Capacity, requests_of
from breakeven.core.units import SECONDS_PER_MONTH
from breakeven.core.workload import Workload
from breakeven.errors import InfeasibleError, InputError

SERVICE_PORT: Final = 8000

# "Service" is Knative's.
ServerKind = Literal["Deployment", "LeaderWorkerSet", "Service"]

# A start profiles memory, compiles and captures graphs: 277 s in vllm#44881.
_ENGINE_START_S: Final = 277
# Download and load together. Llama-4-Scout, 217 GB, takes about 600 s on H100: llm-d-benchmark#83.
_WEIGHTS_GB_PER_S: Final = 0.36
# What is slower than expected is not killed: the start doubled, the speed halved, both to round figures.
_ENGINE_START_BUDGET_S: Final = 600
_WEIGHTS_BUDGET_GB_PER_S: Final = 0.2
# vLLM's CUDA image is about 10 GB compressed, or 10 min at 17 MB/s.
IMAGE_PULL_S: Final = 600


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that is rendered, priced and applied. A replica is one vLLM server.

    `replicas` is what is priced: with an autoscaler, what the mean traffic needs. For a serverless profile it is the
    most that may run at once, and there are no rented nodes.
    """

    deployment: Deployment
    facts: Facts
    split: Split
    replicas: int
    replicas_range: tuple[int, int]
    max_model_len: int
    memory: MemoryFit
    capacity: Capacity

    @property
    def stack(self) -> str:
        return self.deployment.stack

    @property
    def release(self) -> str:
        """Name of the Kubernetes objects; a Service must not begin with a digit, nor be called `vllm`."""
        return f"llm-{self.stack}"

    @property
    def namespace(self) -> str:
        return self.deployment.namespace or self.release

    @property
    def endpoint(self) -> str:
        """Base URL inside the cluster of the OpenAI-compatible API; Knative's gateway listens on port 80."""
        port = "" if self.facts.profile.is_serverless else f":{SERVICE_PORT}"
        return f"http://{self.release}.{self.namespace}.svc{port}/v1"

    @property
    def runs_as(self) -> ServerKind:
        """Kind of the object that runs the replicas."""
        if self.facts.profile.is_serverless:
            return "Service"
        return "LeaderWorkerSet" if self.split.nodes > 1 else "Deployment"

    @property
    def quantization(self) -> str | None:
        """What vLLM has to quantise a checkpoint to that is published in another precision."""
        return None if self.split.precision == self.facts.model.precision else self.split.precision

    @property
    def workload(self) -> Workload:
        return self.deployment.workload

    @property
    def most_replicas(self) -> int:
        return self.replicas_range[1]

    def at(self, replicas: int) -> Plan:
        """The same with so many replicas, neither more nor fewer."""
        return replace(self, replicas=replicas, replicas_range=(replicas, replicas))

    @property
    def gpus(self) -> int:
        """GPUs that are priced."""
        return self.replicas * self.split.gpus

    @property
    def gpus_range(self) -> tuple[int, int]:
        """The fewest and the most that the manifests request."""
        least, most = self.replicas_range
        return least * self.split.gpus, most * self.split.gpus

    @property
    def is_autoscaled(self) -> bool:
        """By an autoscaler that the chart brings; a serverless platform has its own."""
        return self.deployment.scaling is not None and not self.facts.profile.is_serverless

    @property
    def nodes(self) -> int:
        return ceil(self.gpus / self.facts.profile.gpus_per_node)

    @property
    def gpus_unused(self) -> int:
        """GPUs that are paid for and that no replica uses."""
        return 0 if self.facts.profile.is_serverless else self.nodes * self.facts.profile.gpus_per_node - self.gpus

    @property
    def requests_per_second(self) -> float:
        """That the most replicas serve within the latency objective."""
        return self.most_replicas * self.capacity.requests_per_second

    @property
    def requests_per_month(self) -> int:
        """The traffic that the plan is large enough for: its peak leaves the headroom free."""
        workload, headroom = self.workload, self.deployment.headroom
        mean = self.requests_per_second * headroom.target_utilisation / workload.peak_to_mean
        return int(mean * SECONDS_PER_MONTH)

    @property
    def utilisation(self) -> float:
        """Share of the capacity that the mean traffic takes; above 1 it is more than the plan serves."""
        return self.workload.mean_requests_per_second / self.requests_per_second

    @property
    def startup_s(self) -> float:
        """Expected, from the container's start to the first answer."""
        return _ENGINE_START_S + self.facts.model.weights_bytes / 1e9 / _WEIGHTS_GB_PER_S

    @property
    def startup_budget_s(self) -> int:
        """Of several nodes the one that pulls its image last keeps the others waiting."""
        joining = IMAGE_PULL_S if self.split.nodes > 1 else 0
        return joining + _ENGINE_START_BUDGET_S + ceil(self.facts.model.weights_bytes / 1e9 / _WEIGHTS_BUDGET_GB_PER_S)


def plan(deployment: Deployment, facts: Facts) -> Plan:
    """Size the deployment.

    Raises InfeasibleError when the model does not fit the nodes of a replica, or cannot keep the latency objective
    there.
    """
    _require_nodes(deployment, facts)
    chosen = _choose(deployment, facts)
    return plan_of(deployment, facts, chosen)


def _require_nodes(deployment: Deployment, facts: Facts) -> None:
    if facts.profile.is_serverless and deployment.engine.nodes > 1:
        raise InputError(
            f"nodes_per_replica {deployment.engine.nodes} is not for a serverless profile: Knative runs single pods",
            hint="choose a profile of nodes (`deploy profiles`)",
        )


def plan_of(deployment: Deployment, facts: Facts, chosen: Candidate) -> Plan:
    """That of one candidate. Raises InfeasibleError where even one request alone misses the objective."""
    capacity = _capacity(deployment, facts, chosen)
    replicas, bounds = replicas_of(deployment, facts.profile, chosen, capacity)
    require_fit(
        deployment.weights,
        deployment.chart,
        model=facts.model.name,
        replicas=bounds[1],
        nodes=chosen.split.nodes,
        serverless=facts.profile.is_serverless,
        scaled=deployment.scaling is not None,
    )
    return Plan(
        deployment=deployment,
        facts=facts,
        split=chosen.split,
        replicas=replicas,
        replicas_range=bounds,
        max_model_len=chosen.memory.max_model_len,
        memory=chosen.memory,
        capacity=capacity,
    )


def _choose(deployment: Deployment, facts: Facts) -> Candidate:
    """The best of what is asked for; more than one pipeline stage only if asked for, or if nothing else fits."""
    asked = asked_for(deployment, facts, deployment.engine.nodes)
    staged = deployment.engine.pipeline_parallel_size is not None
    flat = asked if staged else [split for split in asked if split.pipeline_parallel_size == 1]
    for ways in (flat, asked):
        if ranked := candidates(deployment, facts, ways).ranked:
            return ranked[0]
    raise does_not_fit(deployment, facts, asked)


def _capacity(deployment: Deployment, facts: Facts, chosen: Candidate) -> Capacity:
    """As measured, if it was; then the objective holds although the estimate may say that it cannot."""
    run, within = deployment.measured, chosen.under_slo.estimate
    if run:
        refuse_other(run, deployment, facts, chosen.split)
    if within is None and not (run and run.requests_per_second):
        raise too_slow(deployment, facts, chosen)
    alone = alone_on(deployment, facts, chosen)
    within = within or alone
    estimated = Capacity(
        requests_per_second=within.requests_per_second.value,
        saturated_requests_per_second=chosen.saturated.requests_per_second.value,
        concurrency=within.concurrency,
        request_s=1 / alone.requests_per_second.value,
        bound=chosen.under_slo.bound,
    )
    return capacity_of(run, estimated) if run else estimated


def too_slow(deployment: Deployment, facts: Facts, chosen: Candidate) -> InfeasibleError:
    """With what one request at a time takes."""
    alone = alone_on(deployment, facts, chosen)
    ttft, tpot = ceil(alone.ttft_p99_ms.value), ceil(alone.tpot_ms.value)
    return InfeasibleError(
        f"{facts.model.name} on {facts.profile.name} cannot keep {deployment.slo}: even one request "
        f"alone takes about {ttft:,} ms to its first token (p99) and {tpot:,} ms for each further one",
        hint=f"ask for less (--ttft-p99-ms above {ttft}, --tpot-ms above {tpot}), shorter prompts, or faster hardware",
    )


def alone_on(deployment: Deployment, facts: Facts, chosen: Candidate) -> Estimate:
    """One request at a time."""
    return estimate(server(facts, chosen.split, chosen.memory), requests_of(deployment.workload), 1.0)
