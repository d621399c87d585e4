"""The main job on real parts: one stack from its first `up` to nothing left, in the order of the tests."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.engine.deploy import deploy, refuse, succeed

from breakeven import resources
from breakeven.engine import tools as engine_tools
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane

pytestmark = pytest.mark.usefixtures("sandbox")

STACK = ("--profile", "4xa100", "--sandbox")


def test_nothing_is_applied_without_a_yes() -> None:
    message = refuse(2, "up", *STACK)
    assert "there is no terminal to ask on" in message
    assert "--yes" in message


def test_a_preview_of_a_new_stack_leaves_nothing_behind(cluster: ControlPlane) -> None:
    out = succeed("preview", *STACK)
    assert "8 to create" in out
    assert "there is no stack '4xa100'" in refuse(1, "status", *STACK)
    assert "llm-4xa100" not in cluster.kubectl("get", "namespaces")


def test_first_up_costs_from_nothing_to_the_whole_bill(cluster: ControlPlane) -> None:
    out = succeed("up", *STACK, "--yes")
    assert "create  Deployment llm-4xa100      0 → 4 GPUs" in out
    assert row(out, "GPU rent")[2:5] == ["$0.00", "$8,000.00", "+$8,000.00"]
    assert row(out, "Total")[1:4] == ["$0.00", "$9,500.00", "+$9,500.00"]
    assert "reference row of 4xa100" in out
    assert row(out, "openai/gpt-4o-mini")[1:4] == ["$195.00", "$0.28", "48,717,949"]
    assert "Ready      1 of 1, 4 GPUs" in out
    assert "Endpoint   http://llm-4xa100.llm-4xa100.svc:8000/v1" in out
    assert "Next       deploy status --profile 4xa100 --sandbox" in out
    live = json.loads(cluster.kubectl("-n", "llm-4xa100", "get", "deployment", "llm-4xa100", "-o", "json"))
    container = live["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "vllm/vllm-openai:v0.32.0"
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "4"
    assert live["status"]["readyReplicas"] == 1


def test_second_identical_up_changes_nothing() -> None:
    out = succeed("up", *STACK, "--yes")
    assert "no changes" in out
    assert "The bill stays at $9,500.00 a month." in out


def test_plain_pulumi_sees_the_same_stack(sandbox: Sandbox) -> None:
    preview = plain_pulumi(sandbox, "preview", "--expect-no-changes", "--json")
    assert json.loads(preview)["changeSummary"] == {"same": 8}


def test_a_second_replica_costs_one_more_node(cluster: ControlPlane) -> None:
    out = succeed("up", *STACK, "--replicas", "2", "--yes")
    assert "update  Deployment llm-4xa100           4 → 8 GPUs" in out
    assert "create  PodDisruptionBudget llm-4xa100" in out
    assert "1 to create, 1 to update, 7 unchanged" in out
    assert "spec.replicas: 1 → 2" in out
    assert row(out, "GPU rent")[2:6] == ["$8,000.00", "$16,000.00", "+$8,000.00", "+100.0"]
    assert row(out, "Total")[1:5] == ["$9,500.00", "$17,500.00", "+$8,000.00", "+84.2"]
    assert "Ready      2 of 2, 8 GPUs" in out


def test_status_tells_live_and_recorded() -> None:
    status = json.loads(succeed("status", *STACK, "-o", "json"))
    assert status["schema"] == "breakeven.status/1"
    assert status["replicas"] == {"ready": 2, "wanted": 2}
    assert (status["gpus"]["live"], status["gpus"]["planned"]) == (8, 8)
    # Two nodes of four, and what other tests brought.
    assert status["gpus"]["allocatable"] >= 8
    assert status["recorded_monthly_usd"] == "17500.00"


def test_the_state_holds_no_credentials_and_only_its_owner_reads_it(sandbox: Sandbox) -> None:
    secrets = [path.read_text() for path in (sandbox.directory / "kwok").rglob("*.key")]
    assert secrets
    for path in (sandbox.directory / "pulumi").rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
            text = path.read_bytes().decode(errors="replace")
            assert "certificate-authority" not in text, path
            assert not any(secret in text for secret in secrets), path


def test_destroy_wants_the_right_name() -> None:
    assert "no terminal to type the name on" in refuse(2, "destroy", *STACK)
    assert "nothing was removed" in refuse(2, "destroy", *STACK, "--confirm", "other")


def test_destroy_says_what_it_saves_and_leaves_nothing(cluster: ControlPlane) -> None:
    out = succeed("destroy", *STACK, "--confirm", "4xa100")
    assert "Saves      $17,500.00 a month" in out
    assert "Removed 4xa100" in out
    assert "llm-4xa100" not in cluster.kubectl("get", "namespaces,deployments,services,pods,pvc", "-A")
    assert deploy("status", *STACK).code == 1


def test_the_users_own_pulumi_was_never_touched() -> None:
    assert not (Path.home() / ".pulumi").exists()


def row(text: str, name: str) -> list[str]:
    """The words of the first line that begins with `name`, its sign left out."""
    lines = (line.lstrip(" +~-") for line in text.splitlines())
    return next(line.split() for line in lines if line.startswith(name))


def plain_pulumi(sandbox: Sandbox, *arguments: str) -> str:
    """Plain `pulumi` in the checkout, as someone without `deploy` would run it, on the stack that `deploy` made."""
    state = sandbox.directory / "pulumi"
    programs = [engine_tools.path("pulumi").parent, engine_tools.folder("python-host") / "bin"]
    settings = state / "stacks" / "4xa100" / "Pulumi.4xa100.yaml"
    finished = subprocess.run(
        ["pulumi", *arguments, "--stack", "4xa100", "--config-file", str(settings), "--non-interactive"],
        cwd=resources.root(),
        env={
            **os.environ,
            "PATH": os.pathsep.join([*map(str, programs), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "VIRTUAL_ENV": sys.prefix,
            "PULUMI_HOME": str(state / "home"),
            "PULUMI_BACKEND_URL": f"file://{state / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(state / "passphrase"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        },
        capture_output=True,
        text=True,
        timeout=120,
        umask=0o077,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout
