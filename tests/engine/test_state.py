"""The digest of a state: the same for a run that changed nothing, another for everything that an apply starts from."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from breakeven.engine import state

URN = "urn:pulumi:x::breakeven::"
STACK = {
    "urn": f"{URN}pulumi:pulumi:Stack::breakeven-x",
    "type": "pulumi:pulumi:Stack",
    "outputs": {"cost": {"monthly_usd": "3500.00"}},
    "created": "2026-11-24T14:00:00Z",
    "modified": "2026-11-24T14:00:00Z",
}
DEPLOYMENT = {
    "urn": f"{URN}kubernetes:apps/v1:Deployment::llm-x:llm-x/llm-x",
    "type": "kubernetes:apps/v1:Deployment",
    "id": "llm-x/llm-x",
    "inputs": {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "llm-x"}, "spec": {"replicas": 1}},
    "outputs": {"metadata": {"resourceVersion": "1"}, "status": {"readyReplicas": 1}},
    "modified": "2026-11-24T14:00:00Z",
}


def digest(resources: list[dict[str, Any]], pending: tuple[dict[str, Any], ...] = ()) -> str:
    operations = [{"type": "creating", "resource": entry} for entry in pending]
    return state.read({"deployment": {"resources": resources, "pending_operations": operations}}).digest


def changed(entry: dict[str, Any], *path: str, to: Any) -> dict[str, Any]:
    copy = deepcopy(entry)
    target = copy
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = to
    return copy


def test_times_order_and_what_was_found_live_are_no_part_of_it() -> None:
    later = changed(DEPLOYMENT, "modified", to="2026-11-25T14:00:00Z")
    seen = changed(later, "outputs", "metadata", "resourceVersion", to="9")
    assert digest([STACK, DEPLOYMENT]) == digest([seen, changed(STACK, "modified", to="later")])


@pytest.mark.parametrize(
    "other",
    [
        [STACK, changed(DEPLOYMENT, "inputs", "spec", "replicas", to=2)],
        [STACK, changed(DEPLOYMENT, "id", to="llm-x/other")],
        [STACK, changed(DEPLOYMENT, "protect", to=True)],
        [STACK, changed(DEPLOYMENT, "initErrors", to=["timed out"])],
        [changed(STACK, "outputs", "cost", "monthly_usd", to="1.00"), DEPLOYMENT],
        [STACK],
        [],
    ],
)
def test_everything_else_is(other: list[dict[str, Any]]) -> None:
    assert digest(other) != digest([STACK, DEPLOYMENT])


def test_so_is_what_a_killed_apply_began() -> None:
    assert digest([STACK], (DEPLOYMENT,)) not in (digest([STACK]), digest([STACK, DEPLOYMENT]))
    assert digest([]) == state.EMPTY.digest
