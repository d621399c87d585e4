"""What goes wrong around an apply: hands in the cluster, kills, refusals, two runs at once, a "no" at the prompt."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.engine import api_server
from tests.engine.aftermath import Aftermath
from tests.engine.deploy import deploy, on_a_terminal, read_screen, read_until, refuse, start, succeed
from tests.engine.users import kubeconfig_with

from breakeven.engine import processes, state
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane

STACK = ("--profile", "1xa100", "--name", "faults")
IN_VAIN = ("--profile", "8xh100", "--name", "faults", "--replicas", "9")  # this cluster lacks the nodes: it waits


@pytest.fixture
def env(sandbox: Sandbox, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A state of the test's own; whatever it applied is removed at the end."""
    variables = {"XDG_STATE_HOME": str(tmp_path / "state"), "KUBECONFIG": str(sandbox.kubeconfig)}
    yield variables
    deploy("destroy", *STACK, "--confirm", "faults", env=variables)


@pytest.mark.fault(
    "The cluster changed by hand",
    "the next `up` puts it right",
    "0",
)
def test_what_was_changed_by_hand_is_put_right(env: dict[str, str], cluster: ControlPlane) -> None:
    succeed("up", *STACK, "--yes", env=env)
    cluster.kubectl("-n", "llm-faults", "scale", "deployment", "llm-faults", "--replicas=0")
    assert "Ready      0 of 0: it is scaled to 0" in succeed("status", *STACK, env=env)
    assert json.loads(succeed("status", *STACK, "-o", "json", env=env))["ready"] is False
    assert "spec.replicas: 0 → 1" in succeed("preview", *STACK, env=env)
    cluster.kubectl("-n", "llm-faults", "delete", "deployment", "llm-faults")
    assert "0 of 0: the Deployment is not in the cluster" in succeed("status", *STACK, env=env)
    out = succeed("up", *STACK, "--yes", env=env)
    assert "create  Deployment llm-faults  0 → 1 GPU\n" in out
    assert "rises by $3,500.00 to $3,500.00" in out
    assert "Ready      1 of 1, 1 GPU\n" in out
    # The bill alone changes: that, too, is asked for.
    process, screen = on_a_terminal("up", *STACK, "--ops-usd-per-month", "0", env=env)
    assert "no changes" in read_screen(screen, "Apply this?")
    os.write(screen, b"y\n")
    read_screen(screen, "Next ")
    assert process.wait(30) == 0
    assert "$2,500.00 a month" in succeed("status", *STACK, env=env)


@pytest.mark.fault(
    "`deploy` and provider killed in an apply",
    "the next `up` takes it up again; no lock, no pending step is left",
    "137 (SIGKILL)",
)
@pytest.mark.fault(
    "SIGTERM in an apply",
    "steps finish; no lock is left",
    "130",
)
def test_a_killed_apply_is_taken_up_again(env: dict[str, str], tmp_path: Path) -> None:
    """Its lock outlived it, and the Deployment that it had begun is in the cluster but not in its record."""
    process = start("up", *IN_VAIN, "--yes", env=env)
    read_until(process, "create Deployment")
    time.sleep(1)
    process.kill()
    process.communicate(timeout=30)
    assert list((tmp_path / "state").rglob(".pulumi/locks/**/*.json"))
    process = start("up", *IN_VAIN, "--yes", env=env)
    read_until(process, "of 9 ready, llm-faults-")
    # What a pipeline sends when it is cancelled, and to this process alone.
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert not list((tmp_path / "state").rglob(".pulumi/locks/**/*.json"))
    (checkpoint,) = (tmp_path / "state").rglob("stacks/breakeven/faults.json")
    assert not state.read({"deployment": json.loads(checkpoint.read_text())["checkpoint"]["latest"]}).begun
    assert "Removed faults" in succeed("destroy", *STACK, "--confirm", "faults", env=env)
    assert "there is no stack 'faults'" in refuse(1, "destroy", *STACK, "--confirm", "faults", env=env)
    assert not list((tmp_path / "state").rglob("Pulumi*.yaml"))
    # The copy of the kubeconfig that the provider makes, and the provider: it does not notice that its engine is gone.
    assert not list((tmp_path / "state").rglob(".run-*"))
    (plugin,) = (tmp_path / "state").rglob("pulumi-resource-kubernetes")
    assert not processes.running(plugin.parent)


@pytest.mark.fault(
    "A preview beside an apply that waits for its answer",
    "it waits and says for whom",
    "0",
)
def test_a_second_run_waits_and_says_for_whom(env: dict[str, str], tmp_path: Path) -> None:
    """Both write the stack's settings: one would apply what the other previews."""
    first, screen = on_a_terminal("up", *STACK, env=env)
    read_screen(screen, "Apply this?")
    second = start("preview", *STACK, "--replicas", "2", env=env)
    said = read_until(second, "waiting for another `deploy` on stack faults")
    assert f"(process {first.pid})" in said
    os.write(screen, b"n\n")
    assert "not confirmed; nothing was applied" in read_screen(screen, "nothing was applied")
    assert first.wait(30) == 1
    out, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    assert "0 → 2 GPUs" in out
    assert not list((tmp_path / "state").rglob("Pulumi*.yaml"))


