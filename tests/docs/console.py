"""Fenced `console` blocks of a document: their commands, and whether a real output is the printed one.

A line `…` stands for lines that were left out. What differs from run to run is made alike on both sides: ports, and
the order in which objects are made in parallel. Lines of progress are left out on both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BLOCK: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROGRESS: Final = re.compile(r".* …$|.* … done in \d+ s$|  waiting: .*")
_ELLIPSIS: Final = "…"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command and the output that the document shows for it. `where` is `file:line`."""

    command: str
    output: str
    where: str


def steps(document: Path) -> list[Step]:
    """All commands of a document, in its order."""
    text = document.read_text(encoding="utf-8")
    found: list[Step] = []
    for block in _BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(1)) + 1
        for part in re.split(r"^(?=\$ )", block[1], flags=re.MULTILINE):
            if part.strip():
                command, _, output = part.partition("\n")
                found.append(Step(command=command.removeprefix("$ "), output=output, where=f"{document.name}:{line}"))
            line += part.count("\n")
    return found


def is_shown(real: str, printed: str) -> bool:
    """Whether `real` is what is printed, lines that were left out aside."""
    actual = normalised(real)
    first, *others = _split(normalised(printed))
    if not others:
        return actual == first
    if actual[: len(first)] != first:
        return False
    position = len(first)
    for part in others[:-1]:
        position = _after(actual, part, position)
    last = others[-1]
    return position >= 0 and len(actual) - len(last) >= position and actual[len(actual) - len(last) :] == last


def normalised(text: str) -> list[str]:
    """Lines without what differs from run to run."""
    alike = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text.strip("\n"))
    lines = [line.rstrip() for line in alike.splitlines()]
    return _sorted_creations([line for line in lines if line == _ELLIPSIS or not _PROGRESS.fullmatch(line)])


def _sorted_creations(lines: list[str]) -> list[str]:
    creations = sorted(line for line in lines if line.startswith("  +  create"))
    return [creations.pop(0) if line.startswith("  +  create") else line for line in lines]


def _split(lines: list[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for line in lines:
        if line == _ELLIPSIS:
            parts.append([])
        else:
            parts[-1].append(line)
    return parts


def _after(lines: list[str], part: list[str], start: int) -> int:
    """The position after the first occurrence of `part` from `start` on, or -1."""
    if start < 0:
        return -1
    for position in range(start, len(lines) - len(part) + 1):
        if lines[position : position + len(part)] == part:
            return position + len(part)
    return -1
