"""A state file that cannot be read, and the newest of the engine's own copies that can.

The engine's file backend (3.259.0, pkg/backend/diy/state.go) keeps `.pulumi/stacks/PROJECT/STACK.json`, the one before
as `.bak`, and a copy of each save and of each update under `backups/` and `history/`.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from breakeven.engine.backend import Backend
from breakeven.engine.failures import Unreadable


def offering_backup(error: Unreadable, stack: str, project: str, backend: Backend) -> Unreadable:
    """The same error with the file's name, and the command that puts the newest good copy in its place."""
    if backend.files is None:
        hint = f"`pulumi stack history --stack {stack}` and `pulumi stack import` bring back an earlier one"
        return Unreadable(error.message, hint=hint)
    path = backend.files / "stacks" / project / f"{stack}.json"
    found = max(_readable(backend.files, stack, project), default=None)
    if found is None:
        hint = "bring the file back from a backup of yours; none of the engine's own can be read"
        return Unreadable(f"{path}: {error.message}", hint=hint)
    saved, copy = found
    moved, brought = shlex.join(["mv", str(path), f"{path}.damaged"]), shlex.join(["cp", str(copy), str(path)])
    hint = f"this brings back the state of {saved[:19].replace('T', ' ')}; then `deploy preview` shows what differs:\n"
    return Unreadable(f"{path}: {error.message}", hint=f"{hint}  {moved}\n  {brought}")


def _readable(files: Path, stack: str, project: str) -> Iterator[tuple[str, Path]]:
    """When each copy was saved, in the engine's words, which sort by time; and where it is."""
    copies = [
        files / "stacks" / project / f"{stack}.json.bak",
        *(files / "backups" / project / stack).glob("*.json"),
        *(files / "history" / project / stack).glob("*.checkpoint.json"),
    ]
    for path in copies:
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            latest = json.loads(path.read_text(encoding="utf-8"))["checkpoint"]["latest"]
            if latest["resources"]:
                yield str(latest["manifest"]["time"]), path
