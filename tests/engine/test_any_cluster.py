"""A cluster of the user's own: the sandbox's API server, reached by kubeconfig and context as any other would be."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.engine.aftermath import Aftermath
from tests.engine.deploy import deploy, read_until, refuse, start, succeed

from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane


@pytest.fixture
def env(sandbox: Sandbox, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A state of the test's own; whatever it applied is removed at the end."""
    variables = {"XDG_STATE_HOME": str(tmp_path / "state"), "KUBECONFIG": str(sandbox.kubeconfig)}
    yield variables
    deploy("destroy", "--name", "own", "--profile", "1xa100", "--confirm", "own", env=variables)


OWN = ("--profile", "1xa100", "--name", "own")


def test_context_and_server_are_shown_and_recorded_without_contents(
    env: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    out = succeed("up", *OWN, "--context", sandbox.context, "--yes", env=env)
    server = yaml.safe_load(sandbox.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    assert f"Cluster  {server} (context {sandbox.context})" in out
    assert "port-forward service/llm-own 8000" in out
    (checkpoint,) = (tmp_path / "state").rglob("stacks/breakeven/own.json")
    resources = json.loads(checkpoint.read_text())["checkpoint"]["latest"]["resources"]
    (provider,) = (entry for entry in resources if entry["type"] == "pulumi:providers:kubernetes")
    inputs = provider["inputs"]
    assert inputs["kubeconfig"] == str(sandbox.kubeconfig)
    assert inputs["context"] == sandbox.context
    assert inputs["clusterIdentifier"]


def test_a_namespace_that_was_there_before_is_kept(env: dict[str, str], cluster: ControlPlane) -> None:
    cluster.kubectl("create", "namespace", "team")
    try:
        out = succeed("up", *OWN, "--namespace", "team", "--yes", env=env)
        assert "namespace team, which exists already and will be kept" in out
        removed = succeed("destroy", *OWN, "--confirm", "own", env=env)
        assert "kept: it was there before" in removed
        assert "team" in cluster.kubectl("get", "namespaces")
        assert "llm-own" not in cluster.kubectl("-n", "team", "get", "deployments,services,serviceaccounts")
    finally:
        cluster.kubectl("delete", "namespace", "team", "--wait=false")


@pytest.mark.fault(
    "Another's object of the same name",
    "is never adopted",
    "5",
)
def test_an_object_of_the_same_name_is_never_adopted(env: dict[str, str], cluster: ControlPlane) -> None:
    cluster.kubectl("create", "namespace", "others")
    cluster.kubectl("-n", "others", "create", "service", "clusterip", "llm-own", "--tcp=80:80")
    try:
        message = refuse(5, "up", *OWN, "--namespace", "others", "--yes", env=env)
        assert "Service others/llm-own exists and was not made by this stack; nothing was changed" in message
        assert "llm-own" not in cluster.kubectl("-n", "others", "get", "serviceaccounts,deployments")
        assert "80/TCP" in cluster.kubectl("-n", "others", "get", "service", "llm-own")
        assert "there is no stack" in refuse(1, "status", *OWN, env=env)
    finally:
        cluster.kubectl("delete", "namespace", "others", "--wait=false")


def test_the_context_of_another_cluster_is_refused(env: dict[str, str], tmp_path: Path) -> None:
    succeed("up", *OWN, "--yes", env=env)
    (settings,) = (tmp_path / "state").rglob("Pulumi.own.yaml")
    text = settings.read_text()
    identifier = yaml.safe_load(text)["config"]["breakeven:cluster"]["identifier"]
    settings.write_text(text.replace(identifier, "00000000-0000-0000-0000-000000000000"))
    assert "is not the cluster of this stack" in refuse(5, "destroy", *OWN, "--confirm", "own", env=env)
    settings.write_text(text)


@pytest.mark.fault(
    "The kubeconfig that was recorded is gone, and another one leads to the cluster",
    "`up` goes on with that one",
    "0",
)
def test_a_kubeconfig_that_moved(env: dict[str, str], sandbox: Sandbox, cluster: ControlPlane, tmp_path: Path) -> None:
    """Another checkout, another machine, a pipeline's temporary file."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(sandbox.kubeconfig.read_bytes())
    succeed("up", *OWN, "--kubeconfig", str(first), "--yes", env=env)
    cluster.kubectl("-n", "llm-own", "delete", "service", "llm-own")
    saved = str(tmp_path / "plan.json")
    succeed("preview", *OWN, "--kubeconfig", str(first), "--replicas", "2", "--save", saved, env=env)
    first.rename(second)
    assert f"no kubeconfig at {first}" in refuse(5, "status", *OWN, env=env)
    out = succeed("up", "--plan", saved, "--kubeconfig", str(second), "--yes", env=env)
    assert "create  Service llm-own" in out
    assert "Ready      2 of 2, 2 GPUs" in out
    assert "no changes" in succeed("preview", *OWN, "--kubeconfig", str(second), "--replicas", "2", env=env)
    assert "none: 5 objects as last applied" in succeed("drift", *OWN, env=env)


@pytest.mark.fault(
    "The API server cannot be reached",
    "said at once",
    "5",
)
def test_an_unreachable_cluster_is_said_at_once(env: dict[str, str], sandbox: Sandbox, tmp_path: Path) -> None:
    config = yaml.safe_load(sandbox.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    message = refuse(5, "up", *OWN, "--yes", "--kubeconfig", str(tmp_path / "config"), env=env)
    assert "https://127.0.0.1:1 is unreachable" in message


def test_no_kubeconfig_and_unknown_context(env: dict[str, str], tmp_path: Path) -> None:
    nowhere = {**env, "KUBECONFIG": str(tmp_path / "none")}
    assert "no kubeconfig at" in refuse(5, "preview", *OWN, env=nowhere)
    assert "unknown context 'kwok-breakevn'" in refuse(2, "preview", *OWN, "--context", "kwok-breakevn", env=env)
    assert "--sandbox brings its own cluster" in refuse(2, "preview", *OWN, "--context", "x", "--sandbox", env=env)


@pytest.mark.fault(
    "A wrong passphrase",
    "told apart",
    "2",
)
def test_a_wrong_passphrase_is_told_apart(env: dict[str, str]) -> None:
    succeed("up", *OWN, "--yes", env=env)
    message = refuse(2, "up", *OWN, "--yes", env={**env, "PULUMI_CONFIG_PASSPHRASE": "wrong"})
    assert "the passphrase of this stack's state is another one" in message
    assert "PULUMI_CONFIG_PASSPHRASE is empty" in refuse(
        2, "up", *OWN, "--yes", env={**env, "PULUMI_CONFIG_PASSPHRASE": ""}
    )


@pytest.mark.fault(
    "A CRD is missing",
    "refused",
    "5",
)
def test_a_cluster_without_knative_refuses_serverless(
    env: dict[str, str], cluster: ControlPlane, tmp_path: Path
) -> None:
    crd = "services.serving.knative.dev"
    saved = cluster.kubectl("get", "crd", crd, "-o", "json")
    cluster.kubectl("delete", "crd", crd)
    try:
        message = refuse(5, "up", "--profile", "serverless", "--name", "own", "--yes", env=env)
        assert "the cluster does not know serving.knative.dev/v1 Service" in message
        assert "install Knative Serving" in message
        assert Aftermath(home=tmp_path / "state", stack="own", cluster=cluster).is_untouched()
    finally:
        definition = json.loads(saved)
        for key in ("resourceVersion", "uid", "creationTimestamp", "managedFields"):
            definition["metadata"].pop(key, None)
        definition.pop("status", None)
        cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(definition))
        # Without conditions, in its first moment, `--for=condition` is an error.
        cluster.kubectl("wait", "--for=jsonpath={.status.conditions}", f"crd/{crd}")
        cluster.kubectl("wait", "--for=condition=Established", f"crd/{crd}")


def test_a_missing_hub_token_secret_is_found_before_the_apply(env: dict[str, str]) -> None:
    message = refuse(5, "up", *OWN, "--hub-token-secret", "hf", "--yes", env=env)
    assert "there is no Secret llm-own/hf" in message
    assert "kubectl -n llm-own create secret generic hf" in message


@pytest.mark.fault(
    "Ctrl-C in an apply",
    "steps finish; no lock, no pending step is left",
    "130",
)
def test_ctrl_c_ends_130_without_a_lock(env: dict[str, str], tmp_path: Path) -> None:
    """This cluster lacks the nodes, so pods wait; the reason is told, and Ctrl-C gets out cleanly."""
    in_vain = ("--profile", "8xh100", "--name", "own", "--replicas", "9")
    process = start("up", *in_vain, "--yes", env=env, start_new_session=True)
    read_until(process, "Unschedulable")
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "running steps are finished first" in err
    assert "Error: interrupted; what was begun is in the state" in err
    assert not list((tmp_path / "state").rglob(".pulumi/locks/**/*.json"))
    (checkpoint,) = (tmp_path / "state").rglob("stacks/breakeven/own.json")
    assert not json.loads(checkpoint.read_text())["checkpoint"]["latest"].get("pending_operations")
