"""Requests per second of one replica at saturation: a roofline, always with its band.

Formula and constants ("plausible, not fitted") were tried on 573 published rows of A100, H100, H200 and L40S:
median error 18 %, 73 % of the rows within ± 30 %. Hence the band of × or ÷ 1.3. Saturated throughput is an upper
bound: capacity under a latency objective is lower.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from breakeven.core.hardware import Accelerator
from breakeven.core.memory import MemoryFit
from breakeven.core.model import BF16_BYTES, Model
from breakeven.core.units import GIB
from breakeven.core.workload import Workload

BAND: Final = 1.3
_BANDWIDTH_SHARE: Final = 0.80
_FLOPS_SHARE: Final = 0.55
_LINK_SHARE: Final = 0.60
_MOE_FLOPS_SHARE: Final = 0.50
_MOE_BANDWIDTH_SHARE: Final = 0.75
_LAYER_OVERHEAD_S: Final = 15e-6
_ALL_REDUCE_LATENCY_S: Final = 24e-6
_STEP_OVERHEAD_S: Final = 0.6e-3


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
    kv_bytes = model.kv_bytes_per_token(tensor_parallel_size)
    tokens_held = workload.input_tokens + workload.output_tokens / 2
    running = max(1.0, min(accelerator.max_num_seqs, memory.kv_gib * GIB / (kv_bytes * tokens_held)))
    read = _weights_read_bytes(model, running) / tensor_parallel_size + running * tokens_held * kv_bytes
    bandwidth = accelerator.bandwidth_gb_per_s * 1e9 * _BANDWIDTH_SHARE
    prefill = running / workload.output_tokens * workload.input_tokens
    flops = accelerator.bf16_tflops * 1e12 * _FLOPS_SHARE * tensor_parallel_size
    if model.is_moe:
        bandwidth *= _MOE_BANDWIDTH_SHARE
        flops *= _MOE_FLOPS_SHARE
    flop_per_token = 2 * model.active_parameters_billion * 1e9
    step_s = (
        max(read / bandwidth, running * flop_per_token / flops)
        + prefill * flop_per_token / flops
        + _communication_s(model, accelerator, tensor_parallel_size, running + prefill)
        + model.layers * _LAYER_OVERHEAD_S
        + _STEP_OVERHEAD_S
    )
    return Capacity(requests_per_second=running / (step_s * workload.output_tokens))


def _weights_read_bytes(model: Model, running: float) -> float:
    """Bytes of weights that one step touches: a MoE reads the experts that any running token chose."""
    if not model.is_moe:
        return model.weights_bytes
    share = model.active_parameters_billion / model.parameters_billion
    return float(model.weights_bytes * (1 - (1 - share) ** running))


def _communication_s(model: Model, accelerator: Accelerator, tp: int, tokens: float) -> float:
    """Two all-reduces of the hidden state per layer."""
    if tp == 1:
        return 0.0
    sent = tokens * 2 * model.layers * model.hidden_size * BF16_BYTES * 2 * (tp - 1) / tp
    return sent / (accelerator.link_gb_per_s * 1e9 * _LINK_SHARE) + model.layers * _ALL_REDUCE_LATENCY_S
