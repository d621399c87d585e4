"""One Pulumi stack, driven through the Automation API: its state, a preview, an apply, a removal.

The program is infra/, run by path exactly as plain `pulumi up` runs it, so both give the same URNs and state.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml
from pulumi import automation

from breakeven.core.changes import Changes
from breakeven.core.history import Apply
from breakeven.engine import checkpoint, events, failures, history, interrupt, state
from breakeven.engine.backend import Backend
from breakeven.engine.state import Locked, State
from breakeven.engine.workspace import PROJECT, NoStack, Workspace, replace, tidy, translated, workspace_of
from breakeven.errors import DeployError, GateError

_UNRECORDED: Final = f"{PROJECT}:begun"

OnStep = Callable[[str, str], None]


class Stack:
    """Methods raise DeployError and its kin; what the engine printed is in the message."""

    def __init__(self, stack: automation.Stack, backend: Backend, found: State) -> None:
        """`found` is the state at this moment; nothing is decrypted for it."""
        self._stack = stack
        self._steps = b""
        # Another kubeconfig, or context, leads to the cluster than at the last apply. The engine refreshes by the state
        # alone, whose path may lead nowhere by now, unless it runs the program for it.
        self._is_moved = False
        self._settings = backend.stack_directory(stack.name) / f"Pulumi.{stack.name}.yaml"
        # While a preview has its own inputs there, or was killed at it: what they were before.
        self._former = self._settings.with_name(f"Pulumi.{stack.name}.former.yaml")
        self.state = found.with_begun(self._unrecorded())

    @property
    def settings_file(self) -> Path:
        return self._settings

    @property
    def is_blank(self) -> bool:
        """Made for a preview that has not been applied: it has no resources, and nothing says what they would be."""
        return not (self.state.urns or self.state.begun or self._config())

    def configure(self, config: Mapping[str, Any]) -> None:
        """Write the inputs into the stack's settings: for a preview, until `undo`; after `up` they are the stack's."""
        written = self._settings.read_bytes() if self._settings.exists() else b""
        begun = [urn for urn in self._unrecorded() if urn not in self.state.urns]
        self._is_moved = any(config["cluster"][key] != value for key, value in self.state.reached_by.items())
        if not self._former.exists():
            replace(self._former, written)
        settings = yaml.safe_load(written) or {}
        settings["config"] = {f"{PROJECT}:{key}": value for key, value in config.items()}
        if begun:
            settings["config"][_UNRECORDED] = begun
        # A program that forgot its explicit provider would otherwise talk to the current context in silence.
        settings["config"]["pulumi:disable-default-providers"] = ["kubernetes"]
        replace(self._settings, yaml.safe_dump(settings, sort_keys=True).encode())

    def undo(self, *, is_new: bool) -> None:
        """Put the settings back after a preview that was not applied; a stack that was made for it goes."""
        if not self._former.exists():
            return
        if is_new:
            self._forget()
        self._former.replace(self._settings)
        if is_new:
            # Those of another backend's stack of the same name stay.
            if not self._config():
                self._settings.unlink()
            tidy(self._settings.parent)

    def config(self) -> dict[str, Any]:
        """The inputs of the last apply: there also when it failed before its outputs were recorded."""
        found = {key: self._configured(key) for key in ("cluster", "deployment")}
        if not all(isinstance(value, dict) for value in found.values()):
            message = f"{self._settings} does not say what was applied, and where"
            raise DeployError(message, hint="`deploy up` writes it anew")
        return found

    @property
    def adopted(self) -> tuple[str, ...]:
        """Objects, as KIND/NAME, that it took over; also by an apply that failed before its outputs were recorded."""
        return tuple(sorted({*self.state.adopted, *(self._configured("adopted") or ())}))

    def _configured(self, key: str) -> Any:
        return self._config().get(f"{PROJECT}:{key}")

    def _config(self) -> dict[str, Any]:
        for path in (self._former, self._settings):
            # It may be put back while we look.
            with suppress(FileNotFoundError):
                return (yaml.safe_load(path.read_bytes()) or {}).get("config") or {}
        return {}

    def record(self, begun: Iterable[str]) -> None:
        """URNs of what an apply made, maybe, without the engine's noticing: the next one goes on with them."""
        settings = yaml.safe_load(self._settings.read_bytes())
        settings["config"][_UNRECORDED] = sorted({*self._unrecorded(), *begun})
        replace(self._settings, yaml.safe_dump(settings, sort_keys=True).encode())

    def recorded(self) -> tuple[str, ...]:
        """URNs of the resources that are in the state by now."""
        return self._exported().urns

    def _exported(self) -> State:
        workspace = self._stack.workspace
        assert isinstance(workspace, Workspace)
        return workspace.export(self._stack.name)

    def _unrecorded(self) -> tuple[str, ...]:
        return tuple(self._config().get(_UNRECORDED) or ())

    def history(self) -> tuple[Apply, ...]:
        """All its applies."""
        return history.read(translated(partial(self._stack.history, show_secrets=False), []))

    def preview(self) -> Changes:
        """Against the live cluster: what was changed or deleted by hand is put right.

        Raises GateError if any event is missing, unreadable or unaccounted for.
        """
        collected: list[automation.EngineEvent] = []
        with warnings.catch_warnings(record=True) as dropped, TemporaryDirectory() as private:
            warnings.simplefilter("always")
            steps = Path(private) / "steps.json"
            run = partial(
                self._stack.preview,
                on_event=collected.append,
                color="never",
                refresh=True,
                run_program=self._is_moved or None,
                plan=str(steps),
            )
            try:
                result = translated(run, collected)
            except RuntimeError as error:  # the SDK's own, where the last event did not come
                raise GateError(
                    f"the preview is incomplete: {error}", hint="nothing was applied; run it again"
                ) from error
            self._steps = steps.read_bytes()
        lost = [str(warning.message) for warning in dropped if "engine event" in str(warning.message)]
        return events.read(collected, lost, result.change_summary)

    def up(self, on_step: OnStep) -> None:
        """Apply what the last preview showed. `on_step(op, urn)` is called as each resource is begun.

        Raises GateError if the state has moved since, before anything is applied; and before the first step that was
        not shown, because the cluster, the chart or the inputs have changed: the engine holds each against its plan.
        """
        if self._exported().digest != self.state.digest:
            raise GateError(
                "another run changed this stack since the preview; nothing was applied", hint="run it again"
            )
        self._former.unlink(missing_ok=True)
        collected: list[automation.EngineEvent] = []
        on_event = _reporting(collected, on_step)
        with TemporaryDirectory() as private:
            steps = Path(private) / "steps.json"
            steps.write_bytes(self._steps)
            run = partial(
                self._stack.up,
                on_event=on_event,
                color="never",
                refresh=True,
                run_program=self._is_moved or None,
                show_secrets=False,
                plan=str(steps),
            )
            self._locking(run, collected)

    def destroy(self, on_step: OnStep) -> None:
        """Delete all resources and the stack itself, from the state alone: the program is not run."""
        collected: list[automation.EngineEvent] = []
        on_event = _reporting(collected, on_step)
        run = partial(self._stack.destroy, on_event=on_event, color="never", refresh=True, show_secrets=False)
        self._locking(run, collected)
        self.remove()

    def remove(self) -> None:
        """Forget an empty stack and its settings."""
        self._forget()
        for path in (self._settings, self._former):
            path.unlink(missing_ok=True)
        tidy(self._settings.parent)

    def _forget(self) -> None:
        translated(partial(self._stack.workspace.remove_stack, self._stack.name, preserve_config=True), [])

    def _locking(self, run: Callable[[], Any], collected: list[automation.EngineEvent]) -> None:
        """Run what locks the stack. A lock whose process was killed is removed first; any other holder is named."""
        interrupt.begin()
        with warnings.catch_warnings():
            # The SDK warns that the events end, where the engine was killed: our own message says so.
            warnings.simplefilter("ignore")
            try:
                translated(run, collected)
            except Locked as locked:
                if not locked.is_stale:
                    raise
                translated(self._stack.cancel, [])
                translated(run, collected)


def find(name: str, backend: Backend) -> Stack | None:
    """The stack of that name, or None where there is none."""
    workspace = workspace_of(name, backend)
    checkpoint.sweep(name, PROJECT, backend)
    try:
        found = workspace.export(name)
    except NoStack:
        tidy(backend.stack_directory(name))
        checkpoint.refuse_lost(name, PROJECT, backend)
        return None
    except failures.Unreadable as error:
        raise checkpoint.offering_backup(error, name, PROJECT, backend) from error
    return Stack(automation.Stack.select(name, workspace), backend, found)


def create(name: str, backend: Backend) -> Stack:
    """A new, empty stack."""
    workspace = workspace_of(name, backend)
    return Stack(translated(partial(automation.Stack.create, name, workspace), []), backend, state.EMPTY)


def _reporting(collected: list[automation.EngineEvent], on_step: OnStep) -> Callable[[automation.EngineEvent], None]:
    def on_event(event: automation.EngineEvent) -> None:
        collected.append(event)
        step = event.resource_pre_event.metadata if event.resource_pre_event else None
        if step is not None and step.logical:
            on_step(str(getattr(step.op, "value", step.op)), step.urn)

    return on_event
