"""A saved plan as a file: readable JSON with a digest of its own, 0600, all or nothing."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from breakeven import convert
from breakeven.core.saved_plan import SavedPlan
from breakeven.errors import DeployError, GateError, InputError

SCHEMA: Final = "breakeven.plan/1"

_FAMILY: Final = "breakeven.plan/"
_HINT: Final = "`deploy preview --save FILE` writes one"


def write(path: Path, plan: SavedPlan) -> None:
    """Raises DeployError where it cannot be written; then nothing, or what was there before, is there."""
    body = {"schema": SCHEMA, **convert.plain(plan)}
    text = json.dumps({**body, "digest": _digest(body)}, indent=2, ensure_ascii=False) + "\n"
    try:
        _replace(path, text)
    except OSError as error:
        raise DeployError(f"cannot write {path}: {error.strerror}") from error


def read(path: Path) -> SavedPlan:
    """Raises InputError for what is no plan of this version, GateError for one that was changed after it was saved."""
    data = _parsed(path)
    _refuse_schema(path, data)
    digest = data.pop("digest", None)
    if digest != _digest(data):
        raise GateError(f"{path} was changed after it was saved: its digest is another one", hint=_HINT)
    del data["schema"]
    try:
        return convert.convert(data, SavedPlan)
    except convert.Refused as error:
        key = ".".join(str(part) for part in error.path)
        raise InputError(f"{key}: {error}", where=str(path), hint=_HINT) from error


def _parsed(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes(), object_pairs_hook=_unique)
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", where=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"not a whole plan file: {error}", where=str(path), hint=_HINT) from error
    if not isinstance(found, dict):
        raise InputError("not a plan file", where=str(path), hint=_HINT)
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """People would read the first of two, a parser takes the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refuse_schema(path: Path, data: dict[str, Any]) -> None:
    schema = data.get("schema")
    if schema == SCHEMA:
        return
    if isinstance(schema, str) and schema.startswith(_FAMILY):
        hint = "apply it with the Breakeven that saved it, or save it anew with this one"
        raise InputError(f"it is of schema {schema}, this Breakeven reads {SCHEMA}", where=str(path), hint=hint)
    raise InputError("not a plan file", where=str(path), hint=_HINT)


def _digest(body: dict[str, Any]) -> str:
    """Of the canonical form: the same whatever the order of keys and the white space."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def _replace(path: Path, text: str) -> None:
    """A temporary file beside it is made for its owner only."""
    with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
