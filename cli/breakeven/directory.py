"""A directory of generated files with lock files: foreign files stay untouched, none is half written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from breakeven import lock_file, plain_text
from breakeven.errors import DeployError, InputError

_STAGE: Final = ".render-"
_ELSEWHERE: Final = "give another directory, or move it away"
_EDITED: Final = "put the change into deploy.yaml; then remove the file, or restore it, and render again"


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a folder below the directory shall hold: `files` by relative path, and a lock file that tells `about` them.

    The folder "" is the directory itself.
    """

    folder: str = ""
    files: Mapping[str, str]
    about: Mapping[str, Any]

    @property
    def content(self) -> dict[str, str]:
        """The lock file last: once it is there, all is."""
        return {**self.files, lock_file.NAME: lock_file.text(self.files, self.about)}


def write(out: Path, parts: Iterable[Part], *, is_fleet: bool = False) -> list[Path]:
    """Make `out` hold the parts and nothing older; gives all paths. All is staged before the first file is moved.

    Of a fleet, folders with a lock file that are no longer parts go, too. Raises InputError for a symlink, for a file
    that no earlier call wrote and for one that was changed since.
    """
    _refuse_links(out)
    try:
        with _stage(out) as stage:
            wanted, stale = _prepare(out, stage, parts, is_fleet)
            for name in wanted:
                (out / name).parent.mkdir(parents=True, exist_ok=True)
                (stage / name).replace(out / name)
        _remove(out, stale)
    except OSError as error:
        raise DeployError(f"cannot write to {out}: {error.strerror or error}") from error
    return [out / name for name in wanted]


def differences(out: Path, parts: Iterable[Part], *, is_fleet: bool = False) -> Iterator[tuple[str, str]]:
    """Each file that `write` would add, change or remove, with its unified diff. Raises InputError for a symlink."""
    _refuse_links(out)
    folders = set()
    for part in parts:
        folders.add(part.folder)
        lock_file.recorded(out / part.folder / lock_file.NAME)
        wanted = part.content
        for name in sorted({*wanted, *_present(out / part.folder)}):
            path = str(Path(part.folder) / name)
            if diff := _diff(out, path, wanted.get(name)):
                yield path, diff
    for path in sorted(_abandoned(out, folders, is_fleet)):
        yield path, _diff(out, path, None)


def _prepare(out: Path, stage: Path, parts: Iterable[Part], is_fleet: bool) -> tuple[list[str], set[str]]:
    """Stage all files: what is to be moved, in order, and what is to be removed."""
    names: list[str] = []
    stale: set[str] = set()
    folders = set()
    for part in parts:
        folders.add(part.folder)
        stale |= _stale(out, part)
        for name, text in part.content.items():
            path = Path(part.folder) / name
            (stage / path).parent.mkdir(parents=True, exist_ok=True)
            (stage / path).write_bytes(text.encode())
            names.append(str(path))
    return names, stale | _abandoned(out, folders, is_fleet)


def _stale(out: Path, part: Part) -> set[str]:
    """Files that an earlier call wrote and that are no longer wanted. Raises InputError for one that is not ours."""
    folder = out / part.folder
    recorded = lock_file.recorded(folder / lock_file.NAME)
    present = _present(folder)
    for name in present:
        _refuse_foreign(folder / name, recorded.get(name), part.files.get(name))
    gone = (recorded.keys() & set(present)) - part.files.keys()
    return {str(Path(part.folder) / name) for name in gone}


def _refuse_foreign(path: Path, recorded: str | None, wanted: str | None) -> None:
    """The text that it shall get is welcome, too: an interrupted call left it there before the lock file."""
    if path.name == lock_file.NAME:
        return
    data = path.read_bytes()
    if lock_file.digest(data) == recorded or (wanted is not None and data == wanted.encode()):
        return
    if recorded is None:
        raise InputError(f"{path} was not written by `deploy render`", hint=_ELSEWHERE)
    line = _first_difference(plain_text.decode(data, str(path), hint=_EDITED), wanted)
    raise InputError("it was changed since it was rendered", where=f"{path}:{line}", hint=_EDITED)


def _first_difference(text: str, wanted: str | None) -> int:
    if wanted is None:
        return 1
    lines, others = text.split("\n"), wanted.split("\n")
    same = (line == other for line, other in zip(lines, others, strict=False))
    return next((number for number, is_same in enumerate(same, 1) if not is_same), min(len(lines), len(others)))


def _abandoned(out: Path, folders: set[str], is_fleet: bool) -> set[str]:
    """All files of folders with a lock file that are no part any more. Raises InputError where one is not ours."""
    locks = sorted(Path(path) / lock_file.NAME for path, _, files in os.walk(out) if lock_file.NAME in files)
    others = [str(lock.parent.relative_to(out)) for lock in locks if lock.parent != out]
    gone = [folder for folder in others if folder not in folders and not folder.startswith(_STAGE)]
    if gone and not is_fleet:
        raise InputError(f"{out / gone[0]} was rendered as a directory of its own", hint=_ELSEWHERE)
    found: set[str] = set()
    for folder in gone:
        found |= {*_stale(out, Part(folder=folder, files={}, about={})), str(Path(folder) / lock_file.NAME)}
    return found


def _present(folder: Path) -> list[str]:
    """Files below, as relative paths, without those of folders that have a lock file of their own."""
    found = []
    for path, folders, files in os.walk(folder):
        if Path(path) != folder and lock_file.NAME in files:
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(_STAGE)]
        found += [str((Path(path) / name).relative_to(folder)) for name in files]
    return sorted(found)


def _refuse_links(out: Path) -> None:
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise InputError(f"{out} is not a plain directory", hint=_ELSEWHERE)
    for path, folders, files in os.walk(out):
        for name in sorted((*folders, *files)):
            if (Path(path) / name).is_symlink():
                raise InputError(f"{Path(path) / name} is a symlink; none is followed", hint=_ELSEWHERE)


def _diff(out: Path, name: str, wanted: str | None) -> str:
    """Unified, from what is there to what `write` would put there; empty if that is the same."""
    there = (out / name).read_bytes() if (out / name).is_file() else None
    if there == (None if wanted is None else wanted.encode()):
        return ""
    before = "" if there is None else there.decode("utf-8", errors="replace")
    lines = unified_diff(
        before.splitlines(),
        (wanted or "").splitlines(),
        fromfile="/dev/null" if there is None else str(out / name),
        tofile="/dev/null" if wanted is None else f"{out / name} (rendered)",
        lineterm="",
    )
    return "\n".join(lines) or f"{out / name} differs in its line ends"


@contextmanager
def _stage(out: Path) -> Iterator[Path]:
    """A folder inside, since `out` may be a mount of its own. Directories that were made for it go if all fails."""
    made = [path for path in (out, *out.parents) if not path.exists()]
    out.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory(prefix=_STAGE, dir=out) as stage:
            yield Path(stage)
    except BaseException:
        for path in made:
            with suppress(OSError):
                path.rmdir()
        raise


def _remove(out: Path, names: set[str]) -> None:
    for name in sorted(names):
        (out / name).unlink()
        for folder in Path(name).parents:
            if folder != Path() and not any((out / folder).iterdir()):
                (out / folder).rmdir()
