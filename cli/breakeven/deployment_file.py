"""A deploy.yaml as it is written: with its base under it, and what it names in place of the names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from breakeven.errors import InputError
from breakeven.yaml_source import Source

# What a file may hold in place of the key.
_FILES: Final = {("measured",): "what was measured", ("prices", "api_overrides"): "a list of API prices"}


def read(path: Path, *, within: Path | None = None) -> Source:
    """Laid over the file that its `base` names: one level, so that two files tell everything. Raises InputError."""
    source = Source.read(path)
    taken = source.take("base")
    settle_paths(source, path.parent)
    if taken is None:
        return source
    base_path = _base_of(path, *taken, within)
    base = Source.read(base_path)
    if nested := base.take("base"):
        raise _nested(path, base_path, *nested)
    settle_paths(base, base_path.parent)
    return source.over(base)


def where(path: Path, key: str) -> str:
    """`file:line: key` of a top-level key, be it in the file or in its base."""
    return read(path).where((key,))


@contextmanager
def located(path: Path | None) -> Iterator[None]:
    """What is refused by a key alone names the line of the file, or of its base, that has the key."""
    try:
        yield
    except InputError as error:
        if path is None or not error.key:
            raise
        source = read(path)
        if _at(source.data, error.key) is None:
            raise  # A flag or a variable brought it.
        raise error.located(source.where(error.key)) from error


def settle_paths(source: Source, directory: Path) -> None:
    """Paths are from the directory of the file that names them; most stand for what the file holds: it is recorded."""
    for key, expected in _FILES.items():
        if isinstance(named := _at(source.data, key), str):
            path = Path(os.path.normpath(directory / named))
            if path.is_dir() or not path.exists():
                raise InputError(f"there is no file {path}", where=source.where(key))
            held = Source.read(path)
            if held.data is None:
                raise InputError(f"is empty; expected {expected}", where=str(path))
            source.graft(key, held)
    model = _at(source.data, ("model",))
    if isinstance(model, str) and model.endswith(".json"):
        source.data["model"] = os.path.normpath(directory / model)


def _at(data: Any, key: tuple[str, ...]) -> Any:
    """None where there is nothing."""
    for part in key:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _nested(path: Path, base: Path, name: Any, where: str) -> InputError:
    other = base.parent / name if isinstance(name, str) else base
    is_cycle = other.exists() and other.samefile(path)
    message = f"{path} and its base name each other" if is_cycle else "a base has no base of its own"
    return InputError(message, where=where, hint="one level is all there is: put the keys into one base")


def _base_of(path: Path, name: Any, where: str, within: Path | None) -> Path:
    """The file that the `base` of a deploy.yaml names, from its own directory. Raises InputError."""
    if not isinstance(name, str) or not name:
        raise InputError("expected the path of a file", where=where)
    base = Path(os.path.normpath(path.parent / name))
    if not base.is_file():
        raise InputError(f"there is no file {base}", where=where, hint="give its path from this file's directory")
    if base.samefile(path):
        raise InputError("a file is not its own base", where=where)
    if within is not None and not base.resolve().is_relative_to(within.resolve()):
        raise InputError(f"{base} lies outside of {within}", where=where, hint="move it into the directory")
    return base
