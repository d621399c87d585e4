"""What there is on this machine: the pinned programs, and the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

# They share one machine; beyond, their start and the controllers take long.
MOST_SANDBOX_NODES: Final = 100


@dataclass(frozen=True, kw_only=True)
class ProgramRecord:
    """A pinned program and where it comes from. `path` is None where it is missing."""

    program: str
    version: str
    origin: Literal["PATH", "built", "missing"]
    path: Path | None


@dataclass(frozen=True, kw_only=True)
class NodePool:
    """The sandbox's nodes of one profile."""

    profile: str
    nodes: int
    ready: int
    gpus: int


@dataclass(frozen=True, kw_only=True)
class SandboxStatus:
    """A sandbox that was started once; without pools while it is not running."""

    running: bool
    server: str
    kubeconfig: Path
    directory: Path
    pools: tuple[NodePool, ...]
