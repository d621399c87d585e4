"""What one vLLM server asks of Kubernetes: the chart's numbers, so that its templates only place them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil
from typing import Final

from breakeven.core.chart.fit import overlapping
from breakeven.core.chart.storage import AccessMode
from breakeven.core.cost import weights_volume_gib
from breakeven.core.plan import IMAGE_PULL_S, Plan

# Per GPU, with room for the node's own pods on every common shape. vCPU and GiB that they have for one GPU:
# A100: GKE a2-ultragpu 12 and 158, AWS p4de 12 and 144, Azure NC24ads_A100_v4 24 and 220;
# H100: Azure ND96isr_H100_v5 12 and 237, AWS p5 24 and 256, GKE a3-highgpu-8g 26 and 218.
_CPU_PER_GPU: Final = 6
_MEMORY_GIB_PER_GPU: Final = 48
# NCCL and vLLM's workers share buffers in /dev/shm; vLLM's own Kubernetes guide mounts 2 GiB.
_SHM_GIB_PER_GPU: Final = 2
# HOME and /tmp: Triton and FlashInfer kernels, CUDA's compute cache, chunks of a download.
_SCRATCH_GIB: Final = 10

_STARTUP_PERIOD_S: Final = 10
# After the requests have ended, the process still frees the GPUs.
_EXIT_S: Final = 15
_AWAIT_MARGIN_S: Final = 60

# The most that Knative grants unless its own configuration is changed: max-revision-timeout-seconds,
# container-concurrency-max-limit.
_REQUEST_TIMEOUT_S: Final = 600
_MAX_CONCURRENCY: Final = 1000
# The API's limits of periodSeconds and stabilizationWindowSeconds, and the default of the latter:
# https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/
_SCALE_UP_MOST_S: Final = 1800
_SCALE_DOWN_MOST_S: Final = 3600
_SCALE_DOWN_S: Final = 300


@dataclass(frozen=True, kw_only=True)
class Pod:
    """One pod of a replica: all of it, or its part on one of several nodes.

    Memory is request and limit at once and contains `shm_gib`; there is no CPU limit.
    """

    cpu: int
    memory_gib: int
    shm_gib: int
    ephemeral_storage_gib: int
    weights_gib: int
    weights_access_mode: AccessMode
    startup_s: int
    startup_period_s: int
    startup_failure_threshold: int
    max_surge: int
    max_unavailable: int
    pre_stop_s: int
    shutdown_timeout_s: int
    termination_grace_s: int
    progress_deadline_s: int
    pulumi_timeout_s: int
    request_timeout_s: int
    concurrency: int
    requests_per_server: int
    scale_up_s: int
    scale_down_s: int
    profile_label: str
    model_label: str


def pod(plan: Plan) -> Pod:
    """Size the pods of a replica, and give it the time that it needs."""
    gpus = plan.split.gpus_per_pod
    shm_gib = _SHM_GIB_PER_GPU * gpus
    weights_gib = weights_volume_gib(plan)
    rollout = plan.deployment.chart.rollout
    surge = 1 if rollout.strategy == "start-first" else 0
    grace_s = rollout.pre_stop_seconds + rollout.shutdown_timeout_seconds + _EXIT_S
    start_s = plan.deployment.chart.probes.startup_seconds or plan.startup_budget_s
    deadline_s = grace_s + IMAGE_PULL_S + start_s
    return Pod(
        cpu=_CPU_PER_GPU * gpus,
        memory_gib=_MEMORY_GIB_PER_GPU * gpus + shm_gib,
        shm_gib=shm_gib,
        ephemeral_storage_gib=_SCRATCH_GIB + (weights_gib if plan.deployment.weights.on_node else 0),
        weights_gib=weights_gib,
        weights_access_mode=_access_mode(plan),
        startup_s=start_s,
        startup_period_s=_STARTUP_PERIOD_S,
        startup_failure_threshold=ceil(start_s / _STARTUP_PERIOD_S),
        max_surge=surge,
        max_unavailable=1 - surge,
        pre_stop_s=rollout.pre_stop_seconds,
        shutdown_timeout_s=rollout.shutdown_timeout_seconds,
        termination_grace_s=grace_s,
        progress_deadline_s=deadline_s,
        # Without a surge replicas are replaced one after the other, and each may take the whole deadline.
        pulumi_timeout_s=deadline_s * plan.most_replicas + _AWAIT_MARGIN_S,
        # A request that finds no server waits for one, and then for its answer.
        request_timeout_s=max(_REQUEST_TIMEOUT_S, ceil(plan.startup_s + plan.capacity.request_s)),
        concurrency=_concurrency(plan),
        requests_per_server=max(1, int(_concurrency(plan) * plan.deployment.headroom.target_utilisation)),
        # A server that starts answers nothing, so its elders still look too few: wait for it before the next ones.
        scale_up_s=min(_SCALE_UP_MOST_S, ceil(plan.startup_s)),
        scale_down_s=min(_SCALE_DOWN_MOST_S, max(_SCALE_DOWN_S, ceil(plan.startup_s))),
        profile_label=_label_value(plan.facts.profile.name),
        model_label=_label_value(plan.facts.model.name),
    )


def _access_mode(plan: Plan) -> AccessMode:
    """Of a claim that is made: a volume held by one node blocks a second pod."""
    weights = plan.deployment.weights
    if weights.access_mode or not weights.own_claim:
        return weights.access_mode
    shared = overlapping(weights, plan.deployment.chart, serverless=plan.facts.profile.is_serverless)
    return "ReadWriteMany" if plan.most_replicas * plan.split.nodes > 1 or shared else "ReadWriteOnce"


def _concurrency(plan: Plan) -> int:
    """Requests that one server takes at once: those that it can within the latency objective."""
    return max(1, min(int(plan.capacity.concurrency), _MAX_CONCURRENCY))


def _label_value(name: str) -> str:
    """A Kubernetes label value: at most 63 of A-Z a-z 0-9 . _ - and at both ends a letter or digit."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)[:63].strip("._-")
