"""The pinned programs and where they come from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from breakeven.core.local import ProgramRecord
from breakeven.output import table

SCHEMA: Final = "breakeven.tools/1"


def render(output: str, records: Sequence[ProgramRecord]) -> str:
    """By the value of `-o`."""
    if output == "json":
        programs = [
            {
                "program": record.program,
                "version": record.version,
                "origin": record.origin,
                "path": str(record.path) if record.path else None,
            }
            for record in records
        ]
        return json.dumps({"schema": SCHEMA, "programs": programs}, indent=2)
    rows = [
        [record.program, record.version, record.origin, str(record.path) if record.path else ""] for record in records
    ]
    return table.render(output, ["Program", "Version", "From", "Path"], rows)
