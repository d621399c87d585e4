"""The GPUs of the measured rows, by the rows' own names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """Datasheet figures, dense; `memory_gib` as engines see it. `achievable` is the name in the catalogue."""

    name: str
    achievable: str
    memory_gib: float
    bandwidth_gb_per_s: float
    bf16_tflops: float
    fp8_tflops: float
    link_gb_per_s: float
    link: Literal["nvlink", "pcie"]


_H100: Final = Gpu(
    name="H100 SXM",
    achievable="h100-80gb",
    memory_gib=79.19,
    bandwidth_gb_per_s=3350,
    bf16_tflops=989,
    fp8_tflops=1979,
    link_gb_per_s=450,
    link="nvlink",
)
_H200: Final = Gpu(
    name="H200",
    achievable="h200-141gb",
    memory_gib=139.8,
    bandwidth_gb_per_s=4800,
    bf16_tflops=989,
    fp8_tflops=1979,
    link_gb_per_s=450,
    link="nvlink",
)
GPUS: Final = {
    "A100-SXM4-80GB": Gpu(
        name="A100 SXM",
        achievable="a100-80gb",
        memory_gib=79.15,
        bandwidth_gb_per_s=2039,
        bf16_tflops=312,
        fp8_tflops=312,
        link_gb_per_s=300,
        link="nvlink",
    ),
    # The link is PCIe 4.0 × 16 as GPUs reach it through a switch: pairs may be bridged, but no row says so.
    "A100-PCIe-80GB": Gpu(
        name="A100 PCIe",
        achievable="a100-80gb-pcie",
        memory_gib=79.15,
        bandwidth_gb_per_s=1935,
        bf16_tflops=312,
        fp8_tflops=312,
        link_gb_per_s=20,
        link="pcie",
    ),
    "L40S": Gpu(
        name="L40S",
        achievable="l40s-48gb",
        memory_gib=44.5,
        bandwidth_gb_per_s=864,
        bf16_tflops=362,
        fp8_tflops=733,
        link_gb_per_s=20,
        link="pcie",
    ),
    "H100-80GB": _H100,
    "h100_sxm": _H100,
    "H200": _H200,
    "h200_sxm": _H200,
}
