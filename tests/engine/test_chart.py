"""The chart's manifests at a real API server: every field is known, and every pod is admitted by `restricted`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.charts.choices import CHOICES

from breakeven import load, render
from breakeven.core.deployment import Deployment
from breakeven.core.manifests import pod_templates
from breakeven.core.plan import Plan, plan
from breakeven.engine import tools
from breakeven.engine.sandbox_cluster import ControlPlane
from breakeven.errors import InfeasibleError, InputError, ToolError

Planned = Callable[..., Plan]


@pytest.fixture(scope="module")
def server(session_sandbox: Any) -> Iterator[ControlPlane]:
    """With the CRDs of everything that the chart can render."""
    cluster = ControlPlane(directory=session_sandbox.directory)
    crds = [f"--filename={tools.folder(name) / 'crds'}" for name in ("gateway-crds", "operator-crds", "lws")]
    cluster.kubectl("apply", "--server-side", *crds)
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", *crds)
    yield cluster
    cluster.kubectl("delete", *crds)


@pytest.fixture(scope="module")
def namespace(server: ControlPlane, planned: Planned) -> Iterator[str]:
    manifest = render.namespace_manifest(planned("1xa100", namespace="restricted"))
    server.apply([manifest])
    yield "restricted"
    server.kubectl("delete", "namespace", "restricted", "--wait=false")


def _fits(profile: str, model: str | None) -> bool:
    deployment = Deployment(profile=profile, model=model)
    try:
        plan(deployment, load.facts(deployment))
    except InfeasibleError:
        return False
    return True


def _goes_serverless(inputs: dict[str, Any]) -> bool:
    deployment = Deployment(profile="serverless", **inputs)
    try:
        plan(deployment, load.facts(deployment))
    except InputError:
        return False
    return True


def _dry_run(server: ControlPlane, objects: list[dict[str, Any]]) -> None:
    """Strict: a field that the server does not know is an error."""
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    server.kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-", stdin=listed)


# Of a Knative Service's template, what is no pod's.
_OF_KNATIVE = {"containerConcurrency", "timeoutSeconds", "responseStartTimeoutSeconds"}


def _pods(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the controllers would make of the templates; Pod Security only warns of the controllers' own objects."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**template["metadata"], "name": "pod", "namespace": "restricted"},
            "spec": {
                "restartPolicy": "Always",
                **{key: value for key, value in template["spec"].items() if key not in _OF_KNATIVE},
            },
        }
        for entry in objects
        for template in pod_templates(entry)
    ]


def _check(server: ControlPlane, planned: Plan, helm: Path) -> None:
    objects = render.manifests(planned, helm)[1:]
    _dry_run(server, objects)
    # A pod waits for its account.
    server.apply([entry for entry in objects if entry["kind"] == "ServiceAccount"])
    pods = _pods(objects)
    assert pods
    for pod in pods:
        _dry_run(server, [pod])


# The profile's own first.
MODELS = (None, "Qwen/Qwen3-8B", "openai/gpt-oss-120b", "Qwen/Qwen3-235B-A22B")
PAIRS = [(profile, model) for profile in load.profiles() for model in MODELS if _fits(profile, model)]


@pytest.mark.parametrize(("profile", "model"), PAIRS)
def test_every_profile_is_taken_by_the_api_server(
    namespace: str, server: ControlPlane, planned: Planned, helm: Path, profile: str, model: str | None
) -> None:
    _check(server, planned(profile, model=model, namespace=namespace), helm)


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_is_taken_by_the_api_server(
    namespace: str, server: ControlPlane, planned: Planned, helm: Path, name: str
) -> None:
    _check(server, planned("8xh100", model="Qwen/Qwen3-8B", namespace=namespace, **CHOICES[name]), helm)


SERVERLESS = [name for name, inputs in CHOICES.items() if _goes_serverless(inputs)]


@pytest.mark.parametrize("name", SERVERLESS)
def test_every_choice_that_knative_knows_is_taken_by_its_schema(
    namespace: str, server: ControlPlane, planned: Planned, helm: Path, name: str
) -> None:
    _check(server, planned("serverless", namespace=namespace, **CHOICES[name]), helm)


def test_a_pod_with_more_rights_is_not_admitted(namespace: str, server: ControlPlane) -> None:
    """Otherwise the tests above would prove nothing."""
    container = {"name": "a", "image": "a"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": namespace}}
    with pytest.raises(ToolError, match="violates PodSecurity"):
        _dry_run(server, [{**pod, "spec": {"containers": [container]}}])


def test_a_field_that_the_server_does_not_know_is_refused(namespace: str, server: ControlPlane) -> None:
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "a", "namespace": namespace},
    }
    with pytest.raises(ToolError, match="maxUnavailabel"):
        _dry_run(server, [{**budget, "spec": {"maxUnavailabel": 1}}])
