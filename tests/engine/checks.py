"""What preflight said, and the namespace that its tests use."""

from __future__ import annotations

from breakeven.core.live import Check

TEAM = "preflight-team"
STACK = ("--profile", "4xa100", "--name", "flight", "--namespace", TEAM)


def one(checks: list[Check], name: str, status: str) -> Check:
    (found,) = [check for check in checks if check.name == name and check.status == status]
    assert found.fix or status == "pass"
    return found


def failed(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if check.status == "fail"]
