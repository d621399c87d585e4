from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.previews import VERSIONS, preview_of

from breakeven.core.api_rates import ApiPrice, ApiRates
from breakeven.core.budget import Ruling, Verdict
from breakeven.core.changes import Change, Changes
from breakeven.core.deployment import Budget, Prices
from breakeven.core.plan import Plan
from breakeven.core.saved_plan import SavedPlan, moved, refuse_another_cluster, refuse_moved, saved_plan
from breakeven.errors import GateError

Planned = Callable[..., Plan]

PRICE = ApiPrice(
    comparator="openai/gpt-4o",
    usd_per_request=Decimal("0.00325"),
    source="genai-prices 0.2.3",
    checked=date(2026, 11, 10),
)


@pytest.fixture
def saved(planned: Planned) -> SavedPlan:
    return save(planned("4xa100"))


def save(plan: Plan) -> SavedPlan:
    return saved_plan(preview_of(plan), Verdict(rulings=()), [PRICE], VERSIONS, "2026-11-24T14:00:00Z")


def test_nothing_moved(saved: SavedPlan, planned: Planned) -> None:
    refuse_moved(saved, replace(save(planned("4xa100")), made_at="2026-11-25T08:00:00Z"))
    refuse_another_cluster(saved, replace(saved.cluster, server="https://elsewhere:6443", context="other"))


def test_the_reader_finds_the_figures_and_the_verdict(planned: Planned) -> None:
    refused = Verdict(rulings=(Ruling(limit="max_usd_per_month", passes=False, detail="too dear"),))
    found = saved_plan(preview_of(planned("4xa100")), refused, [PRICE], VERSIONS, "").summary
    assert (found.before_usd_per_month, found.after_usd_per_month) == (Decimal(0), Decimal("9500.00"))
    assert (found.delta_usd_per_month, found.over_budget) == (Decimal("9500.00"), ("too dear",))


def line(saved: SavedPlan, **changes: Any) -> SavedPlan:
    return replace(saved, bill=(replace(saved.bill[0], **changes), *saved.bill[1:]))


def step(saved: SavedPlan, **changes: Any) -> SavedPlan:
    return replace(saved, steps=(replace(saved.steps[0], **changes), *saved.steps[1:]))


MOVES: list[tuple[Callable[[SavedPlan], SavedPlan], str]] = [
    (lambda now: replace(now, adopt=("Service/llm-x",)), "objects to adopt: none → Service/llm-x"),
    (lambda now: replace(now, state="another"), "state: stack 4xa100 was changed by another run since"),
    (
        lambda now: replace(now, cluster=replace(now.cluster, identifier="another", server="https://b", context="b")),
        "cluster: https://a:6443 (context a) → https://b (context b), another cluster",
    ),
    (
        lambda now: replace(now, deployment=replace(now.deployment, replicas=2)),
        "input replicas: nothing → 2",
    ),
    (
        lambda now: replace(now, deployment=replace(now.deployment, budget=Budget(max_usd_per_month=Decimal(1)))),
        "input budget.max_usd_per_month: nothing → 1",
    ),
    (
        lambda now: line(now, monthly_usd=Decimal(7000)),
        "price of GPU rent: $8,000.00 a month (1 node × $8,000.00, reference row of 4xa100; ",
    ),
    (lambda now: line(now, checked=date(2026, 12, 1)), "checked 2026-11-24) → $8,000.00 a month (1 node"),
    (
        lambda now: replace(now, bill=now.bill[:-1]),
        "price of Setup, amortised: $500.00 a month (the profile's default; ",
    ),
    (
        lambda now: replace(now, api_prices=(replace(PRICE, usd_per_request=Decimal("0.004")),)),
        "price of a request at openai/gpt-4o: 0.00325 → 0.004",
    ),
    (
        lambda now: replace(now, versions=replace(now.versions, pulumi="3.260.0")),
        "version of pulumi: 3.259.0 → 3.260.0",
    ),
    (lambda now: step(now, op="same"), "change of Deployment llm-4xa100: create → same"),
    (lambda now: step(now, after="another"), "change of Deployment llm-4xa100: create of other properties"),
    (lambda now: replace(now, steps=()), "change of Deployment llm-4xa100: create → nothing"),
]


@pytest.mark.parametrize(("move", "reason"), MOVES)
def test_what_moved_is_said(saved: SavedPlan, move: Callable[[SavedPlan], SavedPlan], reason: str) -> None:
    found = list(moved(saved, move(saved)))
    assert len(found) == 1
    assert reason in found[0]
    with pytest.raises(GateError, match="saved at 2026-11-24T14:00:00Z does not hold any more; nothing was applied"):
        refuse_moved(saved, move(saved))


def test_a_price_of_ones_own_is_told_by_its_place(saved: SavedPlan) -> None:
    def priced(usd: int) -> SavedPlan:
        rates = ApiRates(
            comparator="openai/gpt-4o",
            usd_per_million_input_tokens=Decimal(usd),
            usd_per_million_output_tokens=Decimal(8),
            source="contract",
            checked=date(2026, 10, 1),
        )
        return replace(saved, deployment=replace(saved.deployment, prices=Prices(api_overrides=(rates,))))

    assert list(moved(priced(1), priced(2))) == ["input prices.api_overrides.0.usd_per_million_input_tokens: 1 → 2"]


def test_all_that_moved_is_said_at_once(saved: SavedPlan, planned: Planned) -> None:
    reasons = list(moved(saved, save(planned("4xa100", replicas=2))))
    assert [reason.split(":")[0] for reason in reasons] == [
        "input replicas",
        "price of GPU rent",
        "change of Deployment llm-4xa100",
    ]


def test_another_cluster_is_refused_before_it_is_asked_anything(saved: SavedPlan) -> None:
    with pytest.raises(GateError, match="another cluster"):
        refuse_another_cluster(saved, replace(saved.cluster, identifier="another"))


def test_where_the_kubeconfig_lies_is_no_change(planned: Planned) -> None:
    """On the machine that approves and on the one that applies it may lie in two places."""

    def provider(op: str, path: str) -> Change:
        inputs = [{"kubeconfig": each, "context": "a"} for each in ("/recorded", path)]
        paths = ("kubeconfig",) if op == "update" else ()
        return Change(
            op=op, urn="urn::p", type="pulumi:providers:kubernetes", old=inputs[0], new=inputs[1], paths=paths
        )

    def saved(step: Change) -> SavedPlan:
        shown = replace(preview_of(planned("4xa100")), changes=Changes(steps=(step,)))
        return saved_plan(shown, Verdict(rulings=()), [PRICE], VERSIONS, "")

    refuse_moved(saved(provider("same", "/recorded")), saved(provider("update", "/elsewhere")))
