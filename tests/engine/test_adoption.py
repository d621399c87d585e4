"""What is there and not the stack's is left alone, unless --adopt names it: on a real API server, with real Helm."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import jsonschema
import pytest
from tests.engine.deploy import deploy, refuse, succeed

from breakeven import load, render, resources
from breakeven.core.budget import Approval, Verdict
from breakeven.core.deployment import Deployment
from breakeven.core.plan import Plan, plan
from breakeven.engine import tools
from breakeven.engine.backend import backend
from breakeven.engine.cluster import connect
from breakeven.engine.rollout import Rollout
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane
from breakeven.errors import ClusterError, GateError

TAKEN = ("--profile", "1xa100", "--name", "taken")
NAMESPACE = RELEASE = "llm-taken"
ALL = tuple(part for kind in ("Deployment", "Service", "ServiceAccount") for part in ("--adopt", f"{kind}/{RELEASE}"))
APPROVAL = Approval(verdict=Verdict(rulings=()))


@pytest.fixture
def env(sandbox: Sandbox, cluster: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A state of the test's own, and a namespace that goes at the end with whatever is in it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("KUBECONFIG", str(sandbox.kubeconfig))
    cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}])
    yield
    deploy("destroy", *TAKEN, "--confirm", "taken")
    cluster.kubectl("delete", "namespace", NAMESPACE)


def helm(sandbox: Sandbox, *arguments: str, stdin: str = "") -> None:
    command = [str(tools.path("helm")), "--namespace", NAMESPACE, "--kubeconfig", str(sandbox.kubeconfig), *arguments]
    subprocess.run(command, input=stdin, text=True, check=True, capture_output=True)


def planned() -> Plan:
    wanted = Deployment(profile="1xa100", name="taken")
    return plan(wanted, load.facts(wanted))


@pytest.fixture
def installed(env: None, sandbox: Sandbox, cluster: ControlPlane) -> Callable[[], None]:
    """The same chart, installed by hand; somebody scaled it to two replicas."""
    values = json.dumps(render.values(planned()))

    def install() -> None:
        helm(sandbox, "install", RELEASE, str(resources.chart()), "--values", "-", stdin=values)
        cluster.kubectl("-n", NAMESPACE, "scale", "deployment", RELEASE, "--replicas=2")

    return install


def live(cluster: ControlPlane, what: str = f"deployment/{RELEASE}") -> str:
    return cluster.kubectl("-n", NAMESPACE, "get", what, "--ignore-not-found", "-o", "json")


def test_a_release_of_helm_becomes_the_stacks(
    installed: Callable[[], None], cluster: ControlPlane, tmp_path: Path
) -> None:
    installed()
    before = json.loads(live(cluster))["spec"]
    # Nothing is adopted that is not named.
    refused = refuse(5, "up", *TAKEN, *ALL[:2], "--yes")
    named = f"Service {NAMESPACE}/{RELEASE}, ServiceAccount {NAMESPACE}/{RELEASE} exist and were not made by this stack"
    assert named in refused
    assert f"Next: --adopt Service/{RELEASE} --adopt ServiceAccount/{RELEASE} takes them into the stack" in refused
    assert json.loads(live(cluster))["spec"] == before
    assert "there is no stack 'taken'" in refuse(1, "status", *TAKEN)
    # The preview tells what becomes of them, and the saved plan is bound to it.
    shown = json.loads(succeed("preview", *TAKEN, *ALL, "-o", "json"))
    schema = json.loads((resources.root() / "docs" / "schemas" / "preview.schema.json").read_text())
    jsonschema.validate(shown, schema)
    assert shown["adopted"][0]["in_charge"] == [f"Helm's release {RELEASE}"]
    assert (shown["counts"]["adopt"], shown["cost"]["after"]["monthly_usd"]) == (3, "3500.00")
    saved = str(tmp_path / "plan.json")
    out = succeed("preview", *TAKEN, *ALL, "--save", saved)
    assert re.search(rf"~  adopt  Deployment {RELEASE} +2 → 1 GPU\n", out), out
    assert "\n       spec.replicas: 2 → 1\n" in out
    assert "`deploy destroy` deletes it" in out
    jsonschema.validate(
        json.loads(Path(saved).read_text()),
        json.loads((resources.root() / "docs" / "schemas" / "plan.schema.json").read_text()),
    )
    assert json.loads(live(cluster))["spec"] == before
    done = deploy("up", "--plan", saved, "--yes")
    assert (done.code, f"adopt Deployment {NAMESPACE}/{RELEASE}" in done.err) == (0, True), done.err
    assert json.loads(live(cluster))["spec"]["replicas"] == 1
    # It is the stack's now: recorded, compared, changed without the flag, or with it, and deleted.
    status = succeed("status", *TAKEN)
    assert f"Adopted    Deployment/{RELEASE}, Service/{RELEASE}, ServiceAccount/{RELEASE}: there before" in status
    assert "3 objects as last applied" in succeed("drift", *TAKEN)
    assert "no changes" in succeed("preview", *TAKEN, *ALL)
    succeed("up", *TAKEN, "--replicas", "2", "--yes")
    said = deploy("destroy", *TAKEN, "--confirm", "taken")
    assert (
        f"Adopted    Deployment/{RELEASE}, Service/{RELEASE}, ServiceAccount/{RELEASE}: there before the stack, and"
        in (said.out)
    )
    assert said.code == 0
    assert not live(cluster)
    assert live(cluster, f"namespace/{NAMESPACE}")


def test_what_cannot_be_adopted(installed: Callable[[], None], cluster: ControlPlane) -> None:
    """No object of the stack, none in the cluster, one with a secret or a container of somebody else."""
    absent = refuse(5, "up", *TAKEN, *ALL, "--yes")
    assert f"there is no ServiceAccount {NAMESPACE}/{RELEASE} to adopt" in absent or "there is no Deployment" in absent
    assert "is no object of this stack" in refuse(2, "up", *TAKEN, "--adopt", "Deployment/other", "--yes")
    assert "never adopted" in refuse(2, "preview", *TAKEN, "--adopt", f"Namespace/{NAMESPACE}")
    assert "--adopt needs the cluster" in refuse(2, "preview", *TAKEN, *ALL, "--offline")
    assert "is not KIND/NAME" in refuse(2, "preview", *TAKEN, "--adopt", RELEASE)
    installed()
    side = {"name": "side", "image": "busybox", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    patch(cluster, side)
    message = refuse(5, "up", *TAKEN, *ALL, "--yes")
    assert f"Deployment/{RELEASE} holds what the stack does not set, and an apply would leave" in message
    assert "spec.template.spec.containers.side; nothing was changed" in message
    patch(cluster, {"name": "side", "image": "busybox", "env": [{"name": "DB_PASSWORD", "value": "canary-value"}]})
    secret = refuse(5, "up", *TAKEN, *ALL, "--yes")
    assert "holds a secret in plain text" in secret
    assert "canary-value" not in secret
    assert "there is no stack 'taken'" in refuse(1, "status", *TAKEN)


def patch(cluster: ControlPlane, container: Mapping[str, object]) -> None:
    change = {"spec": {"template": {"spec": {"containers": [container]}}}}
    cluster.kubectl("-n", NAMESPACE, "patch", "deployment", RELEASE, "--type", "strategic", "-p", json.dumps(change))


@pytest.mark.fault(
    "Another's object that appears, or changes, between the preview and the apply",
    "refused; nothing is applied",
    "5, 6",
)
def test_what_comes_or_changes_after_the_preview_is_not_taken(
    installed: Callable[[], None], cluster: ControlPlane, tmp_path: Path
) -> None:
    """While the question is on the screen."""

    def rollout(*adopt: str) -> Rollout:
        return Rollout(planned(), connect(None, None), backend(None), adopt=adopt)

    tools.require("helm", "pulumi", "provider")
    with rollout() as running:
        running.preview()
        installed()
        with pytest.raises(ClusterError, match="exist and were not made by this stack"):
            running.apply(APPROVAL, lambda op, urn: None, lambda readiness: None)
    with rollout(*(name for name in ALL if name != "--adopt")) as running:
        running.preview()
        cluster.kubectl("-n", NAMESPACE, "scale", "deployment", RELEASE, "--replicas=3")
        with pytest.raises(GateError, match=f"Deployment/{RELEASE} was changed meanwhile; nothing was applied"):
            running.apply(APPROVAL, lambda op, urn: None, lambda readiness: None)
    assert json.loads(live(cluster))["spec"]["replicas"] == 3
    assert "there is no stack 'taken'" in refuse(1, "status", *TAKEN)


def test_a_stack_whose_state_was_lost_is_found_again(
    env: None, cluster: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    succeed("up", *TAKEN, "--yes")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    refuse(5, "up", *TAKEN, "--yes")
    succeed("up", *TAKEN, *ALL, "--yes")
    assert "3 objects as last applied" in succeed("drift", *TAKEN)
