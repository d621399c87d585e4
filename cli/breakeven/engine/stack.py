"""One Pulumi stack, driven through the Automation API: its state, a preview, an apply, a removal.

The program is infra/, run by path exactly as plain `pulumi up` runs it, so both give the same URNs and state.
"""

from __future__ import annotations

import json
import os
import runpy
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml
from pulumi import automation
from semver import VersionInfo

from breakeven import resources
from breakeven.core.changes import Changes
from breakeven.core.history import Apply
from breakeven.engine import checkpoint, events, failures, history, holders, processes, state, tools
from breakeven.engine.backend import Backend
from breakeven.engine.state import Locked, State
from breakeven.errors import DeployError, GateError

PROJECT: Final = "breakeven"
_UNRECORDED: Final = f"{PROJECT}:begun"

OnStep = Callable[[str, str], None]


class Stack:
    """Methods raise DeployError and its kin; what the engine printed is in the message."""

    def __init__(self, stack: automation.Stack, backend: Backend, found: State) -> None:
        """`found` is the state at this moment; nothing is decrypted for it."""
        self._stack = stack
        self._steps = b""
        self._settings = backend.stack_directory(stack.name) / f"Pulumi.{stack.name}.yaml"
        self.state = found.with_begun(self._unrecorded())

    @property
    def settings_file(self) -> Path:
        return self._settings

    def configure(self, config: Mapping[str, Any]) -> bytes:
        """Write the inputs into the stack's settings; returns the former content, to be given to `restore`."""
        former = self._settings.read_bytes() if self._settings.exists() else b""
        settings = yaml.safe_load(former) or {}
        begun = [urn for urn in self._unrecorded() if urn not in self.state.urns]
        settings["config"] = {f"{PROJECT}:{key}": value for key, value in config.items()}
        if begun:
            settings["config"][_UNRECORDED] = begun
        # A program that forgot its explicit provider would otherwise talk to the current context in silence.
        settings["config"]["pulumi:disable-default-providers"] = ["kubernetes"]
        _replace(self._settings, yaml.safe_dump(settings, sort_keys=True).encode())
        return former

    def restore(self, former: bytes) -> None:
        """Put the settings back after a preview that was not applied."""
        _replace(self._settings, former)

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
        settings = yaml.safe_load(self._settings.read_bytes()) if self._settings.exists() else None
        return (settings or {}).get("config") or {}

    def record(self, begun: Iterable[str]) -> None:
        """URNs of what an apply made, maybe, without the engine's noticing: the next one goes on with them."""
        settings = yaml.safe_load(self._settings.read_bytes())
        settings["config"][_UNRECORDED] = sorted({*self._unrecorded(), *begun})
        _replace(self._settings, yaml.safe_dump(settings, sort_keys=True).encode())

    def recorded(self) -> tuple[str, ...]:
        """URNs of the resources that are in the state by now."""
        workspace = self._stack.workspace
        assert isinstance(workspace, _Workspace)
        return workspace.export(self._stack.name).urns

    def _unrecorded(self) -> tuple[str, ...]:
        return tuple(self._config().get(_UNRECORDED) or ())

    def history(self) -> tuple[Apply, ...]:
        """All its applies."""
        return history.read(_translated(partial(self._stack.history, show_secrets=False), []))

    def preview(self) -> Changes:
        """Against the live cluster: what was changed or deleted by hand is put right.

        Raises GateError if any event is missing, unreadable or unaccounted for.
        """
        collected: list[automation.EngineEvent] = []
        with warnings.catch_warnings(record=True) as dropped, TemporaryDirectory() as private:
            warnings.simplefilter("always")
            steps = Path(private) / "steps.json"
            run = partial(self._stack.preview, on_event=collected.append, color="never", refresh=True, plan=str(steps))
            try:
                result = _translated(run, collected)
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
        workspace = self._stack.workspace
        assert isinstance(workspace, _Workspace)
        if workspace.export(self._stack.name).digest != self.state.digest:
            raise GateError(
                "another run changed this stack since the preview; nothing was applied", hint="run it again"
            )
        collected: list[automation.EngineEvent] = []
        on_event = _reporting(collected, on_step)
        with TemporaryDirectory() as private:
            steps = Path(private) / "steps.json"
            steps.write_bytes(self._steps)
            run = partial(
                self._stack.up, on_event=on_event, color="never", refresh=True, show_secrets=False, plan=str(steps)
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
        _translated(partial(self._stack.workspace.remove_stack, self._stack.name), [])
        self._settings.unlink(missing_ok=True)
        _tidy(self._settings.parent)

    def _locking(self, run: Callable[[], Any], collected: list[automation.EngineEvent]) -> None:
        """Run what locks the stack. A lock whose process was killed is removed first; any other holder is named."""
        with warnings.catch_warnings():
            # The SDK warns that the events end, where the engine was killed: our own message says so.
            warnings.simplefilter("ignore")
            try:
                _translated(run, collected)
            except Locked as locked:
                if not locked.is_stale:
                    raise
                _translated(self._stack.cancel, [])
                _translated(run, collected)


class _Engine(automation.PulumiCommand):
    """The pinned engine. The SDK's own asks it for its version, and that run writes to the user's ~/.pulumi."""

    def __init__(self) -> None:
        self.command = str(tools.path("pulumi"))
        self.version = VersionInfo.parse(tools.version("pulumi"))

    def run(
        self, args: list[str], cwd: str, additional_env: Mapping[str, str], *more: Any, **others: Any
    ) -> automation.CommandResult:
        """The provider leaves a copy of the kubeconfig, with its keys, among the temporary files: they go with the run.

        writeKubeconfigToFile in provider/pkg/provider/util.go of 4.25.0.
        """
        with TemporaryDirectory(prefix="breakeven-", ignore_cleanup_errors=True) as private:
            try:
                return super().run(args, cwd, {**additional_env, "TMPDIR": private}, *more, **others)
            except automation.CommandError:
                # A provider does not notice that its engine was killed, and would stay for ever.
                processes.end_those_of(Path(private))
                raise


class _Workspace(automation.LocalWorkspace):
    """The SDK's own, without what it starts three more processes for.

    After each `up` it reads all outputs, secrets in plaintext, that nobody asks for. Before, it selects the stack,
    which every command names.
    """

    def stack_outputs(self, stack_name: str) -> automation.OutputMap:
        return {}

    def select_stack(self, stack_name: str) -> None:
        pass

    def export(self, stack_name: str) -> State:
        """The stack's state. Raises _NoStack where there is no such stack."""
        arguments = ["stack", "export", "--stack", stack_name]
        run = partial(self.pulumi_command.run, arguments, self.work_dir, self.env_vars)
        return state.read(json.loads(_translated(run, []).stdout))


def find(name: str, backend: Backend) -> Stack | None:
    """The stack of that name, or None where there is none."""
    workspace = _workspace(name, backend)
    holders.sweep(name, PROJECT, backend)
    try:
        found = workspace.export(name)
    except _NoStack:
        _tidy(backend.stack_directory(name))
        return None
    except failures.Unreadable as error:
        raise checkpoint.offering_backup(error, name, PROJECT, backend) from error
    return Stack(automation.Stack.select(name, workspace), backend, found)


def create(name: str, backend: Backend) -> Stack:
    """A new, empty stack."""
    workspace = _workspace(name, backend)
    return Stack(_translated(partial(automation.Stack.create, name, workspace), []), backend, state.EMPTY)


def _workspace(name: str, backend: Backend) -> _Workspace:
    # The engine writes state files by the umask alone.
    os.umask(0o077)
    tools.link_provider(backend.pulumi_home)
    directory = backend.stack_directory(name)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _replace(directory / "Pulumi.yaml", _project().encode())
    return _Workspace(
        work_dir=str(directory),
        pulumi_home=str(backend.pulumi_home),
        program=_program,
        env_vars=backend.environment,
        pulumi_command=_Engine(),
    )


def _tidy(directory: Path) -> None:
    """A look at a stack that is not there leaves nothing behind."""
    (directory / "Pulumi.yaml").unlink(missing_ok=True)
    with suppress(OSError):  # its settings may be there
        directory.rmdir()


def _program() -> None:
    runpy.run_path(str(resources.infra()), run_name="__main__")


def _project() -> str:
    return yaml.safe_dump({"name": PROJECT, "runtime": "python", "main": str(resources.infra())})


def _replace(path: Path, content: bytes) -> None:
    """All or nothing, readable by the owner only."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)


def _reporting(collected: list[automation.EngineEvent], on_step: OnStep) -> Callable[[automation.EngineEvent], None]:
    def on_event(event: automation.EngineEvent) -> None:
        collected.append(event)
        step = event.resource_pre_event.metadata if event.resource_pre_event else None
        if step is not None and step.logical:
            on_step(str(getattr(step.op, "value", step.op)), step.urn)

    return on_event


class _NoStack(Exception):
    pass


def _translated(run: Callable[[], Any], collected: list[automation.EngineEvent]) -> Any:
    """Run the engine; its failures become errors of ours."""
    try:
        return run()
    except automation.StackNotFoundError as error:
        raise _NoStack from error
    except automation.ConcurrentUpdateError as error:
        raise Locked(str(error)) from error
    except automation.CommandError as error:
        found = (event.diagnostic_event for event in collected if event.diagnostic_event)
        raise failures.error_of(str(error), [each for each in found if each.severity == "error"]) from error
