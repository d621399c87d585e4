from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from breakeven.engine import tools

Deploy = Callable[..., Result]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without programs, sandbox or cluster."""
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "PATH", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "empty"))
    monkeypatch.delenv("KUBECONFIG", raising=False)


def test_a_bare_machine_is_told_each_fix_once(deploy: Deploy, bare: None, tmp_path: Path) -> None:
    found = deploy("doctor")
    assert found.exit_code == 1
    lines = found.stdout.splitlines()
    missing = [line for line in lines if line.endswith(" is not built yet")]
    assert len(missing) == len(tools.report())
    assert lines[-3:] == [
        "  → deploy tools --build",
        f"✗ Cluster: no kubeconfig at {tmp_path}/empty/.kube/config",
        "  → give --kubeconfig FILE, or rehearse on the local cluster with --sandbox",
    ]
    assert found.stdout.count("deploy tools --build") == 1


def test_json_has_the_fix_of_each(deploy: Deploy, bare: None) -> None:
    checks = json.loads(deploy("doctor", "-o", "json").stdout)["checks"]
    assert {one["fix"] for one in checks if one["detail"].endswith("not built yet")} == {"deploy tools --build"}


def test_it_starts_no_sandbox(deploy: Deploy, bare: None) -> None:
    assert "✗ Cluster: the sandbox is not running\n  → deploy sandbox up\n" in deploy("doctor", "--sandbox").stdout


@pytest.mark.parametrize("verb", ["status", "drift", "destroy --confirm 4xa100", "preview --offline"])
def test_a_sandbox_that_does_not_run_is_said_before_anything_is_built(
    verb: str, deploy: Deploy, bare: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "require", lambda *_, **__: pytest.fail("built"))
    found = deploy(*verb.split(), "--profile", "4xa100", "--sandbox")
    assert (found.exit_code, found.stdout) == (5, "")
    assert found.stderr == "Error: the sandbox is not running\nNext: deploy sandbox up\n"
