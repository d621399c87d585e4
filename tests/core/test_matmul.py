from __future__ import annotations

import pytest

from breakeven import load
from breakeven.core import matmul
from breakeven.core.matmul import achievable_share


@pytest.mark.parametrize(
    ("name", "fp8", "share"),
    [
        ("a100-80gb", False, 0.869),
        ("a100-80gb-pcie", False, 0.811),
        ("h100-80gb", True, 0.709),
        ("h100-80gb-pcie", False, 0.60),
        ("h200-141gb", True, 0.734),
        ("l40s-48gb", False, 0.60),
        ("l4-24gb", True, 0.60),
    ],
)
def test_by_catalogue_name(name: str, fp8: bool, share: float) -> None:
    assert achievable_share(name, fp8=fp8) == share


def test_all_names_are_the_catalogues() -> None:
    assert matmul._SHARES.keys() < load.accelerators().keys()
