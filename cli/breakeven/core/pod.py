"""What one vLLM server asks of Kubernetes: the chart's numbers, so that its templates only place them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal

from breakeven.core.cost import weights_volume_gib
from breakeven.core.plan import Plan

# Per GPU, with room for the node's own pods on the smallest shape of each profile:
# GKE a2-ultragpu-1g has 12 vCPU and 158 GiB for its A100, Azure NC24ads_A100_v4 24 and 220, AWS p4de 12 and 144;
# for an H100 Azure ND96isr_H100_v5 has 12 and 237, AWS p5 24 and 256, GKE a3-highgpu-8g 26 and 218.
_CPU_PER_GPU: Final = 6
_MEMORY_GIB_PER_GPU: Final = 48
# NCCL and vLLM's workers share buffers in /dev/shm; vLLM's own Kubernetes guide mounts 2 GiB.
_SHM_GIB_PER_GPU: Final = 2
# HOME and /tmp: Triton and FlashInfer kernels, CUDA's compute cache.
_SCRATCH_GIB: Final = 10

STARTUP_PERIOD_S: Final = 10
# vLLM's CUDA image is about 10 GB compressed, or 10 min at 17 MB/s.
_IMAGE_PULL_S: Final = 600
# Endpoints take some seconds to forget a pod (KServe sleeps 15 s); then running requests get a minute to finish.
PRE_STOP_S: Final = 15
SHUTDOWN_TIMEOUT_S: Final = 60
_EXIT_S: Final = 15
_AWAIT_MARGIN_S: Final = 60

# The most that Knative grants without a change to its own configuration (max-revision-timeout-seconds).
REQUEST_TIMEOUT_S: Final = 600

AccessMode = Literal["ReadWriteOnce", "ReadWriteMany"]


@dataclass(frozen=True, kw_only=True)
class Pod:
    """One replica. Memory is request and limit at once and contains `shm_gib`; there is no CPU limit."""

    cpu: int
    memory_gib: int
    shm_gib: int
    ephemeral_storage_gib: int
    weights_gib: int
    weights_access_mode: AccessMode
    startup_failure_threshold: int
    termination_grace_s: int
    progress_deadline_s: int
    pulumi_timeout_s: int
    concurrency: int
    model_label: str


def pod(plan: Plan) -> Pod:
    """Size the replica's pod; a replica is one pod."""
    gpus = plan.tensor_parallel_size
    shm_gib = _SHM_GIB_PER_GPU * gpus
    weights_gib = weights_volume_gib(plan)
    on_node = plan.deployment.weights.storage == "emptyDir"
    grace_s = PRE_STOP_S + SHUTDOWN_TIMEOUT_S + _EXIT_S
    deadline_s = grace_s + _IMAGE_PULL_S + plan.startup_budget_s
    return Pod(
        cpu=_CPU_PER_GPU * gpus,
        memory_gib=_MEMORY_GIB_PER_GPU * gpus + shm_gib,
        shm_gib=shm_gib,
        ephemeral_storage_gib=_SCRATCH_GIB + (weights_gib if on_node else 0),
        weights_gib=weights_gib,
        weights_access_mode=_access_mode(plan),
        startup_failure_threshold=ceil(plan.startup_budget_s / STARTUP_PERIOD_S),
        termination_grace_s=grace_s,
        progress_deadline_s=deadline_s,
        # Without a surge replicas are replaced one after the other, and each may take the whole deadline.
        pulumi_timeout_s=deadline_s * plan.replicas + _AWAIT_MARGIN_S,
        concurrency=_concurrency(plan),
        model_label=_label_value(plan.facts.model.name),
    )


def _access_mode(plan: Plan) -> AccessMode:
    """A volume that one node mounts blocks a second replica; so does Knative's next revision, which starts early."""
    return "ReadWriteMany" if plan.replicas > 1 or plan.facts.profile.is_serverless else "ReadWriteOnce"


def _concurrency(plan: Plan) -> int:
    """Average requests that one server runs at once; more would only wait in its queue."""
    held = plan.memory.kv_tokens // plan.workload.tokens_per_request
    return max(1, min(plan.facts.accelerator.max_num_seqs, held))


def _label_value(name: str) -> str:
    """A Kubernetes label value: at most 63 of A-Z a-z 0-9 . _ - that begins and ends with a letter or digit."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)[:63].strip("._-")
