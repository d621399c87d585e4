"""Engine events of a preview → the changes, counted against the engine's own summary.

An exception in the SDK's event callback is swallowed, and an event with an operation that the SDK does not know is
dropped with a mere warning (pulumi 3.259.0, automation/_server.py). So events are only collected while the engine
runs, and judged afterwards: what cannot be read or does not add up is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pulumi.automation import EngineEvent
from pulumi.automation.events import StepEventMetadata

from breakeven.core.changes import Change, Changes
from breakeven.core.manifests import Manifest
from breakeven.errors import GateError

_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_REPORT: Final = "nothing was applied; run it again, and report this if it stays"
_HIDDEN: Final = (_UNKNOWN, "[secret]", None)
# What a preview may say of a resource; of anything else it is not known what it would cost.
_OPERATIONS: Final = {"same", "create", "update", "replace", "delete"}


def read(events: Iterable[EngineEvent], dropped: Iterable[str], summary: Mapping[str, int]) -> Changes:
    """Raises GateError when an event was dropped, or the steps are not those that the engine counted."""
    lost = list(dropped)
    if lost:
        # The SDK quotes all of the event between its two lines.
        why = lost[0].strip().splitlines()[-1]
        raise GateError(f"an engine event could not be read, so the preview is incomplete: {why}", hint=_REPORT)
    steps = tuple(
        _change(event.resource_pre_event.metadata)
        for event in events
        if event.resource_pre_event and _is_counted(event.resource_pre_event.metadata)
    )
    _refuse_unknown_operations(steps)
    changes = Changes(steps=steps)
    counted = {str(getattr(op, "value", op)): count for op, count in summary.items() if count}
    if changes.counts != counted:
        raise GateError(
            f"the preview's events say {changes.counts}, the engine's summary says {counted}",
            hint=_REPORT,
        )
    return changes


def _refuse_unknown_operations(steps: Iterable[Change]) -> None:
    for step in steps:
        if step.op not in _OPERATIONS:
            raise GateError(f"{step.urn}: what the operation {step.op!r} would cost is not known; nothing was applied")


def _is_counted(step: StepEventMetadata) -> bool:
    """The engine counts logical steps, and not its own default providers."""
    is_default_provider = step.type.startswith("pulumi:providers:") and step.urn.rsplit("::", 1)[-1].startswith(
        "default"
    )
    return bool(step.logical) and not is_default_provider


def _change(step: StepEventMetadata) -> Change:
    return Change(
        op=str(getattr(step.op, "value", step.op)),
        urn=step.urn,
        type=step.type,
        old=_inputs(step, step.old),
        new=_inputs(step, step.new),
        paths=tuple(step.detailed_diff or step.diffs or ()),
    )


def _inputs(step: StepEventMetadata, state: Any) -> Manifest | None:
    """Inputs, not outputs: outputs carry the server's defaults. Raises GateError for unknown or secret ones."""
    if state is None:
        return None
    inputs = {} if state.inputs is None else state.inputs
    if not isinstance(inputs, Mapping):
        raise GateError(f"{step.urn}: its inputs are not known before the apply, so it cannot be priced")
    is_object = step.type.startswith("kubernetes:") and not step.type.startswith("kubernetes:helm.sh/")
    if is_object and any(inputs.get(key) in _HIDDEN for key in ("kind", "apiVersion")):
        raise GateError(f"{step.urn}: its kind is not known before the apply, so it cannot be priced")
    return inputs
