"""Temporary files of runs that were killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

from breakeven.engine import scratch


def test_those_of_a_killed_run_go_with_its_provider(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    here = f".run-{socket.gethostname()}-"
    killed, own, elsewhere = (
        tmp_path / name for name in (f"{here}{ended.pid}-x", f"{here}{os.getpid()}-x", f".run-another-{ended.pid}-x")
    )
    for directory in (killed, own, elsewhere):
        directory.mkdir()
        (directory / "kubeconfig").touch()
    provider = subprocess.Popen(["sleep", "60"], env={**os.environ, "TMPDIR": str(killed)})
    scratch.sweep(tmp_path)
    assert provider.wait(10) == -signal.SIGKILL
    assert sorted(tmp_path.iterdir()) == sorted([own, elsewhere])


def test_those_of_an_engine_that_outlived_its_deploy_stay(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    directory = tmp_path / f".run-{socket.gethostname()}-{ended.pid}-x"
    directory.mkdir()
    engine = subprocess.Popen(["pulumi", "60"], executable="/bin/sleep", env={"TMPDIR": str(directory)})
    scratch.sweep(tmp_path)
    assert engine.poll() is None
    assert directory.exists()
    engine.kill()
    engine.wait()
