"""The temporary files of a run of the engine: gone with it, or with the next one where it was killed.

The provider leaves a copy of the kubeconfig, with its keys, among them (writeKubeconfigToFile in
provider/pkg/provider/util.go of 4.25.0), and does not notice that its engine is gone.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from breakeven.engine import processes

_ENGINE: Final = "pulumi"


@contextmanager
def of_a_run(directory: Path) -> Iterator[Path]:
    """A directory for them below that of the stack, named after this machine and process."""
    with TemporaryDirectory(prefix=f"{_prefix()}{os.getpid()}-", dir=directory, ignore_cleanup_errors=True) as made:
        yield Path(made)


def sweep(directory: Path) -> None:
    """Remove those of killed runs on this machine, and end their providers. An engine that lives finishes its work."""
    for path in directory.glob(f"{escape(_prefix())}*"):
        pid = path.name.split("-")[-2]
        if pid.isdigit() and not processes.is_alive(int(pid)) and not _has_engine(path):
            processes.end_those_of(path)
            shutil.rmtree(path, ignore_errors=True)


def _prefix() -> str:
    return f".run-{socket.gethostname()}-"


def _has_engine(path: Path) -> bool:
    return any(processes.program(pid) == _ENGINE for pid in processes.those_of(path))
