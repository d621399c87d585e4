"""The program under Pulumi's mocks: what it asks the engine for, without an engine."""

from __future__ import annotations

import asyncio
import json
import runpy
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi.runtime import Mocks, set_all_config, set_mocks
from pulumi.runtime.stack import wait_for_rpcs

from breakeven import load, render, resources
from breakeven.core.plan import Plan

CLUSTER = {"kubeconfig": "/home/me/.kube/config", "context": "prod", "server": "https://k", "identifier": "uid"}


class Recorder(Mocks):
    """Remembers what was registered."""

    def __init__(self) -> None:
        self.asked: list[pulumi.runtime.MockResourceArgs] = []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self.asked.append(args)
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], None]:
        return {}, None


@pytest.fixture
def run(planned: Callable[..., Plan]) -> Callable[..., dict[str, Any]]:
    """Run infra/ for a plan; resource inputs by type."""

    def run_program(plan: Plan, *, owns_namespace: bool = True) -> dict[str, Any]:
        recorder = Recorder()
        set_mocks(recorder, project="breakeven", stack="test")
        cluster = {**CLUSTER, "owns_namespace": owns_namespace}
        set_all_config(
            {
                "breakeven:cluster": json.dumps(cluster),
                "breakeven:deployment": json.dumps(load.plain(plan.deployment)),
            }
        )
        runpy.run_path(str(resources.infra()), run_name="__main__")
        asyncio.get_event_loop().run_until_complete(wait_for_rpcs())
        return {args.typ: args.inputs for args in recorder.asked}

    return run_program


@pytest.mark.parametrize("profile", ["1xa100", "4xa100", "8xh100", "serverless"])
def test_the_chart_gets_the_rendered_values_and_nothing_else(
    profile: str, planned: Callable[..., Plan], run: Callable[..., dict[str, Any]]
) -> None:
    plan = planned(profile)
    asked = run(plan)
    chart = asked["kubernetes:helm.sh/v4:Chart"]
    assert chart["values"] == render.values(plan)
    assert chart["namespace"] == plan.namespace
    assert asked["kubernetes:core/v1:Namespace"]["metadata"] == render.namespace_manifest(plan)["metadata"]


def test_the_provider_is_explicit_and_pinned(planned: Callable[..., Plan], run: Callable[..., dict[str, Any]]) -> None:
    provider = run(planned("1xa100"))["pulumi:providers:kubernetes"]
    assert provider["kubeconfig"] == CLUSTER["kubeconfig"]
    assert provider["context"] == "prod"
    assert provider["clusterIdentifier"] == "uid"


def test_a_namespace_of_others_is_left_alone(planned: Callable[..., Plan], run: Callable[..., dict[str, Any]]) -> None:
    assert "kubernetes:core/v1:Namespace" not in run(planned("1xa100"), owns_namespace=False)
