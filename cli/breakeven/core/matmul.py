"""The share of the datasheet's FLOPS that the best matmul on an accelerator was measured to reach.

Power and clocks, not software, hold it below 1. Measured by mamf-finder, in
https://github.com/stas00/ml-engineering/blob/744d01e18b79512572f64a6bbd8b5f4a725203a7/compute/accelerator/README.md
(2026-08-22): bf16, then fp8.
"""

from __future__ import annotations

from typing import Final

_SHARES: Final[dict[str, tuple[float, float]]] = {
    "a100-80gb": (0.869, 0.869),  # no fp8: computed in bf16
    "a100-80gb-pcie": (0.811, 0.811),
    "a100-40gb": (0.869, 0.869),  # the same chip as with 80 GB
    "a100-40gb-pcie": (0.811, 0.811),
    "h100-80gb": (0.803, 0.709),
    "h200-141gb": (0.803, 0.734),
    "b200-180gb": (0.776, 0.763),
    "mi300x-192gb": (0.514, 0.514),
}
# Cards of 350 W or less (L40S, L4, H100 PCIe, RTX) fall below their boost clock under a long matmul. An assumption: it
# was made with the L40S rows of the throughput data in sight, so that those rows do not test it.
_UNMEASURED: Final = 0.60


def achievable_share(accelerator: str, *, fp8: bool = False) -> float:
    """By the accelerator's catalogue name."""
    shares = _SHARES.get(accelerator)
    return shares[1 if fp8 else 0] if shares else _UNMEASURED
