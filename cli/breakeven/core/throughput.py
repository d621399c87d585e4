"""Speed of a replica from catalogue records: the adapter between them and the model of one server.

The model itself is in replica, step, latency and slo. How well it does on published rows, by data family, and how the
band follows from that: docs/accuracy-throughput.md. Saturated throughput is an upper bound; capacity under a latency
objective is lower.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from breakeven.core.hardware import Accelerator
from breakeven.core.latency import RATE_BAND, Estimate, Requests, estimate
from breakeven.core.matmul import achievable_share
from breakeven.core.memory import MemoryFit
from breakeven.core.model import Model
from breakeven.core.replica import AcceleratorSpeed, ModelShape, Replica
from breakeven.core.slo import Slo, SloCapacity, slo_capacity
from breakeven.core.workload import Workload

__all__ = [
    "BAND",
    "AcceleratorSpeed",
    "Capacity",
    "Estimate",
    "ModelShape",
    "Replica",
    "Requests",
    "Slo",
    "SloCapacity",
    "capacity",
    "estimate",
    "replica",
    "slo_capacity",
]

BAND: Final = RATE_BAND
# PCIe 5.0 × 16 moves 64 GB/s each way; the slowest NVLink that joins GPUs of a server, more.
_FASTEST_PCIE_GB_PER_S: Final = 64


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """Requests per second of one replica: the estimate and its band."""

    requests_per_second: float

    @property
    def low(self) -> float:
        return self.requests_per_second / BAND

    @property
    def high(self) -> float:
        return self.requests_per_second * BAND


def capacity(
    model: Model, accelerator: Accelerator, memory: MemoryFit, tensor_parallel_size: int, workload: Workload
) -> Capacity:
    """Saturated throughput for requests of the workload's shape."""
    requests = Requests(input_tokens=workload.input_tokens, output_tokens=workload.output_tokens)
    found = estimate(replica(model, accelerator, memory, tensor_parallel_size), requests)
    return Capacity(requests_per_second=found.requests_per_second.value)


def replica(model: Model, accelerator: Accelerator, memory: MemoryFit, tensor_parallel_size: int) -> Replica:
    """One vLLM server of the model, in bf16, with vLLM's defaults for the accelerator."""
    tflops = accelerator.bf16_tflops * achievable_share(accelerator.name)
    return Replica(
        model=_shape(model, tensor_parallel_size),
        accelerator=AcceleratorSpeed(
            bandwidth_gb_per_s=accelerator.bandwidth_gb_per_s,
            tflops=tflops,
            bf16_tflops=tflops,
            link_gb_per_s=accelerator.link_gb_per_s,
            link="pcie" if accelerator.link_gb_per_s <= _FASTEST_PCIE_GB_PER_S else "nvlink",
        ),
        tensor_parallel_size=tensor_parallel_size,
        kv_cache_gib=memory.kv_gib,
        max_num_seqs=accelerator.max_num_seqs,
        max_num_batched_tokens=accelerator.max_num_batched_tokens,
    )


def _shape(model: Model, tensor_parallel_size: int) -> ModelShape:
    """Catalogue records know uniform full attention only, and do not name their experts: see `_experts`."""
    experts, chosen = _experts(model)
    return ModelShape(
        parameters_billion=model.parameters_billion,
        active_parameters_billion=model.active_parameters_billion,
        layers=model.layers,
        hidden_size=model.hidden_size,
        vocabulary=model.vocabulary,
        attention_width=2 * model.attention_heads * model.head_dim,
        attention_layers=model.layers,
        kv_bytes_per_token=model.kv_bytes_per_token(tensor_parallel_size),
        experts=experts,
        experts_per_token=chosen,
    )


def _experts(model: Model) -> tuple[int, int]:
    """8 of 128 for the mixtures of the catalogue, until its records name them."""
    return (128, 8) if model.is_moe else (0, 0)
