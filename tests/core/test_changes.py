from __future__ import annotations

from itertools import permutations

import pytest

from breakeven.core.changes import Change, Changes

STEPS = tuple(Change(op=op, urn=op, type="a", old=None, new=None) for op in ("update", "create", "same", "create"))


@pytest.mark.parametrize("steps", list(permutations(STEPS)))
def test_counts_come_in_one_order_whatever_that_of_the_steps(steps: tuple[Change, ...]) -> None:
    assert list(Changes(steps=steps).counts.items()) == [("create", 2), ("same", 1), ("update", 1)]
