"""Who holds a stack, and the removal of a lock whose process is gone.

The engine's file backend (3.259.0, pkg/backend/diy/lock.go) keeps a lock as a file, which outlives a killed process:
`.pulumi/locks/organization/PROJECT/STACK/ID.json` with pid, username, hostname and timestamp.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from breakeven.core.live import Holder
from breakeven.engine import processes
from breakeven.engine.backend import Backend
from breakeven.engine.lock import held, holder
from breakeven.errors import DeployError

_ENGINE: Final = "pulumi"


def locks(stack: str, project: str, backend: Backend) -> dict[Path, Holder]:
    """The engine's locks on a stack. Raises DeployError for a backend that keeps no files."""
    found = {}
    for path in sorted(_directory(stack, project, backend).glob("*.json")):
        # One that is released while we look.
        with suppress(FileNotFoundError):
            found[path] = _holder(path)
    return found


def unlock(
    stack: str, project: str, backend: Backend, confirm: Callable[[Iterable[Holder]], None]
) -> tuple[Holder, ...]:
    """Remove the locks of processes that are gone; `confirm` sees their holders first, and raises to refuse.

    Raises DeployError where any holder lives, or may: another `deploy`, a live process, another machine's.
    """
    own = backend.stack_directory(stack).with_suffix(".lock")

    def refuse(elapsed_s: float) -> None:
        hint = "wait for it, or end it with Ctrl-C or SIGTERM: it then finishes its running steps and lets go"
        raise DeployError(f"another `deploy` works on stack {stack}: {holder(own)}; nothing was removed", hint=hint)

    with held(own, refuse):
        try:
            found = locks(stack, project, backend)
            _refuse_alive(found.values())
            if found:
                confirm(found.values())
            for path in found:
                path.unlink(missing_ok=True)
                path.with_name(f"{path.name}.attrs").unlink(missing_ok=True)
        finally:
            own.unlink(missing_ok=True)
    return tuple(found.values())


def _refuse_alive(holders: Iterable[Holder]) -> None:
    for found in holders:
        who = f"{found.user}@{found.host}, process {found.pid}, since {found.since}"
        if found.process == "alive":
            hint = f"wait for it, or stop it with `kill -INT {found.pid}`: it then saves the state and lets go"
            raise DeployError(f"a live run holds the stack: {who}; nothing was removed", hint=hint)
        if found.process == "elsewhere":
            hint = "ask there whether it still runs; if it is gone for good, `pulumi cancel` removes its lock"
            raise DeployError(f"another machine's run holds the stack: {who}; nothing was removed", hint=hint)


def _directory(stack: str, project: str, backend: Backend) -> Path:
    if backend.files is None:
        raise DeployError(
            f"the locks of a {urlsplit(backend.url).scheme or 'Pulumi Cloud'} backend cannot be read from here",
            hint="`deploy up` names who holds the stack; `pulumi cancel` removes a lock that was left behind",
        )
    return backend.files / "locks" / "organization" / project / stack


def _holder(path: Path) -> Holder:
    """Raises DeployError for what cannot be read: it may be anybody's."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        user, host, pid, since = (found[key] for key in ("username", "hostname", "pid", "timestamp"))
        return Holder(
            user=str(user), host=str(host), pid=int(pid), since=str(since), process=process(str(host), int(pid))
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise DeployError(f"{path} is not a lock that the engine wrote", hint="look into it, and remove it") from error


def process(host: str, pid: int) -> Literal["alive", "gone", "elsewhere"]:
    """Whether the engine's process that made a lock lives."""
    if host != socket.gethostname():
        return "elsewhere"
    # A number that another program has got since is not the engine.
    return "alive" if processes.is_alive(pid) and processes.program(pid) in ("", _ENGINE) else "gone"
