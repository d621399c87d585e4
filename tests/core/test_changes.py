from __future__ import annotations

from itertools import permutations

import pytest

from breakeven.core.changes import Change, Changes

STEPS = tuple(Change(op=op, urn=op, type="a", old=None, new=None) for op in ("update", "create", "same", "create"))


@pytest.mark.parametrize("steps", list(permutations(STEPS)))
def test_counts_come_in_one_order_whatever_that_of_the_steps(steps: tuple[Change, ...]) -> None:
    assert list(Changes(steps=steps).counts.items()) == [("create", 2), ("same", 1), ("update", 1)]


def _deployment(op: str, before: dict[str, int] | None, after: dict[str, int] | None) -> Change:
    old, new = (
        None
        if spec is None
        else {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "llm"}, "spec": spec}
        for spec in (before, after)
    )
    return Change(op=op, urn="urn::llm", type="kubernetes:apps/v1:Deployment", old=old, new=new)


@pytest.mark.parametrize(
    ("op", "before", "after", "is_handed_over"),
    [
        ("update", {"replicas": 3}, {}, True),
        ("update", {"replicas": 3}, {"replicas": 2}, False),
        ("update", {}, {}, False),
        ("update", {}, {"replicas": 3}, False),
        ("create", None, {}, False),
        ("delete", {"replicas": 3}, None, False),
    ],
)
def test_replicas_that_are_no_longer_applied_are_an_autoscalers(
    op: str, before: dict[str, int] | None, after: dict[str, int] | None, is_handed_over: bool
) -> None:
    assert bool(Changes(steps=(_deployment(op, before, after),)).handed_over) is is_handed_over
