"""The lock file of a directory of generated files: what it was made from, and a digest of each file."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from breakeven import __version__, plain_text
from breakeven.errors import InputError

NAME: Final = "breakeven.lock.json"
SCHEMA: Final = "breakeven.lock/1"
TOOL: Final = f"breakeven {__version__}"

_AGAIN: Final = "remove the directory and render it again, or restore the file"


def text(files: Mapping[str, str], about: Mapping[str, Any]) -> str:
    """Sorted, without a time: the same for the same content."""
    digests = {name: digest(content.encode()) for name, content in files.items()}
    lock = {"schema": SCHEMA, "tool": TOOL, **about, "files": digests}
    return json.dumps(lock, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def recorded(path: Path) -> dict[str, str]:
    """Digests by name, empty where there is no lock file. Raises InputError for one that cannot be read."""
    return dict(parse(path.read_bytes(), str(path))["files"]) if path.is_file() else {}


def parse(data: bytes, name: str) -> dict[str, Any]:
    """The content of the lock file called `name`. Raises InputError: damaged, or of a newer version."""
    content = plain_text.decode(data, name, hint=_AGAIN)
    try:
        lock = json.loads(content)
    except ValueError as error:
        where = f"{name}:{getattr(error, 'lineno', 1)}"
        raise InputError(f"it is not a lock file: {error}", where=where, hint=_AGAIN) from error
    if not isinstance(lock, dict) or not isinstance(lock.get("files"), dict):
        raise InputError("it is not a lock file: its `files` are missing", where=f"{name}:1", hint=_AGAIN)
    _refuse_newer(lock, content, name)
    return lock


def _refuse_newer(lock: Mapping[str, Any], content: str, name: str) -> None:
    for key, ours in (("schema", SCHEMA), ("tool", TOOL)):
        said = str(lock.get(key))
        if _family(said) != _family(ours) or not _version(said):
            where = f"{name}:{_line(content, key)}: {key}"
            raise InputError(f"it is not a lock file: expected {ours!r}, got {said!r}", where=where, hint=_AGAIN)
        if _version(said) > _version(ours):
            raise InputError(
                f"a newer version wrote it: {said}; this one is {ours}",
                where=f"{name}:{_line(content, key)}: {key}",
                hint=f"install {str(lock.get('tool'))!r}, or a newer version",
            )


def _family(said: str) -> str:
    return re.split(r"[/ ]", said)[0]


def _version(said: str) -> tuple[int, ...]:
    """`breakeven 0.10.2` → (0, 10, 2); a mark behind the numbers, such as rc1, does not count."""
    found = re.fullmatch(r"[a-z.]+[/ ](\d+(?:\.\d+)*).*", said)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def _line(content: str, key: str) -> int:
    return content.count("\n", 0, max(content.rfind(f'\n  "{key}":') + 1, 0)) + 1
