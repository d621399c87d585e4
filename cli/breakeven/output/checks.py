"""What was looked at, what was found, what to do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, Final

from breakeven.core.live import Check
from breakeven.output import table

SCHEMA: Final = "breakeven.checks/1"

_SIGNS: Final = {"pass": "✓", "warn": "!", "fail": "✗"}


def render(output: str, checks: Sequence[Check]) -> str:
    """By the value of `-o`."""
    if output == "json":
        return json.dumps({"schema": SCHEMA, "checks": data(checks)}, indent=2)
    return markdown(checks) if output == "markdown" else text(checks)


def text(checks: Iterable[Check]) -> str:
    """One line a check, and its fix below where it did not pass; one that mends several in a row is said once."""
    lines = []
    for fix, same in groupby(checks, key=lambda check: "" if check.status == "pass" else check.fix):
        lines += [f"{_SIGNS[check.status]} {check.name}: {check.detail}" for check in same]
        if fix:
            lines.append(f"  → {fix}")
    return "\n".join(lines)


def markdown(checks: Iterable[Check]) -> str:
    rows = [[check.status, check.name, check.detail, check.fix] for check in checks]
    return table.markdown(["", "Check", "Found", "Fix"], rows)


def data(checks: Iterable[Check]) -> list[dict[str, Any]]:
    """JSON-ready."""
    return [{"name": check.name, "status": check.status, "detail": check.detail, "fix": check.fix} for check in checks]
