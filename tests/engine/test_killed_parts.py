"""Parts that end under an apply, a disk that is full, a state that is damaged: nothing is lost, and `up` goes on."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.aftermath import Aftermath
from tests.engine.deploy import deploy, read_until, refuse, start, succeed

from breakeven.engine import processes
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane

STACK = ("--profile", "1xa100", "--name", "hit")
IN_VAIN = ("--profile", "8xh100", "--name", "hit", "--replicas", "9")  # this cluster lacks the nodes: it waits

# A disk of its own for the state, with as many KiB left as the third argument says. Root needs no user namespace.
UNSHARE = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--mount")
ON_A_FULL_DISK = """
disk=$1; state=$2; free=$3; shift 3
mount -t tmpfs -o size=8m disk "$disk"
cp -a "$state/." "$disk/"
head -c $(( ($(df -k --output=avail "$disk" | tail -1) - free) * 1024 )) /dev/zero > "$disk/filler"
"$@"; code=$?
rm "$disk/filler"
cp -a "$disk/." "$state/"
exit $code
"""


@pytest.fixture
def env(sandbox: Sandbox, cluster: ControlPlane, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A state of the test's own; whatever it applied is removed at the end."""
    variables = {"XDG_STATE_HOME": str(tmp_path / "state"), "KUBECONFIG": str(sandbox.kubeconfig)}
    yield variables
    deploy("destroy", *STACK, "--confirm", "hit", env=variables)
    cluster.kubectl("delete", "namespace", "llm-hit", "--ignore-not-found")


@pytest.fixture
def after(env: dict[str, str], cluster: ControlPlane, tmp_path: Path) -> Aftermath:
    return Aftermath(home=tmp_path / "state", stack="hit", cluster=cluster)


def waiting_apply(env: dict[str, str], after: Aftermath) -> subprocess.Popen[str]:
    """An apply whose Deployment is in the cluster and not yet in the state."""
    process = start("up", *IN_VAIN, "--yes", env=env)
    read_until(process, "create Deployment")
    assert processes.wait_for(lambda: after.gpus == 72, 30)
    return process


def provider(home: Path) -> int:
    (plugin,) = home.rglob("pulumi-resource-kubernetes")
    return processes.running(plugin.parent)[plugin.name]


