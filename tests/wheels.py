"""Breakeven as a wheel, built from what git would commit, and environments to install it into without an index."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from breakeven import resources

# The tests may run on a runner themselves.
_OTHERS = ("GITHUB_", "CI_", "BREAKEVEN_")


def copy_sources(to: Path) -> None:
    """The checkout without ignored files: hatchling would ship those of a force-included folder."""
    for name in to_be_committed():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(resources.root() / name, to / name)


def to_be_committed() -> list[str]:
    """Tracked files, and new ones that git does not ignore."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=resources.root(), check=True, capture_output=True, text=True).stdout.split("\0")
    return [name for name in names if (resources.root() / name).is_file()]


def build(sources: Path, dist: Path) -> Path:
    command = [sys.executable, "-W", "error", "-m", "hatchling", "build", "--target", "wheel", "--directory", str(dist)]
    subprocess.run(command, cwd=sources, check=True, capture_output=True)
    (built,) = dist.glob("*.whl")
    return built


def environment(home: Path) -> Path:
    """A fresh one with pip that knows all that the tests run with, save Breakeven."""
    venv.create(home, symlinks=True, with_pip=True)
    known = home / "known"
    known.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        # Nor an editable install, nor a pip beside the one of the environment.
        if (
            path.suffix != ".pth"
            and not path.name.startswith(("breakeven", "pip-", "pip.", "__"))
            and path.name != "pip"
        ):
            (known / path.name).symlink_to(path)
    site_packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(home)}))
    # A path in a .pth is searched last.
    (site_packages / "known.pth").write_text(f"{known}\n", encoding="utf-8")
    return home


def variables(home: Path) -> dict[str, str]:
    """Of a shell in that environment, in which pip asks no index."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "PYTHONHOME") and not name.startswith(_OTHERS)
    }
    return {
        **kept,
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
