"""The only module that knows where profiles/, charts/, infra/, tools/ and catalog/ lie, and where state goes.

In a checkout (also an editable install) they are the repository's own folders; in a wheel they were
force-included under `breakeven/_bundle/`.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent


@cache
def root() -> Path:
    """The folder that holds Pulumi.yaml, profiles/, charts/, infra/ and tools/."""
    checkout = _PACKAGE.parents[1]
    return checkout if (checkout / "Pulumi.yaml").is_file() else _PACKAGE / "_bundle"


def profiles() -> Path:
    return root() / "profiles"


def chart() -> Path:
    return root() / "charts" / "vllm"


def values_template() -> Path:
    return root() / "charts" / "values.yaml.j2"


def infra() -> Path:
    return root() / "infra"


def tools() -> Path:
    return root() / "tools"


def schemas() -> Path:
    """JSON Schemas of what is written and read."""
    return root() / "docs" / "schemas"


def templates() -> Path:
    return _PACKAGE / "templates"


def catalog() -> Path:
    return _PACKAGE / "catalog"


def cache_dir() -> Path:
    """`$XDG_CACHE_HOME/breakeven`: built programs; safe to delete."""
    return _xdg("XDG_CACHE_HOME", ".cache")


def state_dir() -> Path:
    """`$XDG_STATE_HOME/breakeven`: the embedded Pulumi backend, stack settings and the sandbox."""
    return _xdg("XDG_STATE_HOME", ".local/state")


def _xdg(variable: str, fallback: str) -> Path:
    # The XDG specification tells to ignore relative paths.
    value = os.environ.get(variable, "")
    base = Path(value) if value.startswith("/") else Path.home() / fallback
    return base / "breakeven"
