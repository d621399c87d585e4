"""The Automation API as we use it: the pinned engine, its own temporary files, the program, and errors of ours."""

from __future__ import annotations

import json
import os
import runpy
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml
from pulumi import automation
from semver import VersionInfo

from breakeven import resources
from breakeven.engine import failures, processes, scratch, state, tools
from breakeven.engine.backend import Backend
from breakeven.engine.state import Locked, State

PROJECT: Final = "breakeven"


class _Engine(automation.PulumiCommand):
    """The pinned engine. The SDK's own asks it for its version, and that run writes to the user's ~/.pulumi."""

    def __init__(self) -> None:
        self.command = str(tools.path("pulumi"))
        self.version = VersionInfo.parse(tools.version("pulumi"))

    def run(
        self, args: list[str], cwd: str, additional_env: Mapping[str, str], *more: Any, **others: Any
    ) -> automation.CommandResult:
        """With temporary files of its own."""
        with scratch.of_a_run(Path(cwd)) as private:
            try:
                return super().run(args, cwd, {**additional_env, "TMPDIR": str(private)}, *more, **others)
            except automation.CommandError:
                processes.end_those_of(private)
                raise


class Workspace(automation.LocalWorkspace):
    """The SDK's own, without what it starts three more processes for.

    After each `up` it reads all outputs, secrets in plaintext, that nobody asks for. Before, it selects the stack,
    which every command names.
    """

    def stack_outputs(self, stack_name: str) -> automation.OutputMap:
        return {}

    def select_stack(self, stack_name: str) -> None:
        pass

    def export(self, stack_name: str) -> State:
        """The stack's state. Raises NoStack where there is no such stack."""
        arguments = ["stack", "export", "--stack", stack_name]
        run = partial(self.pulumi_command.run, arguments, self.work_dir, self.env_vars)
        return state.read(json.loads(translated(run, []).stdout))


def workspace_of(name: str, backend: Backend) -> Workspace:
    """The directory of a stack, made if needed, and what runs the engine in it."""
    # The engine writes state files by the umask alone.
    os.umask(0o077)
    tools.link_provider(backend.pulumi_home)
    directory = backend.stack_directory(name)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch.sweep(directory)
    replace(directory / "Pulumi.yaml", _project().encode())
    return Workspace(
        work_dir=str(directory),
        pulumi_home=str(backend.pulumi_home),
        program=_program,
        env_vars=backend.environment,
        pulumi_command=_Engine(),
    )


def tidy(directory: Path) -> None:
    """A look at a stack that is not there leaves nothing behind."""
    (directory / "Pulumi.yaml").unlink(missing_ok=True)
    with suppress(OSError):  # its settings may be there
        directory.rmdir()


def _program() -> None:
    runpy.run_path(str(resources.infra()), run_name="__main__")


def _project() -> str:
    return yaml.safe_dump({"name": PROJECT, "runtime": "python", "main": str(resources.infra())})


def replace(path: Path, content: bytes) -> None:
    """All or nothing, readable by the owner only."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)


class NoStack(Exception):
    """There is none of that name."""


def translated(run: Callable[[], Any], collected: list[automation.EngineEvent]) -> Any:
    """Run the engine; its failures become errors of ours."""
    try:
        return run()
    except automation.StackNotFoundError as error:
        raise NoStack from error
    except automation.ConcurrentUpdateError as error:
        raise Locked(str(error)) from error
    except automation.CommandError as error:
        found = (event.diagnostic_event for event in collected if event.diagnostic_event)
        raise failures.error_of(str(error), [each for each in found if each.severity == "error"]) from error
