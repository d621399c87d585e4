"""What is priced is what is applied: the gate on a real preview, and on engine events that do not add up."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation
from pulumi.automation.events import EngineEvent
from tests.engine.deploy import deploy, refuse

from breakeven import resources
from breakeven.core.plan import Plan
from breakeven.engine import events
from breakeven.engine.backend import backend
from breakeven.engine.cluster import connect
from breakeven.engine.rollout import Rollout
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane
from breakeven.errors import GateError


def test_a_chart_that_asks_for_more_gpus_than_are_priced_is_refused(
    sandbox: Sandbox,
    cluster: ControlPlane,
    planned: Callable[..., Plan],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    chart = shutil.copytree(resources.chart(), tmp_path / "vllm")
    container = chart / "templates" / "_container.tpl"
    text = container.read_text()
    line = "nvidia.com/gpu: {{ int .Values.resources.gpus }}"
    assert line in text
    container.write_text(text.replace(line, "nvidia.com/gpu: 8"))
    monkeypatch.setattr(resources, "chart", lambda: chart)
    rollout = Rollout(planned("4xa100", name="gate"), connect(sandbox.kubeconfig, None), backend(tmp_path))
    with rollout, pytest.raises(GateError, match="request 8 GPUs, the bill is for 4; nothing was applied") as caught:
        rollout.preview()
    assert caught.value.exit_code == 6
    assert "llm-gate" not in cluster.kubectl("get", "namespaces")


@pytest.mark.usefixtures("sandbox")
def test_a_volume_without_a_price_is_shown_and_refused(cluster: ControlPlane) -> None:
    flags = ("--profile", "1xa100", "--name", "unpriced", "--sandbox", "--weights-storage", "pvc")
    shown = deploy("preview", *flags)
    assert shown.code == 6
    assert "The bill becomes at least $3,500.00 a month; 1 price is unknown: Weights storage." in shown.out
    message = refuse(6, "up", *flags, "--yes")
    assert "the price of Weights storage is unknown; nothing was applied" in message
    assert "llm-unpriced" not in cluster.kubectl("get", "namespaces")


def step(op: str, urn: str, *, type_: str = "kubernetes:core/v1:Service", logical: bool = True) -> Any:
    manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}}
    state = SimpleNamespace(inputs=manifest)
    metadata = SimpleNamespace(
        op=op, urn=urn, type=type_, logical=logical, old=None, new=state, detailed_diff=None, diffs=None
    )
    return SimpleNamespace(resource_pre_event=SimpleNamespace(metadata=metadata))


def test_logical_steps_are_counted_and_default_providers_are_not() -> None:
    collected = [
        step("create", "urn::a"),
        step("create-replacement", "urn::b", logical=False),
        step("create", "urn::pulumi:providers:pulumi::default", type_="pulumi:providers:pulumi"),
    ]
    assert events.read(collected, [], {"create": 1}).counts == {"create": 1}


def test_a_step_that_the_summary_does_not_know_is_refused() -> None:
    with pytest.raises(GateError, match=r"events say \{'create': 1\}, the engine's summary says \{'create': 2\}"):
        events.read([step("create", "urn::a")], [], {"create": 2})


def test_a_dropped_event_is_refused() -> None:
    with pytest.raises(GateError, match="the preview is incomplete: Failed to parse engine event"):
        events.read([step("create", "urn::a")], ["Failed to parse engine event: 'diff'"], {"create": 1})


@pytest.mark.fault(
    "An event of the preview that cannot be read",
    "refused",
    "6",
)
def test_an_event_that_the_sdk_cannot_read_is_refused(
    sandbox: Sandbox, planned: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The SDK itself drops it, with a warning: as it would what a newer engine says."""
    read = EngineEvent.from_json

    def of_a_newer_engine(data: dict[str, Any]) -> EngineEvent:
        metadata = data.get("resourcePreEvent", {}).get("metadata", {})
        if metadata.get("type") == "kubernetes:apps/v1:Deployment":
            metadata["op"] = "conjure"
        return read(data)

    monkeypatch.setattr(EngineEvent, "from_json", of_a_newer_engine)
    rollout = Rollout(planned("1xa100", name="gate"), connect(sandbox.kubeconfig, None), backend(tmp_path))
    with rollout, pytest.raises(GateError, match=r"the preview is incomplete: 'conjure' is not a valid OpType$"):
        rollout.preview()


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(GateError, match="'import' would cost is not known"):
        events.read([step("import", "urn::a")], [], {"import": 1})


@pytest.mark.parametrize("inputs", [{}, {"kind": "[secret]", "apiVersion": "v1"}, "[secret]"])
def test_hidden_inputs_are_refused(inputs: Any) -> None:
    hidden = step("create", "urn::a")
    hidden.resource_pre_event.metadata.new.inputs = inputs
    with pytest.raises(GateError, match="cannot be priced"):
        events.read([hidden], [], {"create": 1})


def test_a_preview_without_its_summary_is_refused(
    sandbox: Sandbox, planned: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def cut_short(*_: Any, **__: Any) -> None:
        raise RuntimeError("summary event never found")

    monkeypatch.setattr(automation.Stack, "preview", cut_short)
    rollout = Rollout(planned("1xa100", name="gate"), connect(sandbox.kubeconfig, None), backend(tmp_path))
    with rollout, pytest.raises(GateError, match="the preview is incomplete: summary event never found"):
        rollout.preview()


def test_an_unknown_kind_is_refused() -> None:
    unknown = step("create", "urn::a")
    unknown.resource_pre_event.metadata.new.inputs = {"kind": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}
    with pytest.raises(GateError, match="cannot be priced"):
        events.read([unknown], [], {"create": 1})
