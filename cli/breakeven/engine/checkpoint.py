"""What a kill, a full disk or a hand did to the files of a state: swept, or brought back from the engine's own copies.

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


def sweep(stack: str, project: str, backend: Backend) -> None:
    """Remove files that were never written whole, by an engine that was killed or had no room.

    It ends in "EOF", or "unexpected end of JSON input", wherever it meets one: among the locks, where they are
    `ID.json.NUMBER.tmp`, or beside any file of its own, where `FILE.attrs` holds attributes that it can do without
    (gocloud.dev/blob/fileblob/attrs.go). Those it truncates and writes before it puts the file itself in its place.
    """
    if backend.files is None:
        return
    locks = backend.files / "locks" / "organization" / project / stack
    attributes = (
        *(backend.files / "stacks" / project).glob(f"{stack}.json*.attrs"),
        *(backend.files / "history" / project / stack).glob("*.attrs"),
        *locks.glob("*.attrs"),
    )
    for path in (*locks.glob("*.tmp"), *attributes):
        # One that is whole is being renamed by a live engine.
        with suppress(FileNotFoundError):
            if not path.stat().st_size:
                path.unlink()


def offering_backup(error: Unreadable, stack: str, project: str, backend: Backend) -> Unreadable:
    """The same error with the file's name, and the command that puts the newest good copy in its place."""
    if backend.files is None:
        hint = f"`pulumi stack history --stack {stack}` and `pulumi stack import` bring back an earlier one"
        return Unreadable(error.message, hint=hint)
    path = _path(backend.files, stack, project)
    found = max(_readable(backend.files, stack, project), default=None)
    if found is None:
        hint = "bring the file back from a backup of yours; none of the engine's own can be read"
        return Unreadable(f"{path}: {error.message}", hint=hint)
    moved = shlex.join(["mv", str(path), f"{path}.damaged"])
    return Unreadable(f"{path}: {error.message}", hint=_brought_back(*found, path, moved))


def refuse_lost(stack: str, project: str, backend: Backend) -> None:
    """Raises Unreadable where a state file is gone, and its history, which a removal takes along, is not.

    A stack that was made anew under its name would end with its history, and with its newest copy.
    """
    if backend.files is None or not list(_history(backend.files, stack, project)):
        return
    if found := max(_readable(backend.files, stack, project), default=None):
        path = _path(backend.files, stack, project)
        raise Unreadable(
            f"{path}: the state of this stack is gone, its history is not", hint=_brought_back(*found, path)
        )


def _brought_back(saved: str, copy: Path, path: Path, *before: str) -> str:
    lines = (*before, shlex.join(["cp", str(copy), str(path)]))
    when = saved[:19].replace("T", " ")
    what = f"this brings back the state of {when}; then `deploy preview` shows what differs:"
    return "\n  ".join([what, *lines])


def _path(files: Path, stack: str, project: str) -> Path:
    return files / "stacks" / project / f"{stack}.json"


def _history(files: Path, stack: str, project: str) -> Iterator[Path]:
    return (files / "history" / project / stack).glob("*.checkpoint.json")


def _readable(files: Path, stack: str, project: str) -> Iterator[tuple[str, Path]]:
    """When each copy was saved, in the engine's words, which sort by time; and where it is."""
    copies = [
        _path(files, stack, project).with_suffix(".json.bak"),
        *(files / "backups" / project / stack).glob("*.json"),
        *_history(files, stack, project),
    ]
    for path in copies:
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            latest = json.loads(path.read_text(encoding="utf-8"))["checkpoint"]["latest"]
            if latest["resources"]:
                yield str(latest["manifest"]["time"]), path
