"""The engine's own record of each update, which every backend keeps → applies."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from breakeven.core.history import Apply


def read(summaries: Iterable[Any]) -> tuple[Apply, ...]:
    """From the Automation API's summaries. Updates whose inputs cannot be read are left out."""
    return tuple(apply for summary in summaries if summary.kind == "update" and (apply := _apply(summary)))


def _apply(summary: Any) -> Apply | None:
    with suppress(KeyError, TypeError, ValueError):
        deployment = json.loads(summary.config["breakeven:deployment"].value)
        return Apply(
            started=_utc(summary.start_time),
            ended=_utc(summary.end_time) if summary.end_time else None,
            succeeded=summary.result == "succeeded",
            deployment=deployment,
        )
    return None


def _utc(moment: datetime) -> datetime:
    """The SDK gives UTC without saying so."""
    return moment.replace(tzinfo=UTC)
