"""What `deploy status` and `deploy drift` say, on standings that the sandbox does not have."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from breakeven.core.cost import project
from breakeven.core.deployment import Prices
from breakeven.core.drift import drift
from breakeven.core.history import Apply, Spent
from breakeven.core.live import Health, Readiness, Target
from breakeven.core.plan import Plan
from breakeven.core.pod_state import PodState, Trouble
from breakeven.core.record import record_cost, recorded_cost
from breakeven.core.standing import Standing
from breakeven.output import drift as drift_output
from breakeven.output import status

TODAY = date(2026, 11, 24)
MOMENT = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)
TARGET = Target(kubeconfig="/k", context="prod", server="https://prod", identifier="uid")
OBJECT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "llm-4xa100", "namespace": "llm-4xa100"},
    "spec": {
        "replicas": 1,
        "template": {"spec": {"containers": [{"resources": {"limits": {"nvidia.com/gpu": "4"}}}]}},
    },
}


@pytest.fixture
def standing(planned: Callable[..., Plan]) -> Standing:
    """A failed second apply of 4xa100: one pod serves, one has no image, a third one leaves."""
    plan = planned("4xa100", replicas=2)
    trouble = Trouble(kind="image", reason="ImagePullBackOff", message="not found")
    pods = [
        PodState(name="a", node="n1", ready=True, leaving=False, revision="1", trouble=None),
        PodState(name="b", node="n2", ready=False, leaving=False, revision="2", trouble=trouble),
        PodState(name="c", node="", ready=False, leaving=True, revision="1", trouble=None),
    ]
    return Standing(
        plan=plan,
        target=TARGET,
        readiness=Readiness(found=True, ready=1, wanted=2, gpus=8, reason="b: ImagePullBackOff: not found"),
        pods=tuple(pods),
        allocatable={"n1": 4, "n2": 4},
        health=Health(status="ok", detail="GET /health: 200"),
        recorded=project(plan),
        adopted=(),
        override=None,
        last=Apply(started=MOMENT, ended=None, succeeded=False, deployment={}),
        spent=Spent(usd=Decimal("1234.50"), since=MOMENT, hours=Decimal("94.86"), at_least=True),
        drift=drift(plan, [(OBJECT, {**OBJECT, "spec": {**OBJECT["spec"], "replicas": 3}})]),
    )


def test_a_failed_apply_in_text(standing: Standing) -> None:
    lines = status.render("table", standing, TODAY).splitlines()
    assert lines[3:] == [
        "Ready      1 of 2: b: ImagePullBackOff: not found",
        "GPUs       8 requested live, 8 planned; 8 allocatable on 2 nodes that the profile accepts",
        "Endpoint   http://llm-4xa100.llm-4xa100.svc:8000/v1",
        "Health     ok: GET /health: 200",
        "Recorded   $17,500.00 a month, as last applied",
        "Drift      1 of 1 object differs, scaled from 1 to 3 replicas: +$16,000.00 a month; `deploy drift` shows it",
        "This month at least $1,234.50 for 94.9 h since 2026-11-24 14:05 UTC",
        "Applied    2026-11-24 14:05 UTC, failed; `deploy up --rollback` returns to the last good plan",
        "",
        "Pod  Node      State",
        "a    n1        ready",
        "b    n2        ImagePullBackOff: not found",
        "c    none yet  leaving",
    ]


def test_the_same_in_markdown_and_json(standing: Standing) -> None:
    assert "| b | n2 | ImagePullBackOff: not found |" in status.render("markdown", standing, TODAY)
    found = json.loads(status.render("json", standing, TODAY))
    assert found["month_to_date"] == {
        "usd": "1234.50",
        "at_least": True,
        "hours": "94.86",
        "since": "2026-11-24T14:05:00+00:00",
    }
    assert found["pods"][1]["reason"] == "ImagePullBackOff: not found"
    assert found["last_apply"]["succeeded"] is False


def test_a_stack_whose_first_apply_was_killed(standing: Standing) -> None:
    text = status.render("table", replace(standing, last=None, spent=None, pods=()), TODAY)
    assert "This month nothing: no apply of it succeeded" in text
    assert text.endswith("Applied    by a run that was killed, or is not over")


def test_a_recorded_price_grows_stale(planned: Callable[..., Plan], standing: Standing) -> None:
    """2026-11-09 to 2027-03-01 are 112 days; 4 × 3.673 × 730 + 1,500 = 12,225.16."""
    plan = planned("4xa100", prices=Prices(offer="azure-nc24ads-a100"))
    dated = replace(standing, recorded=recorded_cost(record_cost(project(plan))))
    fresh = "Recorded   $12,225.16 a month, as last applied\n"
    mark = "GPU rent: checked 2026-11-09 (stale: 112 days old)"
    assert fresh in status.render("table", dated, date(2026, 12, 1))
    assert "stale" not in status.render("table", dated, date(2026, 12, 1))
    assert f"{fresh}           {mark}\n" in status.render("table", dated, date(2027, 3, 1))
    assert mark in status.render("markdown", dated, date(2027, 3, 1))
    data = json.loads(status.render("json", dated, date(2027, 3, 1)))
    assert (data["prices_at"], data["recorded_monthly_usd"]) == ("2027-03-01", "12225.16")
    assert (data["recorded_prices"][0]["age_days"], data["recorded_prices"][0]["stale"]) == (112, True)


@pytest.mark.parametrize(
    ("live", "said"),
    [
        (OBJECT, "none: 1 object as last applied"),
        (None, "1 of 1 object differs, Deployment llm-4xa100 is gone: -$9,500.00 a month"),
        ({**OBJECT, "metadata": {"name": "other"}}, "1 of 1 object differs: the bill stays"),
    ],
)
def test_drift_in_a_sentence(planned: Callable[..., Plan], live: dict[str, Any] | None, said: str) -> None:
    plan = planned("4xa100")
    found = drift(plan, [(OBJECT, live)])
    assert drift_output.summary(found) == said
    text = drift_output.text(plan, TARGET, found)
    # A bill that stays is not shown.
    assert ("Cost" in text or "GPU rent" in text) == (live is None)
