"""The gate cannot be bypassed: over budgets and plans, the engine's apply is called with leave, or with a reason.

The command and the rollout are the real ones, by flags, by a saved plan and by a rollback. What the law says is written
anew here, from the plans' bills alone.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.fakes import World

import breakeven
from breakeven import price_book
from breakeven.core.budget import Approval, Ruling, Verdict
from breakeven.core.cost import project
from breakeven.core.deployment import Budget, Weights
from breakeven.core.plan import Plan
from breakeven.engine.rollout import Rollout
from breakeven.errors import GateError

SOURCE: Final = Path(breakeven.__file__).parent

LIMITS = {
    "--max-usd-per-month": st.sampled_from(["0", "3499.99", "3500", "5500", "9500", "20000"]),
    "--max-increase-usd": st.sampled_from(["0", "1999.99", "2000", "3500", "4000"]),
    "--max-increase-percent": st.sampled_from(["0", "57", "57.2", "100", "1000"]),
    "--max-usd-above-api": st.sampled_from(["0", "250", "3304.99", "3305", "10000"]),
}
BUDGETS = st.fixed_dictionaries({}, optional=LIMITS)
SIZES = st.integers(1, 3)
COMPARATORS = st.sampled_from(["openai/gpt-4o", "openai/gpt-4o-mini"])
UNPRICED = ("--weights-storage", "pvc")
VOLUMES = st.sampled_from([(), UNPRICED, (*UNPRICED, "--allow-unknown-prices")])


@given(
    budget=BUDGETS,
    before=st.none() | SIZES,
    after=SIZES,
    comparator=COMPARATORS,
    volume=VOLUMES,
    reason=st.none() | st.just("launch week"),
    way=st.sampled_from(["flags", "saved plan", "rollback"]),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_is_applied_without_leave_or_a_recorded_reason(
    planned: Callable[..., Plan],
    tmp_path_factory: pytest.TempPathFactory,
    budget: dict[str, str],
    before: int | None,
    after: int,
    comparator: str,
    volume: tuple[str, ...],
    reason: str | None,
    way: str,
) -> None:
    former = planned("1xa100", name="law", replicas=before) if before else None
    world = World(former, tmp_path_factory.getbasetemp(), last_good(planned, budget, after, volume))
    limits = [part for pair in budget.items() for part in pair]
    override = ["--override-budget", reason] if reason else []
    plan = ("--profile", "1xa100", "--name", "law", "--replicas", str(after), "--compare-with", comparator, *volume)
    found = world.run("up", *asked(world, way, (*plan, *limits), comparator), *override, "--yes")
    exceeds = is_over(budget, planned, before, after, comparator) or volume == UNPRICED
    assert found.exit_code == (6 if exceeds and not reason else 0), found.output
    assert len(world.applied) == (0 if exceeds and not reason else 1)
    for config in world.applied:
        recorded = config.get("budget_override")
        assert (recorded is not None) == exceeds
        assert not exceeds or (recorded["reason"] == reason and recorded["exceeded"])
    if not world.applied:
        assert "nothing was applied" in found.stderr
        assert "Cost per month" in found.stdout
    # The preview says the same, shows all, and never applies.
    shown = world.run("preview", *plan, *limits)
    assert shown.exit_code == (6 if exceeds else 0)
    assert "Cost per month" in shown.stdout
    assert world.applied == []


def asked(world: World, way: str, flags: tuple[str, ...], comparator: str) -> tuple[str, ...]:
    """The same apply, asked for in each way that there is."""
    if way == "rollback":
        return "--profile", "1xa100", "--name", "law", "--rollback", "--compare-with", comparator
    if way == "saved plan":
        with NamedTemporaryFile() as file:
            path = file.name
        world.run("preview", *flags, "--save", path)
        return "--plan", path
    return flags


def last_good(planned: Callable[..., Plan], limits: dict[str, str], after: int, volume: tuple[str, ...]) -> Plan:
    """An apply of former times with these inputs, whose budget is theirs."""
    amounts = {name.removeprefix("--").replace("-", "_"): Decimal(value) for name, value in limits.items()}
    percent = amounts.pop("max_increase_percent", None)
    budget = Budget(
        **amounts,
        max_increase_percent=None if percent is None else float(percent),
        allow_unknown_prices="--allow-unknown-prices" in volume,
    )
    weights = Weights(storage="pvc") if volume else Weights()
    return planned("1xa100", name="law", replicas=after, budget=budget, weights=weights)


def is_over(
    budget: dict[str, str], planned: Callable[..., Plan], before: int | None, after: int, comparator: str
) -> bool:
    """By hand: 1xa100 costs $2,000 a replica and $1,500 besides."""
    old = Decimal(2000 * before + 1500) if before else Decimal(0)
    new = Decimal(2000 * after + 1500)
    assert project(planned("1xa100", replicas=after)).monthly_usd == new
    api = {"openai/gpt-4o": Decimal(3250), "openai/gpt-4o-mini": Decimal(195)}[comparator]
    limits = {name: Decimal(value) for name, value in budget.items()}
    return (
        new > limits.get("--max-usd-per-month", new)
        or new - old > limits.get("--max-increase-usd", new)
        or (bool(old) and new * 100 > old * (100 + limits.get("--max-increase-percent", Decimal(10**9))))
        or new - api > limits.get("--max-usd-above-api", new)
    )


def test_the_engines_apply_is_called_in_one_place_which_asks_for_an_approval() -> None:
    """And nothing makes an approval without its own look at the verdict."""
    calls = {
        (path.relative_to(SOURCE).as_posix(), function.name)
        for path in SOURCE.rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and node.attr == "up" and "stack" in ast.unparse(node.value)
    }
    assert calls == {("engine/rollout.py", "apply"), ("engine/stack.py", "up")}
    assert inspect.signature(Rollout.apply).parameters["approval"].default is inspect.Parameter.empty
    refused = Verdict(rulings=(Ruling(limit="max_usd_per_month", passes=False, detail="too dear"),))
    with pytest.raises(GateError, match="too dear; nothing was applied"):
        Approval(verdict=refused)


def test_the_apis_of_the_law_cost_what_it_says(planned: Callable[..., Plan]) -> None:
    prices = price_book.prices(planned("1xa100"), ("openai/gpt-4o", "openai/gpt-4o-mini"), date(2026, 11, 24))
    assert [price.usd_per_request * 1_000_000 for price in prices] == [3250, 195]
