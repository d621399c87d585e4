"""Rollouts that fail, on the real engine, API server, scheduler and controllers: the reason at once, the way back.

Each leaves a consistent state and no lock. Containers are KWOK's, and these Stages make them fail.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from tests.engine.deploy import deploy, refuse, succeed

from breakeven.core import outcome
from breakeven.core.budget import Approval, Verdict
from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.server import RolloutChoices
from breakeven.core.plan import Plan
from breakeven.engine import watch
from breakeven.engine.backend import backend
from breakeven.engine.cluster import connect
from breakeven.engine.rollout import Rollout
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane
from breakeven.errors import DeployError

STACK = ("--profile", "1xa100", "--name", "bad")

IMAGE: Final = """
phase: Pending
containerStatuses:
- {name: vllm, image: x, imageID: "", ready: false, restartCount: 0, state: {waiting: {reason: ImagePullBackOff,
   message: 'Back-off pulling image "vllm/vllm-openai": not found'}}}
"""
CRASH: Final = """
{{ $restarts := 1 }}
{{ range .status.containerStatuses }}{{ $restarts = add .restartCount 1 }}{{ end }}
phase: Running
containerStatuses:
- name: vllm
  image: x
  imageID: ""
  ready: false
  restartCount: {{ $restarts }}
  state: {waiting: {reason: CrashLoopBackOff, message: back-off restarting failed container}}
  lastState: {terminated: {exitCode: 1, reason: Error, message: "CUDA error: out of memory"}}
"""
NEVER_READY: Final = """
phase: Running
containerStatuses:
- {name: vllm, image: x, imageID: "", ready: false, started: false, restartCount: 0,
   state: {running: {startedAt: "2026-11-24T14:00:00Z"}}}
"""
UNHEALTHY: Final = {"type": "Warning", "reason": "Unhealthy", "message": "Startup probe failed: connection refused"}


def stage(template: str, phases: list[str], event: dict[str, str] | None) -> dict[str, Any]:
    """Outweighs what makes pods ready, again and again, once the scheduler has placed them."""
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": "bad"},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": "Pod"},
            "selector": {
                "matchLabels": {"app.kubernetes.io/instance": "llm-bad"},
                "matchExpressions": [
                    {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"},
                    {"key": ".status.podIP", "operator": "Exists"},
                    {"key": ".status.phase", "operator": "In", "values": phases},
                    {
                        "key": '.status.conditions.[] | select( .type == "Ready" ) | .status',
                        "operator": "In",
                        "values": ["False"],
                    },
                ],
            },
            "weight": 1_000_000,
            "delay": {"durationMilliseconds": 2000 if event is None else 200},
            "next": {"statusTemplate": template, **({"event": event} if event else {})},
        },
    }


@contextmanager
def failing(
    cluster: ControlPlane, template: str, phases: tuple[str, ...] = ("Pending",), event: dict[str, str] | None = None
) -> Iterator[None]:
    cluster.apply([stage(template, list(phases), event)])
    try:
        yield
    finally:
        cluster.kubectl("delete", "stage", "bad")


@pytest.fixture
def env(sandbox: Sandbox, cluster: ControlPlane, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A state of the test's own; whatever it applied is removed at the end."""
    variables = {"XDG_STATE_HOME": str(tmp_path / "state"), "KUBECONFIG": str(sandbox.kubeconfig)}
    yield variables
    deploy("destroy", *STACK, "--confirm", "bad", env=variables)
    cluster.kubectl("delete", "namespace", "llm-bad", "--ignore-not-found")


def is_clean(state: Path) -> bool:
    """No lock is left, and no step is pending."""
    (checkpoint,) = state.rglob("stacks/breakeven/bad.json")
    pending = json.loads(checkpoint.read_text())["checkpoint"]["latest"].get("pending_operations")
    return not pending and not list(state.rglob(".pulumi/locks/**/*.json"))


@pytest.mark.fault(
    "An image that cannot be pulled",
    "told; `up --rollback` returns to the last good plan",
    "1",
)
def test_an_image_that_cannot_be_pulled_is_told_and_rolled_back(
    env: dict[str, str], cluster: ControlPlane, tmp_path: Path
) -> None:
    succeed("up", *STACK, "--replicas", "2", "--yes", env=env)
    with failing(cluster, IMAGE):
        started = time.monotonic()
        message = refuse(1, "up", *STACK, "--replicas", "2", "--max-model-len", "4096", "--yes", env=env)
        # The engine's own deadline is above 1,000 s.
        assert time.monotonic() - started < 150
        assert "Error: the rollout failed: 1 of 1 pod cannot get the image\n" in message
        assert 'ImagePullBackOff: Back-off pulling image "vllm/vllm-openai": not found\n' in message
        assert "1 of 2 replicas is ready and goes on serving\n" in message
        assert "`deploy up --rollback` returns to the last good plan" in message
        assert is_clean(tmp_path)
        told = succeed("status", *STACK, env=env)
        assert "failed; `deploy up --rollback` returns to the last good plan" in told
        assert "ImagePullBackOff: Back-off pulling image" in told
        assert json.loads(succeed("status", *STACK, "-o", "json", env=env))["last_apply"]["succeeded"] is False
    refused = refuse(2, "up", *STACK, "--rollback", "--replicas", "2", "--yes", env=env)
    assert "leave out --replicas" in refused
    out = succeed("up", *STACK, "--rollback", "--yes", env=env)
    assert "update  Deployment llm-bad  2 GPUs" in out
    assert "The bill stays at $" in out
    assert "Ready      2 of 2, 2 GPUs" in out
    assert is_clean(tmp_path)
    assert json.loads(succeed("status", *STACK, "-o", "json", env=env))["last_apply"]["succeeded"] is True


