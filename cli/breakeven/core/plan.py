"""Inputs become one immutable Plan; rendering, pricing, preview, apply and reports read it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from breakeven.core.chart.fit import require_fit
from breakeven.core.deployment import Deployment
from breakeven.core.engine_args import EngineArgs
from breakeven.core.fit_advice import advise
from breakeven.core.hardware import Accelerator, Offer, Profile
from breakeven.core.memory import MemoryFit, kv_cache
from breakeven.core.model import Model
from breakeven.core.throughput import Capacity, capacity
from breakeven.core.workload import Workload
from breakeven.errors import InfeasibleError, InputError

SERVICE_PORT: Final = 8000

# A start profiles memory, compiles and captures graphs: 277 s in vllm#44881, doubled.
_ENGINE_START_S: Final = 600
# Download and load together. Llama-4-Scout, 217 GB, takes about 600 s on H100 (llm-d-benchmark#83: 0.36 GB/s), halved.
_WEIGHTS_GB_PER_S: Final = 0.2


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The catalogue records that a deployment's names stand for. `offer` is None for the reference rent."""

    profile: Profile
    accelerator: Accelerator
    model: Model
    offer: Offer | None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that is rendered, priced and applied. A replica is one vLLM server.

    For a serverless profile `replicas` is the most that may run at once, and there are no rented nodes.
    """

    deployment: Deployment
    facts: Facts
    tensor_parallel_size: int
    replicas: int
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
    def workload(self) -> Workload:
        return self.deployment.workload

    @property
    def gpus(self) -> int:
        """GPUs that the manifests request."""
        return self.replicas * self.tensor_parallel_size

    @property
    def nodes(self) -> int:
        return ceil(self.gpus / self.facts.profile.gpus_per_node)

    @property
    def gpus_unused(self) -> int:
        """GPUs that are paid for and that no replica uses."""
        return 0 if self.facts.profile.is_serverless else self.nodes * self.facts.profile.gpus_per_node - self.gpus

    @property
    def requests_per_second(self) -> float:
        return self.replicas * self.capacity.requests_per_second

    @property
    def startup_budget_s(self) -> int:
        return _ENGINE_START_S + ceil(self.facts.model.weights_bytes / 1e9 / _WEIGHTS_GB_PER_S)


def plan(deployment: Deployment, facts: Facts) -> Plan:
    """Size the deployment. Raises InfeasibleError when the model does not fit the profile's node."""
    tokens = tokens_needed(deployment, facts.model)
    tp, memory = _smallest_fit(facts, tokens)
    max_model_len = deployment.max_model_len or memory.longest(facts.model.context_length)
    memory = kv_cache(facts.model, facts.accelerator, EngineArgs(tensor_parallel_size=tp, max_model_len=max_model_len))
    per_replica = capacity(facts.model, facts.accelerator, memory, tp, deployment.workload)
    replicas = _replicas(deployment, facts.profile, tp, per_replica)
    require_fit(deployment.weights, deployment.chart, replicas=replicas, serverless=facts.profile.is_serverless)
    return Plan(
        deployment=deployment,
        facts=facts,
        tensor_parallel_size=tp,
        replicas=replicas,
        max_model_len=max_model_len,
        memory=memory,
        capacity=per_replica,
    )


def _replicas(deployment: Deployment, profile: Profile, tp: int, per_replica: Capacity) -> int:
    """As asked; otherwise whole nodes are filled, and a serverless plan may grow to its mean traffic."""
    if deployment.replicas is not None:
        return deployment.replicas
    if profile.is_serverless and deployment.nodes is None:
        return max(1, ceil(deployment.workload.mean_requests_per_second / per_replica.low))
    return (deployment.nodes or 1) * (profile.gpus_per_node // tp)


def tokens_needed(deployment: Deployment, model: Model) -> int:
    """The longest sequence that the KV cache must hold."""
    asked = deployment.max_model_len
    request = deployment.workload.tokens_per_request
    limit = min(asked, model.context_length) if asked else model.context_length
    if asked and asked > model.context_length:
        raise InputError(f"max_model_len {asked:,} exceeds the context of {model.name}, {model.context_length:,}")
    if request > limit:
        raise InputError(
            f"a request of {request:,} tokens exceeds max_model_len {limit:,} of {model.name}",
            hint="shorten input_tokens + output_tokens, raise max_model_len, or choose a model with a longer context",
        )
    return asked or request


def _smallest_fit(facts: Facts, tokens: int) -> tuple[int, MemoryFit]:
    """The fewest GPUs of a node, an even part of it, that hold the model and one sequence of `tokens`."""
    node = facts.profile.gpus_per_node
    parts = [tp for tp in range(1, node + 1) if node % tp == 0 and facts.model.divides_by(tp)]
    for tp in parts:
        memory = kv_cache(facts.model, facts.accelerator, EngineArgs(tensor_parallel_size=tp, max_model_len=tokens))
        if memory.fits:
            return tp, memory
    raise _does_not_fit(facts, parts[-1], tokens)


def _does_not_fit(facts: Facts, tp: int, tokens: int) -> InfeasibleError:
    """What is needed against what the most GPUs of the node have, and the nearest changes that would do."""
    args = EngineArgs(tensor_parallel_size=tp, max_model_len=tokens)
    advice = advise(facts.model, facts.accelerator, args, kv_cache(facts.model, facts.accelerator, args))
    return InfeasibleError(
        f"{facts.model.name} does not fit {facts.profile.name}, {tp} × {facts.accelerator.title}: {advice}",
        hint="choose a larger profile (`deploy profiles`) or a smaller model (`deploy models`)",
    )