@pytest.mark.fault(
    "The provider killed in an apply",
    "told apart from a failed rollout; the next `up` knows the Deployment that no record has",
    "4",
)
def test_a_provider_that_is_killed(env: dict[str, str], after: Aftermath) -> None:
    """The engine takes the creation for failed and records nothing of it; yet the Deployment is the stack's."""
    process = waiting_apply(env, after)
    os.kill(provider(after.home), signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 4, err
    assert "Error: Pulumi's Kubernetes provider ended under the engine: " in err
    assert not after.locks
    assert after.gpus == 72
    assert "Ready      1 of 1, 1 GPU\n" in succeed("up", *STACK, "--yes", env=env)
    after.check(priced_gpus=1)


@pytest.mark.fault(
    "The same in a namespace that outlives the stack",
    "`destroy` refuses until `up` has finished it; nothing stays",
    "1",
)
def test_what_was_lost_in_a_namespace_that_is_kept_is_not_left_there(
    env: dict[str, str], after: Aftermath, cluster: ControlPlane
) -> None:
    cluster.kubectl("create", "namespace", "llm-hit")
    process = waiting_apply(env, after)
    os.kill(provider(after.home), signal.SIGKILL)
    process.communicate(timeout=60)
    message = refuse(1, "destroy", *STACK, "--confirm", "hit", env=env)
    assert "they may be in no record, and would stay\nNext: `deploy up` finishes it" in message
    succeed("up", *STACK, "--yes", env=env)
    succeed("destroy", *STACK, "--confirm", "hit", env=env)
    assert after.gpus == 0


@pytest.mark.fault(
    "The engine killed in an apply",
    "said, and its provider is ended; the next `up` removes the lock and becomes ready",
    "4",
)
def test_an_engine_that_is_killed(env: dict[str, str], after: Aftermath) -> None:
    process = waiting_apply(env, after)
    (lock,) = after.locks
    found = re.search(r'"pid":(\d+)', lock.read_text())
    assert found
    os.kill(int(found.group(1)), signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 4, err
    assert "Error: the engine (pulumi) was ended by SIGKILL\nNext: `deploy up` goes on with it" in err
    assert "Warning" not in err
    assert after.locks == [lock]
    (plugin,) = after.home.rglob("pulumi-resource-kubernetes")
    assert not processes.running(plugin.parent)
    assert "Ready      1 of 1, 1 GPU\n" in succeed("up", *STACK, "--yes", env=env)
    after.check(priced_gpus=1)


@pytest.mark.fault(
    "`deploy` aborts in an apply",
    "the next `up` removes the lock, ends the provider, removes its temporary files and becomes ready",
    "134 (SIGABRT)",
)
def test_a_deploy_that_aborts(env: dict[str, str], after: Aftermath) -> None:
    """As a library does that finds itself in an impossible state. The engine follows it; the provider does not."""
    process = waiting_apply(env, after)
    plugin = provider(after.home)
    process.send_signal(signal.SIGABRT)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGABRT
    assert list(after.home.rglob(".run-*"))
    assert "Ready      1 of 1, 1 GPU\n" in succeed("up", *STACK, "--yes", env=env)
    after.check(priced_gpus=1)
    assert not processes.is_alive(plugin)
    assert not list(after.home.rglob(".run-*"))


@pytest.mark.parametrize("free_kib", [0, 100])
@pytest.mark.fault(
    "The disk of the state is full, at once or in the middle",
    "the file is named; what was saved before can be read; with room, the next `up` ends well",
    "1",
)
def test_a_disk_that_is_full(
    env: dict[str, str], after: Aftermath, cluster: ControlPlane, tmp_path: Path, free_kib: int
) -> None:
    """At once, when the engine takes its lock; or later, when it saves the state."""
    disk, saved = tmp_path / "disk", tmp_path / "state" / "saved"
    for directory in (disk, saved):
        directory.mkdir(parents=True)
    env |= {
        "PULUMI_BACKEND_URL": f"file://{saved}",
        "PULUMI_CONFIG_PASSPHRASE": "of this test",
        "PULUMI_HOME": str(tmp_path / "pulumi"),
    }
    succeed("up", *STACK, "--yes", env=env)
    before = after.checkpoint.read_bytes()
    full = [*UNSHARE, "sh", "-c", ON_A_FULL_DISK, "sh", str(disk), str(saved), str(free_kib)]
    failed = subprocess.run(
        [*full, sys.executable, "-m", "breakeven", "up", *STACK, "--ops-usd-per-month", "0", "--yes"],
        env={**os.environ, **env, "PULUMI_BACKEND_URL": f"file://{disk}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert failed.returncode == 1, failed.stderr
    assert f"Error: the state could not be saved: {disk}/.pulumi/" in failed.stderr
    assert ": no space left on device\nNext: make room there, then `deploy up`" in failed.stderr
    assert not after.state.begun
    assert free_kib or after.checkpoint.read_bytes() == before
    succeed("up", *STACK, "--ops-usd-per-month", "0", "--yes", env=env)
    after.check(priced_gpus=1)


@pytest.mark.parametrize("damage", [b"", b"\x00\xff", b'{"version": 3, "checkpoint": {"latest": {"resou'])
@pytest.mark.fault(
    "The state is empty, garbage or cut short",
    "its file is named with the commands that bring back the newest copy; they do",
    "1",
)
def test_a_damaged_state_is_named_with_its_backup(env: dict[str, str], after: Aftermath, damage: bytes) -> None:
    if not damage:
        succeed("up", *STACK, "--yes", env=env)
    succeed("up", *STACK, "--yes", env=env)
    path = after.checkpoint
    path.write_bytes(damage)
    for verb in (("preview",), ("up", "--yes"), ("status",), ("destroy", "--confirm", "hit")):
        message = refuse(1, verb[0], *STACK, *verb[1:], env=env)
        assert f"Error: {path}: the state of this stack cannot be read: " in message
    moved, brought = message.splitlines()[-2:]
    assert moved == f"  mv {path} {path}.damaged"
    assert path.read_bytes() == damage
    for command in (moved, brought):
        subprocess.run(shlex.split(command), check=True)
    assert "no changes" in succeed("preview", *STACK, env=env)
    after.check(priced_gpus=1)


@pytest.mark.fault(
    "The engine killed in the middle of a save",
    "the state that was saved before is gone on with",
    "0",
)
def test_attributes_that_were_never_written(env: dict[str, str], after: Aftermath) -> None:
    """Empty, as a kill left them: the engine begins with them before it puts a file in its place."""
    succeed("up", *STACK, "--yes", env=env)
    beside = [*after.home.rglob("hit.json.attrs"), *after.home.rglob("hit-*.history.json.attrs")]
    assert len(beside) == 2
    for path in beside:
        path.write_bytes(b"")
    assert "Ready      1 of 1, 1 GPU\n" in succeed("up", *STACK, "--ops-usd-per-month", "0", "--yes", env=env)
    for path in beside:
        path.write_bytes(b"")
    assert ", succeeded\n" in succeed("status", *STACK, env=env)
    after.check(priced_gpus=1)


@pytest.mark.fault(
    "The state file is deleted",
    "it is named with the command that brings back the newest copy; it does",
    "1",
)
def test_a_state_that_is_gone_is_named_with_its_backup(env: dict[str, str], after: Aftermath) -> None:
    succeed("up", *STACK, "--yes", env=env)
    path = after.checkpoint
    path.unlink()
    for verb in (("preview",), ("up", "--yes"), ("status",), ("destroy", "--confirm", "hit")):
        message = refuse(1, verb[0], *STACK, *verb[1:], env=env)
        assert f"Error: {path}: the state of this stack is gone, its history is not\n" in message
    subprocess.run(shlex.split(message.splitlines()[-1]), check=True)
    assert "no changes" in succeed("preview", *STACK, env=env)
    assert "Ready      1 of 1\n" in succeed("status", *STACK, env=env)
    after.check(priced_gpus=1)
    # What was removed on purpose is no loss.
    succeed("destroy", *STACK, "--confirm", "hit", env=env)
    assert "Ready      1 of 1, 1 GPU\n" in succeed("up", *STACK, "--yes", env=env)


def test_settings_of_the_same_name_in_another_backend_stay(env: dict[str, str], tmp_path: Path) -> None:
    """They lie in one place; a preview that is not applied in a second backend does not take those of the first."""
    succeed("up", *STACK, "--yes", env=env)
    (settings,) = (tmp_path / "state").rglob("Pulumi.hit.yaml")
    before = settings.read_bytes()
    (passphrase,) = (tmp_path / "state").rglob("passphrase")
    (tmp_path / "other").mkdir()
    other = {
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'other'}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
        "PULUMI_HOME": str(tmp_path / "pulumi"),
    }
    assert "exist and were not made by this stack" in refuse(5, "up", *STACK, "--yes", env={**env, **other})
    assert settings.read_bytes() == before
    assert "Ready      1 of 1\n" in succeed("status", *STACK, env=env)