@pytest.mark.fault(
    "A container that crashes again and again",
    "told in its last words; there is nothing to roll back to, and the next `up` goes on",
    "1",
)
def test_there_may_be_nothing_to_roll_back_to(env: dict[str, str], cluster: ControlPlane, tmp_path: Path) -> None:
    """A first apply that crashes: the container's own last words, and nothing that serves."""
    with failing(cluster, CRASH, ("Pending", "Running")):
        message = refuse(1, "up", *STACK, "--yes", env=env)
    assert "Error: the rollout failed: 1 of 1 pod crashes again and again\n" in message
    assert "CrashLoopBackOff: exit code 1 (Error): CUDA error: out of memory\n" in message
    assert "none of 1 replica is ready: nothing serves now" in message
    assert is_clean(tmp_path)
    assert "there is nothing to roll back to" in refuse(1, "up", *STACK, "--rollback", "--yes", env=env)
    # What was in its way is gone: the same command goes on with it.
    cluster.kubectl("-n", "llm-bad", "delete", "pods", "--all", "--wait=false")
    assert "Ready      1 of 1, 1 GPU" in succeed("up", *STACK, "--yes", env=env)


@pytest.mark.fault(
    "A pod that never becomes ready",
    "told at its deadline, with its last warning",
    "1",
)
def test_one_that_never_becomes_ready_ends_at_its_deadline_with_its_last_warning(
    env: dict[str, str],
    sandbox: Sandbox,
    cluster: ControlPlane,
    planned: Callable[..., Plan],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    # 1 + 1 + 1 s to leave, 0 to pull, 10 s to start: the engine gives up after 15 s.
    for name, seconds in {"_EXIT_S": 1, "IMAGE_PULL_S": 0, "_AWAIT_MARGIN_S": 2}.items():
        monkeypatch.setattr(f"breakeven.core.pod.{name}", seconds)
    soon = ChartChoices(rollout=RolloutChoices(pre_stop_seconds=1, shutdown_timeout_seconds=1))
    monkeypatch.setattr(Plan, "startup_budget_s", 10)
    with (
        failing(cluster, NEVER_READY, event=UNHEALTHY),
        rollout(planned("1xa100", name="bad", chart=soon), sandbox, tmp_path) as up,
    ):
        up.preview()
        with pytest.raises(watch.RolloutFailed) as caught:
            apply(up)
    assert "the rollout failed: 1 of 1 pod is not ready\n" in caught.value.message
    assert "runs, but is not ready yet: Startup probe failed: connection refused\n" in caught.value.message
    assert is_clean(tmp_path)


@pytest.mark.fault(
    "A pod that cannot be placed",
    "told in the scheduler's words",
    "1",
)
def test_a_pod_that_cannot_be_placed_is_told_in_the_schedulers_words(
    env: dict[str, str],
    sandbox: Sandbox,
    cluster: ControlPlane,
    planned: Callable[..., Plan],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setitem(outcome.PATIENCE_S, "unplaced", 5.0)
    with rollout(planned("1xa100", name="bad"), sandbox, tmp_path) as up:
        up.preview()
        nodes = [node["metadata"]["name"] for node in cluster.nodes()]
        cluster.kubectl("cordon", *nodes)
        try:
            with pytest.raises(DeployError) as caught:
                apply(up)
        finally:
            cluster.kubectl("uncordon", *nodes)
    assert caught.value.exit_code == 1
    assert "the rollout failed: 1 of 1 pod cannot be placed\n" in caught.value.message
    assert "Unschedulable: 0/" in caught.value.message
    assert "were unschedulable" in caught.value.message
    assert is_clean(tmp_path)


@pytest.mark.fault(
    "Pods refused by a quota in the rollout",
    "told",
    "1",
)
def test_pods_that_the_cluster_refuses_are_told_by_the_quota(
    env: dict[str, str],
    sandbox: Sandbox,
    cluster: ControlPlane,
    planned: Callable[..., Plan],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A quota of pods refuses no Deployment: only its controller hears of it."""
    monkeypatch.setitem(outcome.PATIENCE_S, "refused", 3.0)
    cluster.kubectl("create", "namespace", "llm-bad")
    with rollout(planned("1xa100", name="bad"), sandbox, tmp_path) as up:
        up.preview()
        cluster.kubectl("-n", "llm-bad", "create", "quota", "none", "--hard=pods=0")
        with pytest.raises(DeployError) as caught:
            apply(up)
    assert "the rollout failed: the cluster refuses its pods\n" in caught.value.message
    assert "exceeded quota: none" in caught.value.message
    assert is_clean(tmp_path)


def rollout(plan: Plan, sandbox: Sandbox, tmp_path: Path) -> Rollout:
    """In this process, with a state that `env` finds again."""
    return Rollout(plan, connect(sandbox.kubeconfig, None), backend(tmp_path / "state"))


def apply(up: Rollout) -> None:
    up.apply(Approval(verdict=Verdict(rulings=())), lambda op, urn: None, lambda readiness: None)
