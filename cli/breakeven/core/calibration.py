"""What software and silicon make of the figures on a datasheet: shares reached, and time that is lost.

Each constant is physical, and its comment says what it stands for and where its first guess is from. The values are
those guesses, moved as far as measured rows ask (bench/throughput_fit.py: least squares with each guess as a prior);
docs/accuracy-throughput.md says how well they do on rows of a data family that was left out of the fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Shares are of the accelerator's own figures, times are seconds."""

    # Weights stream in long, regular reads: 85 to 90 % of the memory's peak is what a copy reaches.
    bandwidth_share: float = 0.86
    # Keys and values are read page by page, in many short reads: less than a copy.
    kv_bandwidth_share: float = 0.83
    # A layer's own matrix shapes, against the best shape that was ever measured on the accelerator.
    matmul_share: float = 0.85
    # FlashAttention's forward pass with a causal mask, at head size 128: 55 to 70 % of a plain matmul.
    attention_share: float = 0.65
    # Norms, rotary embedding, activation functions and casts, as a multiple of the traffic that step.py counts.
    activation_traffic: float = 0.80
    # A ring over NVLink moves about 360 of its 450 GB/s; less where the message is short.
    nvlink_share: float = 0.65
    # A ring over PCIe 4.0 × 16 moves 13 to 15 of its nominal 20 GB/s, less across two sockets.
    pcie_share: float = 0.71
    # One all-reduce of a few kilobytes, launch included: 8 to 20 µs.
    all_reduce_s: float = 17e-6
    # Ten kernels a layer, replayed from a CUDA graph: about 2 µs each.
    layer_s: float = 25e-6
    # Router, top-k, sorting by expert and summing up: about ten more of them.
    expert_layer_s: float = 22e-6
    # Grouped matmuls over experts: uneven loads leave part of the accelerator idle at the end of each.
    expert_matmul_share: float = 0.81
    # The same for reading: short rows, one expert at a time.
    expert_bandwidth_share: float = 0.89
    # An expert's tokens are padded to whole tiles of 16 to 128 rows; half a tile is lost on average.
    expert_tile_rows: float = 43.0
    # Weights of less than a byte (int4, mxfp4) are unpacked to bf16 before they are multiplied.
    unpack_share: float = 0.61
    # Scheduling, preparing inputs and fetching the sampled tokens, not hidden behind the accelerator's work.
    step_s: float = 0.7e-3
    # The same, for each sequence that a step samples for.
    sequence_s: float = 3.6e-6
    # How sharply memory and compute bounds meet, as the power of a norm: 1 adds them up, infinity takes the larger.
    roofline_power: float = 2.5
    # From the request's arrival over HTTP to the scheduler, and from the first token back to the client.
    request_s: float = 29e-3
    # Tokenising, and copying the prompt between processes.
    prompt_token_s: float = 3.2e-6


CALIBRATION: Final = Calibration()
