"""The pinned programs: find them on PATH or in the cache, or build them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from breakeven import resources
from breakeven.core.local import ProgramRecord
from breakeven.engine import build, go
from breakeven.engine.lock import held
from breakeven.engine.programs import MODULES, PROVIDER_VERSION, Module, Program, module, module_of
from breakeven.engine.progress import OnProgress, Progress, silent
from breakeven.errors import ToolError

_VERSION_TIMEOUT_S: Final = 30


@dataclass(frozen=True, kw_only=True)
class Toolset:
    """A module's programs as found. `version` is the first program's; programs lie in `directory`/bin."""

    module: Module
    origin: Literal["PATH", "built"]
    version: str
    directory: Path

    def path(self, program: str) -> Path:
        return self.directory / "bin" / program


def find(name: str) -> Toolset | None:
    """What there is of a module, without building: from PATH if its version fits, else from the cache."""
    wanted = module(name)
    return _on_path(wanted) or _built(wanted)


def require(*names: str, progress: OnProgress = silent) -> None:
    """See to it that all of these modules' programs are there; build what is missing. Raises ToolError."""
    wanted = {module(name).name for name in names}
    missing = [entry for entry in MODULES if entry.name in wanted and find(entry.name) is None]
    if not missing:
        return
    compiler = go.find()
    with held(resources.cache_dir() / "tools" / "lock", _waiting(progress)):
        for step, entry in enumerate(missing, start=1):
            # Another process may have built it while this one waited for the lock.
            if find(entry.name) is None:
                _build(entry, compiler, step, len(missing), progress)


def names(*, for_tests: bool = False) -> tuple[str, ...]:
    """All modules; on request also those that only the tests need."""
    return tuple(entry.name for entry in MODULES if for_tests or not entry.for_tests)


def path(program: str) -> Path:
    """Where a pinned program lies. Raises ToolError where it has not been built."""
    return _found(program).path(program)


def version(program: str) -> str:
    """Of the program that `path` gives. Raises ToolError where it has not been built."""
    return _found(program).version


def folder(name: str) -> Path:
    """Holds what is built of a module. Raises ToolError where it is not built."""
    found = _built(module(name))
    if found is None:
        raise ToolError(f"{name} is not built yet", hint="deploy tools --build")
    return found.directory


def report(*, for_tests: bool = False) -> tuple[ProgramRecord, ...]:
    """Every pinned program and where it comes from; on request also those that only the tests need."""
    return tuple(
        _record(entry, program) for entry in MODULES if for_tests or not entry.for_tests for program in entry.programs
    )


def link_provider(pulumi_home: Path) -> None:
    """Make `pulumi_home` know the pinned provider; idempotent, and a plugin that is there already stays.

    The engine takes no link to a folder for a plugin, but a folder with a link in it.
    """
    source = path("pulumi-resource-kubernetes")
    plugin = pulumi_home / "plugins" / f"resource-kubernetes-v{PROVIDER_VERSION}" / source.name
    plugin.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if plugin.exists() and (not plugin.is_symlink() or plugin.samefile(source)):
        return
    link = plugin.with_name(f".{plugin.name}.{os.getpid()}")
    link.symlink_to(source)
    link.replace(plugin)


def _found(program: str) -> Toolset:
    found = find(module_of(program).name)
    if found is None:
        raise ToolError(f"{program} is not built yet", hint="deploy tools --build")
    return found


def _on_path(wanted: Module) -> Toolset | None:
    if len(wanted.programs) != 1 or not wanted.programs[0].version_arguments:
        return None
    program = wanted.programs[0]
    found = shutil.which(program.name)
    # The Automation API looks for ROOT/bin/pulumi, so a version manager's shim elsewhere is of no use.
    if found is None or Path(found).parent.name != "bin":
        return None
    version = _version(found, program)
    if not fits(version, program.version):
        return None
    return Toolset(module=wanted, origin="PATH", version=version, directory=Path(found).parents[1])


def fits(version: str, pinned: str) -> bool:
    """The same major version, and at least the pinned one."""
    number, minimum = _number(version), _number(pinned)
    return number[:1] == minimum[:1] and number >= minimum


def _number(version: str) -> tuple[int, ...]:
    """Empty where it is none: a program that was built without its version says nothing useful."""
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return tuple(int(part) for part in match.groups()) if match else ()


@cache
def _version(executable: str, program: Program) -> str:
    """As it prints it; empty where it does not run."""
    # The Pulumi engine writes a log for each of its runs, also for this one, into its home: not into the user's.
    with TemporaryDirectory(prefix="breakeven-", ignore_cleanup_errors=True) as private:
        environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_HOME": private}
        try:
            result = subprocess.run(
                [executable, *program.version_arguments],
                env=environment,
                capture_output=True,
                text=True,
                timeout=_VERSION_TIMEOUT_S,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return ""
    return result.stdout.strip().removeprefix("v").split("+")[0]


def _built(wanted: Module) -> Toolset | None:
    directory = build.target(wanted)
    if not directory.is_dir():
        return None
    version = wanted.programs[0].version if wanted.programs else ""
    return Toolset(module=wanted, origin="built", version=version, directory=directory)


def _build(entry: Module, compiler: go.Go, step: int, steps: int, progress: OnProgress) -> None:
    def say(state: Literal["started", "running", "done"], elapsed_s: float) -> None:
        progress(
            Progress(
                what=f"building {entry.name}",
                state=state,
                step=step,
                steps=steps,
                elapsed_s=elapsed_s,
                usual_s=entry.usual_s,
            )
        )

    elapsed_s = 0.0

    def tick(seconds: float) -> None:
        nonlocal elapsed_s
        elapsed_s = seconds
        say("running", seconds)

    say("started", 0.0)
    build.build(entry, compiler, tick)
    say("done", elapsed_s)


def _waiting(progress: OnProgress) -> build.OnTick:
    def say(elapsed_s: float) -> None:
        what = "waiting for another process that builds the programs"
        progress(Progress(what=what, state="waiting", elapsed_s=elapsed_s))

    return say


def _record(entry: Module, program: Program) -> ProgramRecord:
    found = find(entry.name)
    if found is None:
        return ProgramRecord(program=program.name, version=program.version, origin="missing", path=None)
    version = found.version if found.origin == "PATH" else program.version
    return ProgramRecord(program=program.name, version=version, origin=found.origin, path=found.path(program.name))
