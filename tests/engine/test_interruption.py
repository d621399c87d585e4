"""Interrupted for good: a second Ctrl-C, a lock that a kill left behind, two applies of one stack at once."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.deploy import deploy, on_a_terminal, read_screen, read_until, refuse, start, succeed

from breakeven.engine import processes
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane

STACK = ("--profile", "1xa100", "--name", "stop")
IN_VAIN = ("--profile", "8xh100", "--name", "stop", "--replicas", "9")  # this cluster lacks the nodes: it waits


@pytest.fixture
def env(sandbox: Sandbox, cluster: ControlPlane, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A state of the test's own; whatever it applied is removed at the end."""
    variables = {"XDG_STATE_HOME": str(tmp_path / "state"), "KUBECONFIG": str(sandbox.kubeconfig)}
    yield variables
    deploy("destroy", *STACK, "--confirm", "stop", env=variables)
    cluster.kubectl("delete", "namespace", "llm-stop", "--ignore-not-found")


def test_ctrl_c_twice_stops_at_once_and_says_what_may_be_left(env: dict[str, str], tmp_path: Path) -> None:
    process, screen = on_a_terminal("up", *IN_VAIN, "--yes", env=env)
    read_screen(screen, "create Deployment")
    time.sleep(0.5)
    os.write(screen, b"\x03")
    time.sleep(0.005)
    os.write(screen, b"\x03")
    shown = read_screen(screen, "deploy up continues")
    assert process.wait(30) == 130
    assert "press again to stop at once" in shown
    assert "the engine stops at once" in shown
    assert re.search(r"Error: stopped at once; (begun, maybe made, and in no record: .*|no step was cut short)", shown)
    assert "no lock is left" in shown
    assert not locks(tmp_path)
    assert "Ready      1 of 1, 1 GPU\n" in succeed("up", *STACK, "--yes", env=env)


def test_the_lock_of_a_killed_apply_is_shown_and_removed(env: dict[str, str], tmp_path: Path) -> None:
    process = start("up", *IN_VAIN, "--yes", env=env)
    read_until(process, "create Deployment")
    message = refuse(1, "unlock", *STACK, "--yes", env=env)
    assert f"another `deploy` works on stack stop: process {process.pid}; nothing was removed" in message
    assert locks(tmp_path)
    # The engine goes with it: alone it would go on.
    for pid in (process.pid, *engines(tmp_path)):
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=30)
    (plugin,) = (tmp_path / "state").rglob("pulumi-resource-kubernetes")
    assert processes.kill(plugin.parent)
    assert locks(tmp_path)
    assert "gone\nUnlocked stop. What the run had begun is in its state" in succeed("unlock", *STACK, "-y", env=env)
    assert not locks(tmp_path)
    assert "Ready      1 of 1, 1 GPU\n" in succeed("up", *STACK, "--yes", env=env)


def test_of_two_applies_one_wins_and_the_other_says_who(env: dict[str, str]) -> None:
    winner, screen = on_a_terminal("up", *STACK, env=env)
    read_screen(screen, "Apply this?")
    started = time.monotonic()
    message = refuse(1, "up", *STACK, "--yes", env=env)
    assert time.monotonic() - started < 30
    assert f"Error: another `deploy` works on stack stop: process {winner.pid}\n" in message
    os.write(screen, b"y\n")
    read_screen(screen, "Next ")
    assert winner.wait(30) == 0


def locks(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "state").rglob(".pulumi/locks/**/*.json"))


def engines(tmp_path: Path) -> list[int]:
    """The engine that works on this test's state."""
    holders = [re.search(r'"pid":(\d+)', path.read_text()) for path in locks(tmp_path)]
    return [int(found.group(1)) for found in holders if found]
