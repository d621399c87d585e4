"""Speed of a replica from catalogue records: the adapter between them and the model of one server.

The model itself is in replica, step, latency and slo. How well it does on published rows, by data family, and how the
band follows from that: docs/accuracy-throughput.md. Saturated throughput is an upper bound; capacity under a latency
objective is lower.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Final, Literal

from breakeven.core.engine_args import KvCacheDtype
from breakeven.core.hardware import Accelerator
from breakeven.core.latency import RATE_BAND, Estimate, Requests, estimate
from breakeven.core.matmul import achievable_share
from breakeven.core.memory import MemoryFit
from breakeven.core.model import BF16_BYTES, Model
from breakeven.core.precision import Precision
from breakeven.core.replica import AcceleratorSpeed, ModelShape, Replica
from breakeven.core.slo import Bound, Slo, SloCapacity, slo_capacity
from breakeven.core.workload import Workload

__all__ = [
    "BAND",
    "AcceleratorSpeed",
    "Basis",
    "Capacity",
    "Estimate",
    "ModelShape",
    "Replica",
    "Requests",
    "Slo",
    "SloCapacity",
    "estimate",
    "replica",
    "requests_of",
    "slo_capacity",
    "untested",
]

BAND: Final = RATE_BAND

# Precisions that no published run was measured in (catalog/measured.yaml), and what they are taken for. From
# _POSSIBLE_NVFP4_KERNELS and select_nvfp4_moe_backend, vLLM 0.32.0.
_UNMEASURED: Final[dict[Precision, str]] = {
    "int8": "as 8-bit weights that are multiplied in 16 bits",
    "nvfp4": "as 4-bit weights that are unpacked and multiplied in 16 bits, which vLLM does before Blackwell (Marlin). "
    "Blackwell multiplies 4 bits and may be faster; AMD cards emulate it and are slower",
}

Basis = Literal["estimate", "measured"]
_MODEL: Final = "the model of throughput: docs/accuracy-throughput.md"


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """Requests per second of one replica: within the latency objective, with its band, and saturated.

    `concurrency` is the mean number of requests that are open at the first; `bound` is what gives out beyond it.
    `request_s` is what a request takes that meets no other.
    `source` and `date` are those of the measurement, if either figure is measured.
    """

    requests_per_second: float
    saturated_requests_per_second: float
    concurrency: float
    request_s: float
    bound: Bound
    basis: Basis = "estimate"
    saturated_basis: Basis = "estimate"
    source: str = _MODEL
    date: datetime.date | None = None

    @property
    def band(self) -> float:
        """An estimate's; a measurement has none, but the headroom that the plan keeps."""
        return BAND if self.basis == "estimate" else 1.0

    @property
    def low(self) -> float:
        return self.requests_per_second / self.band

    @property
    def high(self) -> float:
        return self.requests_per_second * self.band


def requests_of(workload: Workload) -> Requests:
    """The shape of the workload's average request."""
    return Requests(
        input_tokens=workload.input_tokens,
        output_tokens=workload.output_tokens,
        cached_share=workload.cached_share,
    )


def untested(precision: Precision) -> str | None:
    """What to know of an estimate that no measured run has tested."""
    if precision not in _UNMEASURED:
        return None
    return f"No run in {precision} was measured: its speed is estimated {_UNMEASURED[precision]}."


def replica(
    model: Model,
    accelerator: Accelerator,
    memory: MemoryFit,
    tensor_parallel_size: int,
    pipeline_parallel_size: int = 1,
    kv_cache_dtype: KvCacheDtype = "auto",
) -> Replica:
    """One vLLM server of the published checkpoint, with vLLM's defaults for the accelerator."""
    return Replica(
        model=_shape(model, tensor_parallel_size, model.kv_element_bytes(kv_cache_dtype)),
        accelerator=_speed(model, accelerator),
        tensor_parallel_size=tensor_parallel_size,
        pipeline_parallel_size=pipeline_parallel_size,
        kv_cache_gib=memory.kv_gib,
        max_num_seqs=accelerator.max_num_seqs,
        max_num_batched_tokens=accelerator.max_num_batched_tokens,
    )


def _speed(model: Model, accelerator: Accelerator) -> AcceleratorSpeed:
    """Without arithmetic of its own, fp8 is multiplied in 16 bits, as fewer bits are; int8 is taken to be so too."""
    bf16 = accelerator.bf16_tflops * achievable_share(accelerator.name)
    fp8 = accelerator.fp8_tflops if model.precision == "fp8" else None
    return AcceleratorSpeed(
        bandwidth_gb_per_s=accelerator.bandwidth_gb_per_s,
        tflops=fp8 * achievable_share(accelerator.name, fp8=True) if fp8 else bf16,
        bf16_tflops=bf16,
        link_gb_per_s=accelerator.link_gb_per_s,
        link="pcie" if accelerator.link == "pcie" else "nvlink",
    )


def _shape(model: Model, tensor_parallel_size: int, kv_bytes: int) -> ModelShape:
    """Sparse attention is taken to read all that it keeps; layers that share a cache read it once more each."""
    width, shared = _bytes_per_weight(model)
    sharing = model.shared_cache
    full = model.full_layers * model.full_layer_bytes(tensor_parallel_size, kv_bytes)
    index = model.indexer.layers * model.indexer.bytes_per_token if model.indexer else 0
    windows = model.sliding.layers if model.sliding else 0
    return ModelShape(
        parameters_billion=model.parameters_billion - model.looked_up_billion,
        active_parameters_billion=model.active_parameters_billion - model.looked_up_billion,
        layers=model.layers,
        hidden_size=model.hidden_size,
        vocabulary=model.vocabulary,
        attention_width=model.attention_heads * (model.mla.head_width if model.mla else 2 * model.head_dim),
        attention_layers=model.full_layers + (sharing.full if sharing else 0),
        kv_bytes_per_token=full + index,
        kv_bytes_per_sequence=_state_bytes(model, tensor_parallel_size),
        kv_bytes_per_window_token=windows * model.sliding_layer_bytes(tensor_parallel_size, kv_bytes),
        window_tokens=model.sliding.window if model.sliding else 0,
        window_layers=windows + (sharing.sliding if sharing else 0),
        reads_per_kept=_reads_per_kept(model),
        experts=model.experts.count if model.experts else 0,
        experts_per_token=model.experts.per_token if model.experts else 0,
        bytes_per_weight=width,
        shared_bytes_per_weight=shared,
    )


def _reads_per_kept(model: Model) -> float:
    """How often a step reads what is kept: once for each layer that looks at it."""
    return 1 + model.sharing_layers / model.caching_layers if model.caching_layers else 1.0


def _bytes_per_weight(model: Model) -> tuple[float, float | None]:
    """Of the experts or all of a dense model; and of what is not in an expert, where that stays in 16 bits."""
    if model.precision == "bf16":
        return BF16_BYTES, None
    experts = model.experts.parameters_billion if model.experts else 0.0
    experts_only = model.quantisable_billion(model.precision) <= experts
    return model.quantised_parameter_bytes(model.precision), BF16_BYTES if experts_only else None


def _state_bytes(model: Model, tensor_parallel_size: int) -> int:
    """Twice: a state is read and written in each step, and held again where prefix caching may start from."""
    if model.recurrent is None:
        return 0
    return 2 * model.recurrent.layers * model.recurrent.bytes_per_request(tensor_parallel_size)