@pytest.mark.parametrize(("key", "code", "message"), [(b"\x03", 130, "interrupted"), (b"\x04", 1, "no answer")])
@pytest.mark.fault(
    "Ctrl-C, or the end of input, at the prompt",
    "nothing is applied",
    "130, 1",
)
def test_no_answer_at_the_prompt(
    env: dict[str, str], cluster: ControlPlane, tmp_path: Path, key: bytes, code: int, message: str
) -> None:
    process, screen = on_a_terminal("up", *STACK, env=env)
    read_screen(screen, "Apply this?")
    os.write(screen, key)
    assert f"Error: {message}" in read_screen(screen, message)
    assert process.wait(30) == code
    assert "llm-faults" not in cluster.kubectl("get", "namespaces")
    assert not list((tmp_path / "state").rglob("Pulumi*.yaml"))


@pytest.mark.fault(
    "The context is pointed to another cluster while the question is on the screen",
    "refused; nothing is applied",
    "5",
)
def test_a_context_that_is_repointed_at_the_prompt(
    env: dict[str, str], cluster: ControlPlane, sandbox: Sandbox, tmp_path: Path
) -> None:
    config = yaml.safe_load(sandbox.kubeconfig.read_text())
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(config))
    process, screen = on_a_terminal("up", *STACK, "--kubeconfig", str(path), env=env)
    read_screen(screen, "Apply this?")
    with api_server.serving({}, tmp_path) as other:
        config["clusters"][0]["cluster"] = yaml.safe_load(other.read_text())["clusters"][0]["cluster"]
        path.write_text(yaml.safe_dump(config))
        os.write(screen, b"y\n")
        shown = read_screen(screen, "Next: ")
        assert process.wait(60) == 5
    assert f"led to {cluster.server} and now leads to http://127.0.0.1:" in shown
    assert "another cluster; nothing was applied" in shown
    assert Aftermath(home=tmp_path / "state", stack="faults", cluster=cluster).is_untouched()


@pytest.mark.fault(
    "The current context is switched while the question is on the screen",
    "the cluster that was shown is the one that is changed",
    "0",
)
def test_a_current_context_that_is_switched_at_the_prompt(
    env: dict[str, str], cluster: ControlPlane, sandbox: Sandbox, tmp_path: Path
) -> None:
    config = yaml.safe_load(sandbox.kubeconfig.read_text())
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(config))
    process, screen = on_a_terminal("up", *STACK, env={**env, "KUBECONFIG": str(path)})
    read_screen(screen, "Apply this?")
    user = config["users"][0]["name"]
    config["contexts"].append({"name": "nowhere", "context": {"cluster": "nowhere", "user": user}})
    config["clusters"].append({"name": "nowhere", "cluster": {"server": "https://127.0.0.1:1"}})
    config["current-context"] = "nowhere"
    path.write_text(yaml.safe_dump(config))
    os.write(screen, b"y\n")
    read_screen(screen, "Next ")
    assert process.wait(60) == 0
    Aftermath(home=tmp_path / "state", stack="faults", cluster=cluster).check(priced_gpus=1)


@pytest.mark.fault(
    "Forbidden by RBAC",
    "refused; nothing is applied",
    "5",
)
def test_refused_credentials(env: dict[str, str], cluster: ControlPlane, sandbox: Sandbox, tmp_path: Path) -> None:
    """One that may do nothing, and one that may only read, whose preview alone would be green."""
    cluster.kubectl("create", "namespace", "rights")
    try:
        cluster.kubectl("-n", "rights", "create", "serviceaccount", "reader")
        token = cluster.kubectl("-n", "rights", "create", "token", "reader").strip()
        config = kubeconfig_with(token, sandbox, tmp_path / "config")
        flags = (*STACK, "--kubeconfig", str(config), "--yes")
        message = refuse(5, "up", *flags, env=env)
        assert "Error: you may not `get` namespace kube-system of " in message
        cluster.kubectl("create", "clusterrole", "reader", "--verb=get,list", "--resource=*.*")
        cluster.kubectl(
            "create", "clusterrolebinding", "reader", "--clusterrole=reader", "--serviceaccount=rights:reader"
        )
        message = refuse(5, "up", *flags, env=env)
        assert "Permissions: you may not create, patch, watch namespaces; " in message
        assert "create, patch, watch deployments.apps in llm-faults" in message
        assert "llm-faults" not in cluster.kubectl("get", "namespaces")
    finally:
        cluster.kubectl("delete", "clusterrolebinding,clusterrole", "reader", "--ignore-not-found")
        cluster.kubectl("delete", "namespace", "rights", "--wait=false")
