"""The share of the datasheet's FLOPS that the best matmul on an accelerator was measured to reach.

Power and clocks, not software, hold it below 1. Measured by mamf-finder, in
https://github.com/stas00/ml-engineering/blob/744d01e18b79512572f64a6bbd8b5f4a725203a7/compute/accelerator/README.md
(2026-08-22): bf16, then fp8.
"""

from __future__ import annotations

from typing import Final

_SHARES: Final[dict[str, tuple[float, float]]] = {
    "a100-pcie": (0.811, 0.811),  # no fp8: computed in bf16
    "a100": (0.869, 0.869),
    "gh200": (0.838, 0.776),
    "h100-pcie": (0.60, 0.60),  # not measured there: see below
    "h100-nvl": (0.60, 0.60),
    "h100": (0.803, 0.709),
    "h200": (0.803, 0.734),
    "gb200": (0.729, 0.723),
    "b200": (0.776, 0.763),
    "b300": (0.786, 0.745),
    "mi300x": (0.514, 0.514),
    "mi325x": (0.604, 0.604),
    "mi355x": (0.680, 0.680),
}
# Cards of 350 W or less (L40S, L4, H100 PCIe, RTX) fall below their boost clock under a long matmul. An assumption: it
# was made with the L40S rows of the throughput data in sight, so that those rows do not test it.
_UNMEASURED: Final = 0.60


def achievable_share(accelerator: str, *, fp8: bool = False) -> float:
    """By the accelerator's catalogue name; the longest name that it begins with counts."""
    known = [name for name in _SHARES if accelerator == name or accelerator.startswith(f"{name}-")]
    if not known:
        return _UNMEASURED
    return _SHARES[max(known, key=len)][1 if fp8 else 0]
