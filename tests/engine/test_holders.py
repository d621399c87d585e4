"""Who holds a stack: locks as the engine's file backend writes them, of processes alive, gone or elsewhere."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.deploy import refuse, succeed

STACK = ("--profile", "1xa100", "--name", "held")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state"), "PULUMI_BACKEND_URL": f"file://{tmp_path}/backend"}


@pytest.fixture
def engine() -> Iterator[subprocess.Popen[bytes]]:
    """A live process that calls itself as the engine does."""
    process = subprocess.Popen(["pulumi", "60"], executable="/bin/sleep")
    yield process
    process.kill()
    process.wait()


def lock(tmp_path: Path, *, pid: int, host: str | None = None) -> Path:
    path = tmp_path / "backend" / ".pulumi" / "locks" / "organization" / "breakeven" / "held" / f"{pid}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "pid": pid,
        "username": "ada",
        "hostname": host or socket.gethostname(),
        "timestamp": "2026-11-24T14:00Z",
    }
    path.write_text(json.dumps(content))
    return path


def gone() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_nobody_holds_it(env: dict[str, str]) -> None:
    assert succeed("unlock", *STACK, env=env) == "Nobody holds stack held.\n"


def test_the_lock_of_a_process_that_is_gone_is_removed_after_a_yes(env: dict[str, str], tmp_path: Path) -> None:
    path = lock(tmp_path, pid=gone())
    assert "add --yes to remove the lock" in refuse(2, "unlock", *STACK, env=env)
    assert path.exists()
    out = succeed("unlock", *STACK, "--yes", env=env)
    assert f"ada@{socket.gethostname()}" in out
    assert "2026-11-24T14:00Z  gone\nUnlocked held." in out
    assert not path.exists()


@pytest.mark.fault(
    "The lock of a live process (a played engine)",
    "is never broken",
    "1",
)
def test_a_live_one_is_never_broken(env: dict[str, str], tmp_path: Path, engine: subprocess.Popen[bytes]) -> None:
    paths = [lock(tmp_path, pid=gone()), lock(tmp_path, pid=engine.pid)]
    message = refuse(1, "unlock", *STACK, "--yes", env=env)
    assert f"a live run holds the stack: ada@{socket.gethostname()}, process {engine.pid}, since 2026-11-24" in message
    assert f"kill -INT {engine.pid}" in message
    assert all(path.exists() for path in paths)


def test_a_number_that_another_program_has_got_since_is_not_the_engine(env: dict[str, str], tmp_path: Path) -> None:
    path = lock(tmp_path, pid=os.getpid())
    assert "Unlocked held" in succeed("unlock", *STACK, "--yes", env=env)
    assert not path.exists()


def test_one_that_nobody_has_waited_for_is_gone(env: dict[str, str], tmp_path: Path) -> None:
    process = subprocess.Popen(["pulumi"], executable="/bin/true")
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    path = lock(tmp_path, pid=process.pid)
    assert "Unlocked held" in succeed("unlock", *STACK, "--yes", env=env)
    assert not path.exists()
    process.wait()


def test_another_machines_is_left_to_it(env: dict[str, str], tmp_path: Path) -> None:
    path = lock(tmp_path, pid=gone(), host="elsewhere.example")
    message = refuse(1, "unlock", *STACK, "--yes", env=env)
    assert "another machine's run holds the stack: ada@elsewhere.example" in message
    assert path.exists()


@pytest.mark.fault(
    "A lock that cannot be read",
    "is kept",
    "1",
)
def test_an_unreadable_lock_is_kept(env: dict[str, str], tmp_path: Path) -> None:
    path = lock(tmp_path, pid=gone())
    path.write_text("{")
    assert "is not a lock that the engine wrote" in refuse(1, "unlock", *STACK, "--yes", env=env)
    assert path.exists()


def test_a_backend_without_files_says_what_to_do(env: dict[str, str]) -> None:
    message = refuse(1, "unlock", *STACK, "--yes", env={**env, "PULUMI_BACKEND_URL": "s3://bucket"})
    assert "the locks of a s3 backend cannot be read from here" in message
    assert "`pulumi cancel`" in message
