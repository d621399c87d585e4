"""What was applied, priced anew: the catalogue may have moved since, or lack what was used."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from breakeven import load
from breakeven.core.cost import project
from breakeven.core.cost_diff import cost_diff
from breakeven.core.deployment import Prices
from breakeven.core.plan import Plan
from breakeven.core.record import record_cost, record_plan
from breakeven.core.served import served
from breakeven.engine.baseline import NO_BASELINE, baseline
from breakeven.engine.state import EMPTY, State
from breakeven.errors import GateError

Planned = Callable[..., Plan]

OFFER = "runpod-secure-a100"


def applied(plan: Plan) -> State:
    """As the program's outputs come back from the state."""
    outputs: dict[str, Any] = {
        "deployment": load.plain(plan.deployment),
        "plan": record_plan(plan),
        "cost": record_cost(project(plan)),
    }
    return State(outputs=json.loads(json.dumps(outputs)), urns=())


@pytest.fixture
def dearer() -> Iterator[Callable[[str], None]]:
    """Sets a new price of the offer in the catalogue."""

    def reprice(usd: str) -> None:
        load.offers()[OFFER] = replace(load.offers()[OFFER], usd_per_hour=Decimal(usd))

    yield reprice
    load.offers.cache_clear()


@pytest.mark.parametrize("profile", ["1xa100", "4xa100", "8xh100", "serverless"])
@pytest.mark.parametrize("inputs", [{}, {"nodes": 3}, {"replicas": 2}])
def test_what_was_applied_costs_and_serves_the_same_while_nothing_moved(
    planned: Planned, profile: str, inputs: dict[str, Any]
) -> None:
    plan = planned(profile, **inputs)
    found = baseline(applied(plan))
    assert found.recorded == found.today or not cost_diff(found.recorded, found.today).changed
    assert (found.serves, found.doubt) == (served(plan), "")


def test_a_price_that_moved_is_told_apart_from_what_the_plan_changes(
    planned: Planned, dearer: Callable[[str], None]
) -> None:
    """2 GPUs: $1.79 → $1.99 is 0.20 × 2 × 730 = $292.00. A third GPU costs 1.99 × 730 = $1,452.70."""
    state = applied(planned("1xa100", replicas=2, prices=Prices(offer=OFFER)))
    dearer("1.99")
    found = baseline(state)
    drift = cost_diff(found.recorded, found.today)
    assert (drift.delta_usd, drift.changed[0].name) == (Decimal("292.00"), "GPU rent")
    assert [(one.name, one.before, one.after) for one in drift.changed[0].changes] == [
        ("usd_per_gpu_hour", "1.79", "1.99")
    ]
    after = project(planned("1xa100", replicas=3, prices=Prices(offer=OFFER)))
    assert cost_diff(found.today, after).delta_usd == Decimal("1452.70")


def test_an_offer_that_is_gone_leaves_what_was_recorded(planned: Planned, dearer: Callable[[str], None]) -> None:
    plan = planned("1xa100", prices=Prices(offer=OFFER))
    state = applied(plan)
    state.outputs["deployment"]["prices"]["offer"] = "gone"
    found = baseline(state)
    assert found.recorded == found.today
    assert found.serves == served(plan)
    assert found.doubt.startswith(
        "Before is as it was recorded, not at today's prices: unknown offer 'gone' of profile 1xa100"
    )


@pytest.mark.parametrize("lacking", ["deployment", "plan"])
def test_a_record_of_another_version_leaves_what_was_recorded(planned: Planned, lacking: str) -> None:
    state = applied(planned("1xa100"))
    found = baseline(State(outputs={**state.outputs, lacking: {}}, urns=()))
    assert found.recorded == found.today
    assert found.doubt
    assert (found.serves is None) == (lacking == "plan")


def test_nothing_was_applied() -> None:
    assert baseline(EMPTY) == NO_BASELINE


def test_a_bill_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(GateError, match="the recorded cost of the last apply cannot be read"):
        baseline(State(outputs={"cost": {"lines": [{}]}}, urns=()))
