"""A directory of generated files with a lock file: foreign files stay untouched, none is half written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from breakeven.errors import DeployError, InputError

LOCK: Final = "breakeven.lock.json"
_SCHEMA: Final = "breakeven.lock/1"
_HINT: Final = "give another directory, or move it away"


def write(out: Path, files: Mapping[str, str], about: Mapping[str, Any]) -> list[Path]:
    """Make `out` hold `files` (relative path → text) and the lock file, and nothing older.

    Raises InputError for a symlink, for a file that no earlier call wrote and for one that was changed since.
    """
    stale = _refuse_foreign(out, files) - files.keys()
    try:
        _replace(out, {**files, LOCK: _lock(files, about)})
        _remove(out, stale)
    except OSError as error:
        raise DeployError(f"cannot write to {out}: {error}") from error
    return [out / name for name in (*files, LOCK)]


def differences(out: Path, files: Mapping[str, str], about: Mapping[str, Any]) -> list[str]:
    """One line for each file that `write` would add, change or remove."""
    wanted = {**files, LOCK: _lock(files, about)}
    present = {name: _read(out / name) for name in _present(out)}
    lines = [f"missing: {name}" for name in wanted if name not in present]
    lines += [f"changed: {name}" for name in wanted if present.get(name, wanted[name]) != wanted[name]]
    return lines + [f"unexpected: {name}" for name in present if name not in wanted]


def _refuse_foreign(out: Path, files: Mapping[str, str]) -> set[str]:
    """Names of the files that an earlier call wrote."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise InputError(f"{out} is not a plain directory", hint=_HINT)
    present = _present(out)
    for name in present:
        if (out / name).is_symlink():
            raise InputError(f"{out / name} is a symlink", hint=_HINT)
    recorded = _recorded(out)
    for name in present:
        # The text that it shall get is welcome too: an interrupted call left it there before the lock file.
        if name != LOCK and _digest(_read(out / name)) not in (recorded.get(name), _digest_of(files, name)):
            raise InputError(f"{out / name} was not written by `deploy render`, or changed since", hint=_HINT)
    return recorded.keys() & set(present)


def _present(out: Path) -> list[str]:
    """Files and symlinks below `out`; symlinks are not followed."""
    found = out.rglob("*") if out.is_dir() else ()
    return sorted(str(path.relative_to(out)) for path in found if path.is_symlink() or not path.is_dir())


def _recorded(out: Path) -> dict[str, str]:
    """Digests by name from the lock file, empty without one."""
    path = out / LOCK
    if not path.is_file():
        return {}
    try:
        lock = json.loads(_read(path))
        if lock["schema"] != _SCHEMA:
            raise ValueError(f"schema is {lock['schema']!r}")
        return dict(lock["files"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is not a lock file that this version reads: {error}", hint=_HINT) from error


def _lock(files: Mapping[str, str], about: Mapping[str, Any]) -> str:
    digests = {name: _digest(text) for name, text in files.items()}
    return json.dumps({"schema": _SCHEMA, **about, "files": digests}, indent=2, sort_keys=True) + "\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _digest_of(files: Mapping[str, str], name: str) -> str | None:
    return _digest(files[name]) if name in files else None


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")


def _replace(out: Path, content: Mapping[str, str]) -> None:
    """Write all, then move each into place, the lock last. Staged inside: `out` may be a mount of its own."""
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".render-", dir=out) as stage:
        for name, text in content.items():
            path = Path(stage) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        for name in content:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(stage) / name).replace(out / name)


def _remove(out: Path, names: set[str]) -> None:
    for name in sorted(names):
        (out / name).unlink()
        for folder in Path(name).parents:
            if folder != Path() and not any((out / folder).iterdir()):
                (out / folder).rmdir()
