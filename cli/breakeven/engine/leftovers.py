"""What an engine that was stopped at once may have left behind: objects in no record, and its lock."""

from __future__ import annotations

from typing import Final

from breakeven.engine import holders, stack
from breakeven.engine.backend import Backend
from breakeven.engine.workspace import PROJECT
from breakeven.errors import DeployError

_UNKNOWN: Final = "what it was doing may be in the cluster and in no record"


def describe(name: str, backend: Backend) -> str:
    """For people, in one sentence."""
    try:
        found = stack.find(name, backend)
    except DeployError:
        return _UNKNOWN
    begun = [_object(urn) for urn in (found.state.begun if found else ())]
    what = f"begun, maybe made, and in no record: {', '.join(begun)}" if begun else "no step was cut short"
    return what + _lock(name, backend)


def _lock(name: str, backend: Backend) -> str:
    try:
        held = holders.locks(name, PROJECT, backend)
    except DeployError:
        return ""
    return "; its lock is left: `deploy unlock` removes it" if held else "; no lock is left"


def _object(urn: str) -> str:
    """`Deployment llm-chat`"""
    kind, name = urn.split("::")[-2].rsplit(":", 1)[-1], urn.rsplit("::", 1)[-1]
    return f"{kind} {name.rsplit('/', 1)[-1]}"
