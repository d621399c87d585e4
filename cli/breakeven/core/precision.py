"""What a weight takes in each precision, scales included."""

from __future__ import annotations

from typing import Final, Literal

Precision = Literal["bf16", "fp8", "int8", "int4", "mxfp4", "nvfp4"]

# Bytes per parameter, with scales as the common checkpoints store them. bf16 stands for fp16 too.
_BYTES: Final[dict[Precision, float]] = {
    "bf16": 2,
    "fp8": 1 + 4 / 128**2,  # one fp32 scale per block of 128 × 128 (DeepSeek-V3); per channel is less
    "int8": 1 + 2 / 4096,  # one bf16 scale per output channel, here of 4,096 inputs
    "int4": 0.5 + 2 / 128 + 0.5 / 128,  # AWQ and GPTQ: groups of 128, each with a bf16 scale and a 4-bit zero point
    "mxfp4": 0.5 + 1 / 32,  # OCP MX: an 8-bit scale per 32 elements
    "nvfp4": 0.5 + 1 / 16,  # modelopt: an fp8 scale per 16 elements (quantization/modelopt.py KNvfp4Static, 0.32.0)
}


def bytes_per_parameter(precision: Precision) -> float:
    """Bytes of a quantised weight with its share of the scales."""
    return _BYTES[precision]
