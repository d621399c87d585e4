"""The whole error family, in one file so that exit codes stay unique and documented.

DeployError(1)
├── InputError(2)        what the user gave is wrong: file, key path, expected, got
├── InfeasibleError(3)   it cannot fit: needed against available, and the nearest thing that fits
├── ToolError(4)         a needed program is missing or failed
├── ClusterError(5)      the cluster is unreachable, or is not as the apply needs it
└── GateError(6)         the gate refused: over budget, or what would be applied is not what was priced and shown
Difference(7)            an asked-for comparison found a difference
Interrupted(130)         stopped by a signal

Errors hold facts and print nothing; `main` turns one into one message and its exit code.
"""

from __future__ import annotations

from collections.abc import Iterable


class DeployError(Exception):
    """Something that the user can act on. `hint` is the next step."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(DeployError):
    """Bad usage or input. `where` is `file:line: key.path` where there is one.

    What is refused without its file at hand has the `key` of deploy.yaml only; `located` finds the line.
    """

    exit_code = 2

    def __init__(self, message: str, *, where: str = "", key: tuple[str, ...] = (), hint: str = "") -> None:
        self.said = message
        self.key = key
        place = where or ".".join(key)
        super().__init__(f"{place}: {message}" if place else message, hint=hint)

    def located(self, where: str) -> InputError:
        """The same, of a line."""
        return InputError(self.said, where=where, hint=self.hint)


class InfeasibleError(DeployError):
    exit_code = 3


class ToolError(DeployError):
    exit_code = 4


class ClusterError(DeployError):
    exit_code = 5


class GateError(DeployError):
    exit_code = 6


class Difference(DeployError):
    exit_code = 7


class Interrupted(DeployError):
    exit_code = 130


def unknown(kind: str, name: str, known: Iterable[str], *, listing: str) -> InputError:
    """An unknown name, with the close ones. `listing` is what lists them all: a command in backticks, or a place."""
    from difflib import get_close_matches

    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = get_close_matches(name.casefold(), by_folded, n=2, cutoff=0.6)
    guess = f"did you mean {' or '.join(by_folded[match] for match in close)}? " if close else ""
    noun, of, whose = kind.partition(" of ")
    return InputError(f"unknown {noun} {name!r}{of}{whose}", hint=f"{guess}{listing} lists them all")
