"""What the engine prints → errors of ours, where a plan of it is concerned: texts as engine 3.259.0 wrote them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from breakeven.engine.failures import error_of
from breakeven.errors import ClusterError, DeployError, GateError

URN = (
    "urn:pulumi:exp::breakeven::breakeven:index:VllmCluster$kubernetes:helm.sh/v4:Chart"
    "$kubernetes:apps/v1:Deployment::llm-exp:llm-exp/llm-exp"
)
CLOSING = "kubernetes:helm.sh/v4:Chart resource 'llm-exp' has a problem: grpc: the client connection is closing"
UNSEEN = f"expected resource operations for {URN} but none were seen"
UNREACHABLE = "failed to read resource state due to unreachable cluster."
FORBIDDEN = 'namespaces "llm-exp" is forbidden: User "reader" cannot patch resource'


def said(*messages: str, urn: str = "") -> list[Any]:
    return [SimpleNamespace(urn=urn, message=message) for message in messages]


@pytest.mark.parametrize(
    ("events", "kind", "message"),
    [
        (
            said(f"resource {URN} violates plan: properties changed: =~spec[…]", CLOSING),
            GateError,
            "Deployment llm-exp/",
        ),
        (
            said("update is not allowed by the plan: this resource is constrained to same", CLOSING, urn=URN),
            GateError,
            "Deployment llm-exp/llm-exp would change in another way than was shown",
        ),
        (said("update is not allowed by the plan: constrained"), GateError, "a resource would change in another way"),
        (said(UNSEEN), GateError, "Deployment llm-exp/llm-exp would change in another way"),
        # A step that failed for a reason of its own; the plan only says that others were not reached.
        (said(UNSEEN, FORBIDDEN), ClusterError, f"the cluster refused:\n{FORBIDDEN}"),
        (said(FORBIDDEN, UNSEEN), ClusterError, f"the cluster refused:\n{FORBIDDEN}"),
        (
            said(f"Preview failed: {UNREACHABLE} If the cluster was deleted, you can remove this resource from …"),
            ClusterError,
            f"the cluster went away: Preview failed: {UNREACHABLE}",
        ),
        (said("it timed out", UNSEEN), DeployError, "the engine failed:\nit timed out"),
        ([], GateError, "what would be recorded with the stack is not what was shown"),
    ],
)
def test_a_refusal_by_the_plan_is_told_from_a_failure(events: list[Any], kind: type[DeployError], message: str) -> None:
    found = error_of("\n code: 1\n stdout: Updating\n stderr: \n", events)
    assert type(found) is kind
    assert found.message.startswith(message)
    assert "If the cluster was deleted" not in found.message
