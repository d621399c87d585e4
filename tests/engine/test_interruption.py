"""Interrupted for good: a second Ctrl-C, a lock that a kill left behind, two applies of one stack at once."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from tests.engine.aftermath import Aftermath
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


@pytest.mark.fault(
    "Ctrl-C twice",
    "stops at once and says what may be left; the next `up` becomes ready",
    "130",
)
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


@pytest.mark.fault(
    "`deploy` and engine killed in an apply",
    "`deploy unlock` removes the lock; the next `up` becomes ready",
    "137 (SIGKILL)",
)
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


@pytest.mark.fault(
    "Two applies of one stack",
    "one wins; the other says who",
    "1",
)
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


@pytest.mark.fault(
    "Ctrl-C in preflight, in the preview, and before the apply's first step", "nothing is left behind", "130"
)
@pytest.mark.parametrize(
    "awaited", ["helm template", "pulumi --non-interactive preview", "pulumi --non-interactive up"]
)
def test_ctrl_c_before_anything_is_made(
    env: dict[str, str], cluster: ControlPlane, tmp_path: Path, awaited: str
) -> None:
    """Preflight begins with Helm's rendering. The provider starts before the engine's first step."""
    process, screen = on_a_terminal("up", *STACK, "--yes", env=env)
    deadline = time.monotonic() + 60
    while awaited not in commands_of(process.pid):
        assert time.monotonic() < deadline
    os.write(screen, b"\x03")
    assert "Error: interrupted" in read_screen(screen, "Error: interrupted")
    assert process.wait(60) == 130
    assert not locks(tmp_path)
    assert "llm-stop" not in cluster.kubectl("get", "namespaces")
    if not awaited.endswith(" up"):
        assert Aftermath(home=tmp_path / "state", stack="stop", cluster=cluster).is_untouched()
    assert "Ready      1 of 1, 1 GPU\n" in succeed("up", *STACK, "--yes", env=env)


@pytest.mark.fault("SIGTERM in the preview, and at the prompt", "nothing is left behind", "130")
@pytest.mark.parametrize("moment", ["preview", "prompt"])
def test_sigterm_before_anything_is_made(
    env: dict[str, str], cluster: ControlPlane, tmp_path: Path, moment: str
) -> None:
    process, screen = on_a_terminal("up", *STACK, env=env)
    if moment == "prompt":
        read_screen(screen, "Apply this?")
    while moment == "preview" and "pulumi --non-interactive preview" not in commands_of(process.pid):
        assert process.poll() is None
    process.terminate()
    assert "Error: interrupted" in read_screen(screen, "Error: interrupted")
    assert process.wait(60) == 130
    assert Aftermath(home=tmp_path / "state", stack="stop", cluster=cluster).is_untouched()


@pytest.mark.fault("`deploy` killed at the prompt", "the stack stays what its last apply made it", "137 (SIGKILL)")
def test_what_waits_for_an_answer_has_changed_nothing(env: dict[str, str], tmp_path: Path) -> None:
    """Nor has it when it is killed there: other verbs tell the last apply, not the inputs of the question."""

    def planned() -> object:
        return json.loads(succeed("status", *STACK, "-o", "json", env=env))["gpus"]["planned"]

    succeed("up", *STACK, "--yes", env=env)
    for key in (b"", b"n\n"):
        process, screen = on_a_terminal("up", *STACK, "--replicas", "2", env=env)
        read_screen(screen, "Apply this?")
        assert planned() == 1
        os.write(screen, key)
        if not key:
            process.kill()
        process.wait(60)
        assert planned() == 1
    assert not list((tmp_path / "state").rglob("Pulumi.*.former.yaml"))
    assert "no changes" in succeed("preview", *STACK, env=env)


def test_a_stack_that_was_never_applied_is_none(env: dict[str, str], cluster: ControlPlane, tmp_path: Path) -> None:
    process, screen = on_a_terminal("up", *STACK, env=env)
    read_screen(screen, "Apply this?")
    assert "there is no stack 'stop'" in refuse(1, "status", *STACK, env=env)
    process.kill()
    process.wait()
    assert "there is no stack 'stop'" in refuse(1, "destroy", *STACK, "--confirm", "stop", env=env)
    succeed("preview", *STACK, env=env)
    assert Aftermath(home=tmp_path / "state", stack="stop", cluster=cluster).is_untouched()


@pytest.mark.fault("Ctrl-C while the apply waits for pods that are lost", "nothing is undone, no lock is left", "130")
def test_ctrl_c_while_it_waits_for_pods(env: dict[str, str], cluster: ControlPlane, tmp_path: Path) -> None:
    succeed("up", *STACK, "--yes", env=env)
    nodes = [node["metadata"]["name"] for node in cluster.nodes() if not node["spec"].get("unschedulable")]
    try:
        cluster.kubectl("cordon", *nodes)
        cluster.kubectl("-n", "llm-stop", "delete", "pods", "--all", "--force", "--grace-period=0")
        process, screen = on_a_terminal("up", *STACK, "--ops-usd-per-month", "0", "--yes", env=env)
        read_screen(screen, "waiting: 0 of 1 ready")
        os.write(screen, b"\x03")
        read_screen(screen, "Error: interrupted")
        assert process.wait(60) == 130
    finally:
        cluster.kubectl("uncordon", *nodes)
    Aftermath(home=tmp_path / "state", stack="stop", cluster=cluster).check(priced_gpus=1)


@pytest.mark.fault(
    "Two applies of one stack at once, many times over",
    "one wins; the other waits for it, or says who holds it",
    "0, 1",
)
def test_two_applies_at_once_many_times_over(env: dict[str, str], cluster: ControlPlane, tmp_path: Path) -> None:
    """Each round they disagree about a price, so that the state changes."""
    succeed("up", *STACK, "--yes", env=env)
    after = Aftermath(home=tmp_path / "state", stack="stop", cluster=cluster)
    for number in range(1, int(os.environ.get("BREAKEVEN_ROUNDS", "3")) + 1):
        prices = (str(2 * number), str(2 * number + 1))
        both = [start("up", *STACK, "--ops-usd-per-month", price, "--yes", env=env) for price in prices]
        said = [process.communicate(timeout=120)[1] for process in both]
        codes = [process.returncode for process in both]
        assert set(codes) <= {0, 1} and 0 in codes, said
        assert all("works on stack stop: process" in err for code, err in zip(codes, said, strict=True) if code)
        after.check(priced_gpus=1)
        (line,) = (line for line in after.state.cost.lines if line.name == "Operations")
        assert line.monthly_usd in [Decimal(price) for price, code in zip(prices, codes, strict=True) if code == 0]


def commands_of(pid: int) -> str:
    """What a process's children run by now. Helm's runs a tenth of a second: less than a look by `ps` may take."""
    found = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        # A thread or a child may end while we look.
        with suppress(OSError):
            found += [Path(f"/proc/{child}/cmdline").read_bytes() for child in thread.read_text().split()]
    return b" ".join(found).replace(b"\0", b" ").decode()


def locks(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "state").rglob(".pulumi/locks/**/*.json"))


def engines(tmp_path: Path) -> list[int]:
    """The engine that works on this test's state."""
    holders = [re.search(r'"pid":(\d+)', path.read_text()) for path in locks(tmp_path)]
    return [int(found.group(1)) for found in holders if found]
