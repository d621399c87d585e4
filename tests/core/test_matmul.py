from __future__ import annotations

import pytest

from breakeven.core.matmul import achievable_share


@pytest.mark.parametrize(
    ("name", "fp8", "share"),
    [
        ("a100-80gb", False, 0.869),
        ("a100-pcie-80gb", False, 0.811),
        ("h100-80gb", True, 0.709),
        ("h100-pcie", False, 0.60),
        ("h200", True, 0.734),
        ("l40s", False, 0.60),
        ("l4", True, 0.60),
        ("a1000", False, 0.60),
    ],
)
def test_the_longest_name_counts(name: str, fp8: bool, share: float) -> None:
    assert achievable_share(name, fp8=fp8) == share
