"""Secrets planted in every place that one may come from, and a search through everything that was written."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.engine.deploy import deploy
from tests.engine.users import kubeconfig_with

from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane

NAMESPACE = "canaries"
STACK = ("--profile", "1xa100", "--name", "canary")
# Of the user's shell: none of them is the command's business, but the last, which is used.
SHELL = {
    "HF_TOKEN": "hf_canaryOfTheShell",
    "HUGGING_FACE_HUB_TOKEN": "hf_canaryOfTheHub",
    "OPENAI_API_KEY": "sk-canary-openai",
    "AWS_SECRET_ACCESS_KEY": "canary/aws/secret",
    "PULUMI_ACCESS_TOKEN": "pul-canary",
    "VLLM_API_KEY": "sk-canary-vllm",
    "PULUMI_CONFIG_PASSPHRASE": "canary of the passphrase",
}
IN_THE_CLUSTER = "hf_canaryInTheCluster"


@pytest.fixture
def token(cluster: ControlPlane) -> Iterator[str]:
    """Of a user who may do everything, in a namespace with a Secret that the deployment names."""
    cluster.kubectl("create", "namespace", NAMESPACE)
    cluster.kubectl("-n", NAMESPACE, "create", "serviceaccount", "ops")
    binding = ("clusterrolebinding", "canary-ops")
    cluster.kubectl("create", *binding, "--clusterrole=cluster-admin", f"--serviceaccount={NAMESPACE}:ops")
    cluster.kubectl("-n", NAMESPACE, "create", "secret", "generic", "hub", f"--from-literal=token={IN_THE_CLUSTER}")
    yield cluster.kubectl("-n", NAMESPACE, "create", "token", "ops").strip()
    cluster.kubectl("delete", *binding)
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture
def kubeconfig(sandbox: Sandbox, token: str, tmp_path: Path) -> Path:
    """The sandbox's, with the token instead of a certificate."""
    (tmp_path / "outside").mkdir()
    return kubeconfig_with(token, sandbox, tmp_path / "outside" / "kubeconfig")


@contextmanager
def arguments_of_processes() -> Iterator[set[bytes]]:
    """The command lines that could be seen meanwhile."""
    seen: set[bytes] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(process.read_bytes())
                except OSError:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield seen
    ended.set()
    watcher.join()


@contextmanager
def nothing_masked() -> Iterator[None]:
    """Who creates a file says himself who may read it."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.fault(
    "Secrets in the shell, the kubeconfig, the cluster and the passphrase, no umask",
    "none in anything that is written, said or seen as an argument; the state is the owner's alone",
    "0",
)
def test_no_secret_is_written_anywhere(kubeconfig: Path, token: str, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    for name in ("state", "tmp", "rendered"):
        (inside / name).mkdir(parents=True)
    env = {
        **SHELL,
        "KUBECONFIG": str(kubeconfig),
        "XDG_STATE_HOME": str(inside / "state"),
        "TMPDIR": str(inside / "tmp"),
    }
    deployment = (*STACK, "--namespace", NAMESPACE, "--hub-token-secret", "hub")
    canaries = [secret.encode() for secret in (*SHELL.values(), token, IN_THE_CLUSTER)]
    verbs = (
        (0, "preview", *deployment, "--save", str(inside / "plan.json")),
        (0, "up", "--plan", str(inside / "plan.json"), "--yes"),
        (0, "up", *deployment, "--max-model-len", "4096", "--yes"),
        (0, "status", *STACK, "-o", "json"),
        (0, "drift", *STACK),
        (0, "render", str(inside / "rendered" / "canary"), *deployment),
        (6, "--debug", "up", *deployment, "--replicas", "50", "--max-usd-per-month", "1", "--yes"),
        (0, "destroy", *STACK, "--confirm", "canary"),
    )
    looked_at: set[str] = set()
    with arguments_of_processes() as seen, nothing_masked():
        for code, *verb in verbs:
            result = deploy(*verb, env=env)
            assert result.code == code, result.err
            written = {path: path.read_bytes() for path in inside.rglob("*") if path.is_file()}
            written[Path("stdout")], written[Path("stderr")] = result.out.encode(), result.err.encode()
            assert not [str(path) for path, content in written.items() if any(one in content for one in canaries)]
            mine = [path for path in (inside / "state" / "breakeven").rglob("*") if not path.is_symlink()]
            assert not [path for path in mine if stat.S_IMODE(path.stat().st_mode) & 0o077]
            looked_at |= {path.name for path in written}
    # This test's own kubectl made the Secret, before.
    assert not [line for line in seen if any(one in line for one in canaries)]
    assert {"canary.json", "canary.json.bak", "plan.json", "breakeven.lock.json", "Pulumi.canary.yaml"} <= looked_at
    assert stat.S_IMODE((inside / "plan.json").stat().st_mode) == 0o600
