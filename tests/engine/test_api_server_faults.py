"""The API server stops before, during and after an apply, or is slow; a node is lost in the middle of a rollout."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.engine.aftermath import Aftermath
from tests.engine.deploy import deploy, on_a_terminal, read_screen, read_until, refuse, start, succeed
from tests.engine.proxy import forwarding

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
    "Ctrl-C after the yes, before the engine runs",
    "nothing is applied",
    "130",
)
def test_ctrl_c_between_the_answer_and_the_apply(env: dict[str, str], after: Aftermath, cluster: ControlPlane) -> None:
    """While the cluster is looked at once more, which an API server that holds its breath makes long enough."""
    process, screen = on_a_terminal("up", *STACK, env=env)
    read_screen(screen, "Apply this?")
    pid = api_server(cluster)
    os.kill(pid, signal.SIGSTOP)
    try:
        os.write(screen, b"y\n")
        time.sleep(1)
        os.write(screen, b"\x03")
        time.sleep(0.5)
    finally:
        os.kill(pid, signal.SIGCONT)
    read_screen(screen, "Error: interrupted")
    assert process.wait(60) == 130
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
    "The API server's answer is lost, although it made the Deployment",
    "said; the next `up` knows the Deployment that no record has",
    "5",
)
def test_an_answer_that_is_lost(env: dict[str, str], after: Aftermath, cluster: ControlPlane, tmp_path: Path) -> None:
    """On its way through a proxy. The engine takes the creation for failed and records nothing of it."""

    def makes_the_deployment(method: str, path: str) -> bool:
        return method == "PATCH" and "/deployments/llm-gone" in path and "dryRun" not in path

    with forwarding(cluster, tmp_path) as proxy:
        proxy.loses = makes_the_deployment
        message = refuse(5, "up", *STACK, "--kubeconfig", str(proxy.kubeconfig), "--yes", env=env)
        assert "Error: the cluster went away: " in message
        assert "Next: when it answers again, `deploy up` goes on with it" in message
    assert proxy.lost
    assert not after.locks
    assert after.gpus == 1
    assert not [urn for urn in after.state.urns if ":Deployment::" in urn]
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
    node, taint = lost[0], "node.kubernetes.io/out-of-service"
    cluster.kubectl("taint", "node", node, f"{taint}=nodeshutdown:NoExecute")
    try:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert "Ready      1 of 1, 4 GPUs\n" in out
        assert processes.wait_for(lambda: placed() and len(lost) == 1, 60)
        after.check(priced_gpus=4)
    finally:
        cluster.kubectl("taint", "node", node, f"{taint}-")
