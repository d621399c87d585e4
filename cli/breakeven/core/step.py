"""Seconds of one engine step: what is read, multiplied, sent and waited for.

A step runs some sequences by one token each (decode) and takes in some tokens of new prompts (prefill). Its time is a
sum over matmuls, attention, element-wise traffic, all-reduces and fixed costs, each a roofline of its own, because one
follows another in a layer. With pipeline parallelism it is the time of one stage.
"""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.core.calibration import Calibration
from breakeven.core.replica import ModelShape, Replica

_BF16_BYTES = 2
# Norms and residuals read and write the hidden state about this often in a layer, on every GPU alike.
_HIDDEN_PASSES = 8
# What a matmul writes is read again by the next kernel; half of it in between by an activation function.
_OUTPUT_PASSES = 1.5
# Each token is copied out to its experts, written back by each of them, and summed up.
_EXPERT_PASSES = 3
# Casting, penalties, softmax, top-k and top-p go over the logits in float32.
_SAMPLER_PASSES = 5
# Element-wise kernels reach what a copy does.
_COPY_SHARE = 0.8


@dataclass(frozen=True, kw_only=True, slots=True)
class StepLoad:
    """Of one step: sequences that decode and their mean context; prompt tokens, their mean context, prompts ended."""

    decodes: float
    decode_context: float
    prompt_tokens: float = 0.0
    prompt_context: float = 0.0
    prompts_ended: float = 0.0

    @property
    def tokens(self) -> float:
        return self.decodes + self.prompt_tokens


def step_seconds(replica: Replica, load: StepLoad, k: Calibration) -> float:
    """Of one pipeline stage; without pipeline parallelism, of the whole model."""
    model = replica.model
    layers = (
        _shared_s(replica, load.tokens, k)
        + _experts_s(replica, load.tokens, k)
        + _attention_s(replica, load, k)
        + _elementwise_s(replica, load.tokens, k)
        + _all_reduce_s(replica, load.tokens, k)
        + model.layers * (k.layer_s + (k.expert_layer_s if model.experts else 0.0))
    )
    return layers / replica.pipeline_parallel_size + _last_stage_s(replica, load, k) + _send_s(replica, load.tokens, k)


def _meet(memory_s: float, compute_s: float, k: Calibration) -> float:
    """Two bounds that overlap, but not perfectly."""
    longer, shorter = (memory_s, compute_s) if memory_s > compute_s else (compute_s, memory_s)
    if longer <= 0:
        return 0.0
    return float(longer * (1 + (shorter / longer) ** k.roofline_power) ** (1 / k.roofline_power))


def _bytes_per_s(replica: Replica) -> float:
    return replica.accelerator.bandwidth_gb_per_s * 1e9


def _shared_s(replica: Replica, tokens: float, k: Calibration) -> float:
    """Matmuls that every token takes part in."""
    model, tp = replica.model, replica.tensor_parallel_size
    width = model.shared_bytes_per_weight or model.bytes_per_weight
    tflops = replica.accelerator.tflops if width == model.bytes_per_weight else replica.accelerator.bf16_tflops
    memory = model.shared_parameters * width / tp / (_bytes_per_s(replica) * k.bandwidth_share)
    compute = 2 * model.shared_parameters * tokens / tp / (tflops * 1e12 * k.matmul_share * _unpack(model, width, k))
    return _meet(memory, compute, k)


def _experts_s(replica: Replica, tokens: float, k: Calibration) -> float:
    """Grouped matmuls: the experts that any token chose are read, each with its tokens padded to whole tiles."""
    model, tp = replica.model, replica.tensor_parallel_size
    if not model.expert_parameters:
        return 0.0
    chosen = model.experts_per_token / model.experts
    touched = 1 - (1 - chosen) ** tokens
    rows = tokens * chosen + touched * k.expert_tile_rows / 2
    bandwidth = _bytes_per_s(replica) * k.bandwidth_share * k.expert_bandwidth_share
    flops = replica.accelerator.tflops * 1e12 * k.matmul_share * k.expert_matmul_share
    memory = model.expert_parameters * touched * model.bytes_per_weight / tp / bandwidth
    compute = 2 * model.expert_parameters * rows / tp / (flops * _unpack(model, model.bytes_per_weight, k))
    return _meet(memory, compute, k)


def _unpack(model: ModelShape, width: float, k: Calibration) -> float:
    return k.unpack_share if width < 1 else 1.0


def _attention_s(replica: Replica, load: StepLoad, k: Calibration) -> float:
    """Decoding reads keys and values; a prompt multiplies them, two FLOP for each weight of the attention matrix."""
    model, tp = replica.model, replica.tensor_parallel_size
    kept = load.decodes * model.kv_bytes(load.decode_context)
    read = kept * model.reads_per_kept / (_bytes_per_s(replica) * k.kv_bandwidth_share)
    looked_at = load.prompt_context * model.attention_layers
    looked_at += min(load.prompt_context, model.window_tokens) * model.window_layers
    flop = 2 * load.prompt_tokens * looked_at * model.attention_width / tp
    return read + flop / (replica.accelerator.bf16_tflops * 1e12 * k.attention_share)


def _elementwise_s(replica: Replica, tokens: float, k: Calibration) -> float:
    """Everything between the matmuls. What is per hidden state is done by every GPU of the group."""
    model = replica.model
    numbers = (
        _OUTPUT_PASSES * model.layer_outputs / replica.tensor_parallel_size
        + (_HIDDEN_PASSES + _EXPERT_PASSES * model.experts_per_token) * model.hidden_size * model.layers
    )
    return tokens * numbers * _BF16_BYTES * k.activation_traffic / (_bytes_per_s(replica) * _COPY_SHARE)


def _all_reduce_s(replica: Replica, tokens: float, k: Calibration) -> float:
    """Two a layer; a ring sends 2 × (tp − 1) ÷ tp of the hidden states over each link."""
    tp = replica.tensor_parallel_size
    if tp == 1:
        return 0.0
    sent = tokens * replica.model.hidden_size * _BF16_BYTES * 2 * (tp - 1) / tp
    return 2 * replica.model.layers * (k.all_reduce_s + sent / _link(replica, k))


def _link(replica: Replica, k: Calibration) -> float:
    share = k.nvlink_share if replica.accelerator.link == "nvlink" else k.pcie_share
    return replica.accelerator.link_gb_per_s * 1e9 * share


def _last_stage_s(replica: Replica, load: StepLoad, k: Calibration) -> float:
    """The output projection and the sampler, for every sequence that gets a token; and the step's own cost."""
    model, tp = replica.model, replica.tensor_parallel_size
    sampled = load.decodes + load.prompts_ended
    memory = model.head_parameters * _BF16_BYTES / tp / (_bytes_per_s(replica) * k.bandwidth_share)
    compute = 2 * model.head_parameters * sampled / tp / (replica.accelerator.bf16_tflops * 1e12 * k.matmul_share)
    logits = sampled * model.vocabulary * 4 * _SAMPLER_PASSES / (_bytes_per_s(replica) * _COPY_SHARE)
    return _meet(memory, compute, k) + logits + k.step_s + sampled * k.sequence_s


def _send_s(replica: Replica, tokens: float, k: Calibration) -> float:
    """Hidden states and residuals to the next stage."""
    if replica.pipeline_parallel_size == 1:
        return 0.0
    return k.all_reduce_s + tokens * replica.model.hidden_size * _BF16_BYTES * 2 / _link(replica, k)
