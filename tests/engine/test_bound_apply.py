"""What is applied is what was shown: saved plans, and the moments between a preview and its apply."""

from __future__ import annotations

import json
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from tests.engine.deploy import deploy, refuse, succeed

from breakeven import load, plan_file, resources
from breakeven.core.budget import Approval, Override, Ruling, Verdict
from breakeven.core.deployment import Deployment
from breakeven.core.plan import Plan, plan
from breakeven.engine import stack
from breakeven.engine.backend import backend
from breakeven.engine.cluster import connect
from breakeven.engine.rollout import Rollout
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane
from breakeven.errors import GateError

BOUND = ("--profile", "1xa100", "--name", "bound")
APPROVAL = Approval(verdict=Verdict(rulings=()))


@pytest.fixture
def env(sandbox: Sandbox, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A state of the test's own; whatever it applied is removed at the end."""
    variables = {"XDG_STATE_HOME": str(tmp_path / "state"), "KUBECONFIG": str(sandbox.kubeconfig)}
    yield variables
    deploy("destroy", *BOUND, "--confirm", "bound", env=variables)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return tmp_path / "plan.json"


def credentials(sandbox: Sandbox) -> list[str]:
    """Private keys of the cluster, and what the kubeconfig holds of its user."""
    keys = [path.read_text() for path in (sandbox.directory / "kwok").rglob("*.key")]
    user = yaml.safe_load(sandbox.kubeconfig.read_text())["users"][0]["user"]
    assert keys
    return [*keys, *(str(value) for value in user.values())]


@pytest.mark.fault(
    "A saved plan that is stale",
    "refused",
    "6",
)
def test_a_saved_plan_is_applied_once(env: dict[str, str], saved: Path, sandbox: Sandbox) -> None:
    """Its file is enough: no flag is given again. A second `up` finds that the first has moved the state."""
    out = deploy("preview", *BOUND, "--save", str(saved), env=env)
    assert (out.code, "`deploy up --plan " in out.err) == (0, True)
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    schema = json.loads((resources.root() / "docs" / "schemas" / "plan.schema.json").read_text())
    jsonschema.validate(json.loads(saved.read_text()), schema)
    for secret in (*credentials(sandbox), "certificate-authority"):
        assert secret not in saved.read_text()
    assert "Ready      1 of 1, 1 GPU" in succeed("up", "--plan", str(saved), "--yes", env=env)
    again = refuse(6, "up", "--plan", str(saved), "--yes", env=env)
    assert "does not hold any more; nothing was applied:\n  - state: stack bound was changed by another run" in again
    # A plan that was made of the new state is as good as the first.
    succeed("preview", "--save", str(saved), *BOUND, "--replicas", "2", env=env)
    assert "Ready      2 of 2, 2 GPUs" in succeed("up", "--plan", str(saved), "--yes", env=env)


def test_a_run_that_changes_nothing_leaves_a_plan_as_good_as_it_was(
    env: dict[str, str], saved: Path, cluster: ControlPlane
) -> None:
    """It writes the state anew: the times of it, and the objects as it found them, in another order."""
    succeed("up", *BOUND, "--yes", env=env)
    checkpoint = next(Path(env["XDG_STATE_HOME"]).rglob("stacks/breakeven/bound.json"))
    succeed("preview", *BOUND, "--replicas", "2", "--save", str(saved), env=env)
    before = checkpoint.read_text()
    cluster.kubectl("-n", "llm-bound", "annotate", "deployment", "llm-bound", "team.dev/seen=yes")
    succeed("up", *BOUND, "--yes", env=env)
    assert '"team.dev/seen"' in checkpoint.read_text()
    assert '"team.dev/seen"' not in before
    assert "Ready      2 of 2, 2 GPUs" in succeed("up", "--plan", str(saved), "--yes", env=env)
    # Another apply between them is another state, and so is the same plan once it was applied.
    assert "was changed by another run" in refuse(6, "up", "--plan", str(saved), "--yes", env=env)


def test_what_was_changed_by_hand_since_is_said(env: dict[str, str], saved: Path, cluster: ControlPlane) -> None:
    succeed("up", *BOUND, "--yes", env=env)
    succeed("preview", *BOUND, "--save", str(saved), env=env)
    cluster.kubectl("-n", "llm-bound", "scale", "deployment", "llm-bound", "--replicas=0")
    assert "  - change of Deployment llm-bound: same → update\n" in refuse(
        6, "up", "--plan", str(saved), "--yes", env=env
    )


@pytest.mark.fault(
    "Inputs or prices changed since the plan was saved",
    "refused, with what moved",
    "6",
)
def test_other_inputs_and_prices_are_refused(env: dict[str, str], saved: Path, tmp_path: Path) -> None:
    priced = (*BOUND, "--offer", "runpod-secure-a100")
    succeed("preview", *priced, "--save", str(saved), env=env)
    other = refuse(6, "up", "--plan", str(saved), *BOUND, "--requests-per-month", "5", "--yes", env=env)
    assert "  - input workload.requests_per_month: 1000000 → 5\n" in other
    assert "  - input prices.offer: runpod-secure-a100 → nothing\n" in other
    bumped = with_another_price(tmp_path / "bumped")
    message = refuse(6, "up", "--plan", str(saved), "--yes", env={**env, "PYTHONPATH": str(bumped)})
    assert "  - price of GPU rent: $1,306.70 a month (1 node × 1 GPU × $1.79/GPU-h" in message
    assert "→ $1,452.70 a month (1 node × 1 GPU × $1.99/GPU-h" in message
    assert message.count("\n  - ") == 1


def with_another_price(directory: Path) -> Path:
    """The same program, whose catalogue has a new price of one offer."""
    root = resources.root()
    shutil.copytree(root / "cli", directory / "cli")
    for name in ("profiles", "charts", "infra", "tools", "Pulumi.yaml"):
        (directory / name).symlink_to(root / name)
    offers = directory / "cli" / "breakeven" / "catalog" / "gpu_offers.yaml"
    text = offers.read_text(encoding="utf-8")
    found = re.sub(r"(name: runpod-secure-a100\n(?:  .*\n)*?  usd_per_hour: )1\.79", r"\g<1>1.99", text)
    assert found != text
    offers.write_text(found, encoding="utf-8")
    return directory / "cli"


@pytest.mark.fault(
    "The context leads to another cluster since the plan was saved",
    "refused",
    "6",
)
def test_a_context_that_leads_elsewhere_is_refused(
    env: dict[str, str], saved: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The current context of the kubeconfig is switched; here to the same server under a forged identity."""
    succeed("preview", *BOUND, "--save", str(saved), env=env)
    data = json.loads(saved.read_text())
    forge(
        saved, cluster={**data["cluster"], "identifier": "another", "server": "https://other:6443", "context": "prod"}
    )
    message = refuse(6, "up", "--plan", str(saved), "--yes", env=env)
    assert "cluster: https://other:6443 (context prod) → https://127.0.0.1:" in message
    assert "another cluster" in message
    config = yaml.safe_load(sandbox.kubeconfig.read_text())
    config["contexts"].append(
        {"name": "nowhere", "context": {"cluster": "nowhere", "user": config["users"][0]["name"]}}
    )
    config["clusters"].append({"name": "nowhere", "cluster": {"server": "https://127.0.0.1:1"}})
    config["current-context"] = "nowhere"
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    refuse(5, "up", "--plan", str(saved), "--yes", env={**env, "KUBECONFIG": str(tmp_path / "config")})


def forge(path: Path, **changes: Any) -> None:
    """As somebody would who knows how the digest is made."""
    data = {**json.loads(path.read_text()), **changes}
    del data["digest"]
    path.write_text(json.dumps({**data, "digest": plan_file._digest(data)}))


@pytest.mark.fault(
    "A saved plan that was changed, other tools",
    "refused",
    "6",
)
def test_other_tools_and_a_changed_file_are_refused(env: dict[str, str], saved: Path) -> None:
    succeed("preview", *BOUND, "--save", str(saved), env=env)
    whole = saved.read_text()
    forge(saved, versions={"breakeven": "0.0.9", "pulumi": "3.259.0", "provider": "4.25.0"})
    assert "  - version of breakeven: 0.0.9 → 0.1.0\n" in refuse(6, "up", "--plan", str(saved), "--yes", env=env)
    saved.write_text(whole.replace('"3500.00"', '"35.00"', 1))
    assert "was changed after it was saved" in refuse(6, "up", "--plan", str(saved), "--yes", env=env)
    saved.write_text(whole[:-20])
    assert "not a whole plan file" in refuse(2, "up", "--plan", str(saved), "--yes", env=env)
    saved.write_text(whole.replace("breakeven.plan/1", "breakeven.plan/2"))
    assert "it is of schema breakeven.plan/2" in refuse(2, "up", "--plan", str(saved), "--yes", env=env)


def test_a_plan_over_budget_is_saved_and_applied_with_a_reason_only(env: dict[str, str], saved: Path) -> None:
    limits = (*BOUND, "--max-usd-per-month", "3000")
    shown = deploy("preview", *limits, "--save", str(saved), "-o", "json", env=env)
    schema = json.loads((resources.root() / "docs" / "schemas" / "preview.schema.json").read_text())
    jsonschema.validate(json.loads(shown.out), schema)
    assert (shown.code, json.loads(shown.out)["budget"]["passes"]) == (6, False)
    refused = refuse(6, "up", "--plan", str(saved), "--yes", env=env)
    assert "the bill is $3,500.00 a month, max_usd_per_month is $3,000.00; nothing was applied" in refused
    assert "there is no stack 'bound'" in refuse(1, "status", *BOUND, env=env)
    succeed("up", "--plan", str(saved), "--override-budget", "launch week", "--yes", env=env)
    row = re.search(r"^Budget     overridden at \S+: (.*)$", succeed("status", *BOUND, env=env), re.MULTILINE)
    assert row
    assert row[1] == "launch week (the bill is $3,500.00 a month, max_usd_per_month is $3,000.00)"
    assert json.loads(succeed("status", *BOUND, "-o", "json", env=env))["budget_override"]["reason"] == "launch week"
    # It held for that apply alone.
    succeed("up", *BOUND, "--yes", env=env)
    assert "Budget" not in succeed("status", *BOUND, env=env)


@pytest.fixture
def applied(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Rollout]]:
    """A stack with one replica, to be rolled out anew in this process."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("KUBECONFIG", str(sandbox.kubeconfig))
    succeed("up", *BOUND, "--yes")
    yield lambda replicas: Rollout(planned(replicas), connect(None, None), backend(None))
    deploy("destroy", *BOUND, "--confirm", "bound")


def planned(replicas: int) -> Plan:
    wanted = Deployment(profile="1xa100", name="bound", replicas=replicas)
    return plan(wanted, load.facts(wanted))


def go(rollout: Rollout, approval: Approval = APPROVAL) -> None:
    rollout.apply(approval, lambda op, urn: None, lambda readiness: None)


def test_without_a_saved_plan_nothing_but_what_was_shown_is_applied(
    applied: Callable[..., Rollout], cluster: ControlPlane, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Between the preview and the apply: a hand in the cluster, another chart, another run."""

    def live() -> Any:
        return json.loads(cluster.kubectl("-n", "llm-bound", "get", "deployment", "llm-bound", "-o", "json"))["spec"]

    with applied(1) as rollout:
        assert rollout.preview().changes.is_empty
        cluster.kubectl("-n", "llm-bound", "scale", "deployment", "llm-bound", "--replicas=0")
        with pytest.raises(
            GateError, match="Deployment llm-bound/llm-bound would change in another way than was shown"
        ):
            go(rollout)
        assert live()["replicas"] == 0

    with applied(1) as rollout, monkeypatch.context() as patch:
        rollout.preview()
        chart = shutil.copytree(resources.chart(), tmp_path / "vllm")
        values = chart / "templates" / "_container.tpl"
        values.write_text(re.sub(r"nvidia.com/gpu: .*", "nvidia.com/gpu: 2", values.read_text()))
        patch.setattr(resources, "chart", lambda: chart)
        with pytest.raises(GateError, match="would change in another way than was shown"):
            go(rollout)
        assert live()["replicas"] == 0

    with applied(1) as rollout:
        rollout.preview()
        other = stack.find("bound", backend(None))
        assert other
        other.configure(
            {
                "deployment": load.plain(planned(2).deployment),
                "cluster": {**asdict(rollout.target), "owns_namespace": True},
            }
        )
        other.preview()
        other.up(lambda op, urn: None)
        with pytest.raises(GateError, match="another run changed this stack since the preview; nothing was applied"):
            go(rollout)
        assert live()["replicas"] == 2


def test_a_reason_is_recorded_only_with_the_changes_that_were_shown(
    applied: Callable[..., Rollout], cluster: ControlPlane
) -> None:
    refused = Verdict(rulings=(Ruling(limit="max_usd_per_month", passes=False, detail="too dear"),))
    approval = Approval(verdict=refused, override=Override(reason="launch week", at="2026-11-24T14:00:00Z"))
    with applied(2) as rollout:
        rollout.preview()
        cluster.kubectl("-n", "llm-bound", "delete", "service", "llm-bound")
        with pytest.raises(GateError, match="the changes are other ones than were shown; nothing was applied"):
            go(rollout, approval)
    found = stack.find("bound", backend(None))
    assert found
    assert found.state.override is None
    assert "budget_override" not in found.settings_file.read_text()
