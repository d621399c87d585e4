"""The Job's own few lines of Python, run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from breakeven import render
from breakeven.core.chart.storage import Weights
from breakeven.core.plan import Plan

# Stands in for the library, which is large; that the real one (2.4.0, of vLLM 0.32) takes these arguments was seen.
LIBRARY = """
import os, pathlib
def snapshot_download(repo_id, *, ignore_patterns):
    if os.environ.get("FAILS"):
        raise OSError("401")
    pathlib.Path("asked").write_text(f"{repo_id} {'*.safetensors' in ignore_patterns} {'*.bin' in ignore_patterns}")
"""


@pytest.fixture
def script(planned: Callable[..., Plan], helm: Path, tmp_path: Path) -> str:
    (tmp_path / "huggingface_hub.py").write_text(LIBRARY, encoding="utf-8")
    found = render.manifests(planned("1xa100", weights=Weights(storage="pvc", download=True)), helm)
    (job,) = [manifest for manifest in found if manifest["kind"] == "Job"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["python3", "-c"]
    (wait,) = next(m for m in found if m["kind"] == "Deployment")["spec"]["template"]["spec"]["initContainers"]
    text: str = container["args"][0]
    (mark,) = [line.split('"')[1] for line in text.splitlines() if "touch" in line]
    assert mark in wait["command"][-1]
    return text.replace("/weights/", f"{tmp_path}/")


def _run(script: str, directory: Path, **variables: str) -> int:
    environment = {"MODEL": "Qwen/Qwen3-8B", "PYTHONPATH": str(directory), **variables}
    return subprocess.run([sys.executable, "-c", script], cwd=directory, env=environment, check=False).returncode


def test_the_mark_is_left_when_all_is_there(script: str, tmp_path: Path) -> None:
    assert _run(script, tmp_path) == 0
    assert (tmp_path / "asked").read_text() == "Qwen/Qwen3-8B False True"
    assert list(tmp_path.glob(".complete-*"))


def test_a_failed_download_leaves_no_mark(script: str, tmp_path: Path) -> None:
    assert _run(script, tmp_path, FAILS="1") != 0
    assert not list(tmp_path.glob(".complete-*"))
