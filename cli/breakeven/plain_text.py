"""Bytes of a file → text, or the line at which they are none that a tool wrote."""

from __future__ import annotations

import re
from typing import Final

from breakeven.errors import InputError

_CONFLICT: Final = re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)


def decode(data: bytes, name: str, *, hint: str = "") -> str:
    """Raises InputError with `name:line` for what is not UTF-8, and for what a merge left unresolved."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError("cannot read it: it is not UTF-8 text", where=f"{name}:{line}", hint=hint) from error
    if found := _CONFLICT.search(text):
        line = text.count("\n", 0, found.start()) + 1
        hint = hint or "resolve the merge, then run it again"
        raise InputError("it holds the marks of a merge conflict", where=f"{name}:{line}", hint=hint)
    return text.replace("\r\n", "\n")
