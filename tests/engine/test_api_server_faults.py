"""The API server stops before, during and after an apply, or is slow; a node is lost in the middle of a rollout."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.engine.aftermath import Aftermath
from tests.engine.deploy import deploy, on_a_terminal, read_screen, read_until, refuse, start, succeed

from breakeven.engine import processes
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane

STACK = ("--profile", "1xa100", "--name", "gone")
IN_VAIN = ("--profile", "8xh100", "--name", "gone", "--replicas", "9")  # this cluster lacks the nodes: it waits


@pytest.fixture
def env(sandbox: Sandbox, cluster: ControlPlane, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A state of the test's own; whatever it applied is removed at the end."""
    variables = {"XDG_STATE_HOME": str(tmp_path / "state"), "KUBECONFIG": str(sandbox.kubeconfig)}
    yield variables
    deploy("destroy", *STACK, "--confirm", "gone", env=variables)
    cluster.kubectl("delete", "namespace", "llm-gone", "--ignore-not-found")


@pytest.fixture
def after(env: dict[str, str], cluster: ControlPlane, tmp_path: Path) -> Aftermath:
    return Aftermath(home=tmp_path / "state", stack="gone", cluster=cluster)


def api_server(cluster: ControlPlane) -> int:
    return processes.running(cluster.directory / "kwok" / "clusters" / "breakeven" / "bin")["kube-apiserver"]


@contextmanager
def stopped(cluster: ControlPlane) -> Iterator[None]:
    """Without its API server, which has all objects again afterwards."""
    pid = api_server(cluster)
    os.kill(pid, signal.SIGKILL)
    assert processes.wait_for(lambda: not processes.is_alive(pid), 10)
    try:
        yield
    finally:
        cluster.restart()


@contextmanager
def slow(cluster: ControlPlane) -> Iterator[None]:
    """It answers in one of three tenths of a second."""
    pid, done = api_server(cluster), threading.Event()

    def hold() -> None:
        while not done.wait(0.1):
            os.kill(pid, signal.SIGSTOP)
            done.wait(0.2)
            os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        os.kill(pid, signal.SIGCONT)


@pytest.mark.fault(
    "The API server stops at the prompt",
    "nothing is applied",
    "5",
)
def test_an_api_server_that_stops_before_the_apply(
    env: dict[str, str], after: Aftermath, cluster: ControlPlane
) -> None:
    """While the question is on the screen."""
    process, screen = on_a_terminal("up", *STACK, env=env)
    read_screen(screen, "Apply this?")
    with stopped(cluster):
        os.write(screen, b"y\n")
        assert f"{cluster.server} is unreachable" in read_screen(screen, "Next: ")
        assert process.wait(60) == 5
    assert after.is_untouched()


@pytest.mark.fault(
    "The API server stops in the middle of an apply, and stays away",
    "said; every verb says so; when it is back, the next `up` ends well",
    "5",
)
def test_an_api_server_that_stops_during_and_after_the_apply(
    env: dict[str, str], after: Aftermath, cluster: ControlPlane
) -> None:
    process = start("up", *IN_VAIN, "--yes", env=env)
    read_until(process, "create Deployment")
    with stopped(cluster):
        _, err = process.communicate(timeout=120)
        assert process.returncode == 5, err
        assert "Error: the cluster went away: " in err
        assert "Next: when it answers again, `deploy up` goes on with it" in err
        assert not after.locks
        for verb in (("status",), ("drift",), ("preview",), ("destroy", "--confirm", "gone")):
            assert f"{cluster.server} is unreachable" in refuse(5, verb[0], *STACK, *verb[1:], env=env)
    assert "Ready      1 of 1, 1 GPU\n" in succeed("up", *STACK, "--yes", env=env)
    after.check(priced_gpus=1)


@pytest.mark.fault(
    "The API server answers a third of the time during an apply",
    "the apply ends well",
    "0",
)
def test_an_api_server_that_is_slow(env: dict[str, str], after: Aftermath, cluster: ControlPlane) -> None:
    with slow(cluster):
        assert "Ready      1 of 1, 1 GPU\n" in succeed("up", *STACK, "--yes", env=env)
    after.check(priced_gpus=1)


@pytest.mark.fault(
    "A node is lost in the middle of a rollout",
    "the pod moves to another, and the apply ends well",
    "0",
)
def test_a_node_that_is_lost_in_the_rollout(env: dict[str, str], after: Aftermath, cluster: ControlPlane) -> None:
    """The pod that the rollout waits for goes with it: one on another node takes its place, and the apply ends well."""
    process = start("up", "--profile", "4xa100", "--name", "gone", "--yes", env=env)
    read_until(process, "create Deployment")
    lost: list[str] = []

    def placed() -> bool:
        where = cluster.kubectl("-n", "llm-gone", "get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}")
        lost[:] = where.split()
        return bool(lost)

    assert processes.wait_for(placed, 60)
    taint = "node.kubernetes.io/out-of-service"
    cluster.kubectl("taint", "node", lost[0], f"{taint}=nodeshutdown:NoExecute")
    try:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert "Ready      1 of 1, 4 GPUs\n" in out
        assert processes.wait_for(lambda: placed() and len(lost) == 1, 60)
        after.check(priced_gpus=4)
    finally:
        cluster.kubectl("taint", "nodes", "--all", f"{taint}-")
