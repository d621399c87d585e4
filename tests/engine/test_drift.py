"""Another hand in the cluster: seen in objects and dollars, told by exit code, healed by the next apply."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.engine.deploy import deploy, on_a_terminal, read_screen, refuse, succeed

from breakeven import resources
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane

STACK = ("--profile", "4xa100", "--name", "hands")
PRODUCT = "nvidia.com/gpu.product"


@pytest.fixture
def env(sandbox: Sandbox, cluster: ControlPlane, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A state of the test's own; whatever it applied is removed at the end."""
    variables = {"XDG_STATE_HOME": str(tmp_path / "state"), "KUBECONFIG": str(sandbox.kubeconfig)}
    yield variables
    deploy("destroy", *STACK, "--confirm", "hands", env=variables)
    cluster.kubectl("delete", "namespace", "llm-hands", "--ignore-not-found")


def test_drift_in_objects_and_dollars(env: dict[str, str], cluster: ControlPlane) -> None:
    succeed("up", *STACK, "--yes", env=env)
    assert "Drift    none: 4 objects as last applied" in succeed("drift", *STACK, "--exit-code", env=env)
    kubectl = ("-n", "llm-hands")
    cluster.kubectl(*kubectl, "scale", "deployment", "llm-hands", "--replicas=3")
    cluster.kubectl(*kubectl, "set", "image", "deployment", "llm-hands", "vllm=vllm/vllm-openai:latest")
    cluster.kubectl(*kubectl, "delete", "serviceaccount", "llm-hands")
    # What others add is theirs.
    cluster.kubectl(*kubectl, "annotate", "deployment", "llm-hands", "team=llm")

    out = succeed("drift", *STACK, env=env)
    told = "ServiceAccount llm-hands is gone, scaled from 1 to 3 replicas: +$16,000.00 a month"
    assert f"Drift    2 of 4 objects differ, {told}\n" in out
    assert "spec.template.spec.containers[0].image  vllm/vllm-openai:v0.32.0  vllm/vllm-openai:latest\n" in out
    assert "The bill rises by $16,000.00 to $25,500.00 a month." in out
    assert "team" not in out
    result = deploy("drift", *STACK, "--exit-code", "-o", "json", env=env)
    assert result.code == 7, result.err
    assert result.err == "Error: the cluster differs from the last apply\nNext: `deploy up` puts it right\n"
    found = valid("drift", result.out)
    assert (found["drift"], found["gpus"]) == (True, {"applied": 4, "live": 12})
    assert found["cost"]["delta_monthly_usd"] == "16000.00"
    assert [entry["kind"] for entry in found["objects"] if entry["missing"]] == ["ServiceAccount"]
    markdown = succeed("drift", *STACK, "-o", "markdown", env=env)
    assert markdown.startswith("### Drift of `hands`: 2 of 4 objects differ")
    status = valid("status", succeed("status", *STACK, "-o", "json", env=env))
    assert (status["drift"], status["gpus"]["live"], status["gpus"]["planned"]) == (True, 12, 4)

    assert "Ready      1 of 1, 4 GPUs" in succeed("up", *STACK, "--yes", env=env)
    assert valid("drift", succeed("drift", *STACK, "--exit-code", "-o", "json", env=env))["drift"] is False


def test_status_tells_pods_nodes_gpus_health_and_the_month(env: dict[str, str], cluster: ControlPlane) -> None:
    succeed("up", *STACK, "--yes", env=env)
    found = valid("status", succeed("status", *STACK, "-o", "json", env=env))
    (pod,) = found["pods"]
    assert pod["ready"]
    assert pod["node"] in {node["metadata"]["name"] for node in cluster.nodes()}
    # Other tests leave nodes with fewer of the same GPUs.
    accepted = [
        node for node in cluster.nodes() if node["metadata"]["labels"].get(PRODUCT, "").startswith("NVIDIA-A100")
    ]
    gpus = [int(node["status"]["allocatable"]["nvidia.com/gpu"]) for node in accepted]
    assert (found["gpus"]["allocatable"], found["gpus"]["nodes"]) == (sum(gpus), len(gpus))
    assert found["health"]["status"] == "simulated"
    assert found["last_apply"]["succeeded"]
    # $9,500 / 730 h = $13.01 an hour, for the minutes since the apply began.
    assert 0 < float(found["month_to_date"]["usd"]) < 13.02
    assert not found["month_to_date"]["at_least"]
    process, screen = on_a_terminal("status", *STACK, "--watch", env=env)
    read_screen(screen, "Ctrl-C ends it")
    assert "Ready      1 of 1" in read_screen(screen, "Ctrl-C ends it")
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(30) == 0
    assert "--watch is for people" in refuse(2, "status", *STACK, "--watch", "-o", "json", env=env)


def valid(verb: str, printed: str) -> Any:
    """The JSON, which its schema accepts."""
    schema = json.loads((resources.root() / "docs" / "schemas" / f"{verb}.schema.json").read_text(encoding="utf-8"))
    found = json.loads(printed)
    jsonschema.validate(found, schema)
    return found
