from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven import load
from breakeven.core.cost import CostProjection, project
from breakeven.core.cost_diff import cost_diff
from breakeven.core.cost_line import CostInput, CostLine
from breakeven.core.deployment import Weights
from breakeven.core.plan import Plan
from breakeven.core.record import record_cost, record_plan, recorded_cost

Planned = Callable[..., Plan]

LINES = st.builds(
    CostLine,
    name=st.text(min_size=1),
    monthly_usd=st.none() | st.decimals(min_value=0, max_value=10**9, places=2),
    detail=st.text(),
    source=st.text(),
    checked=st.none() | st.dates(),
    inputs=st.dictionaries(st.text(), st.text(), max_size=3).map(
        lambda found: tuple(CostInput(name=name, value=value) for name, value in found.items())
    ),
)


@given(st.lists(LINES, max_size=5, unique_by=lambda line: line.name))
def test_what_is_recorded_is_read_back(lines: list[CostLine]) -> None:
    projection = CostProjection(lines=tuple(lines))
    assert recorded_cost(json.loads(json.dumps(record_cost(projection)))) == projection


@pytest.mark.parametrize("profile", ["1xa100", "4xa100", "8xh100"])
def test_a_plans_bill_differs_from_its_record_in_nothing(planned: Planned, profile: str) -> None:
    projection = project(planned(profile))
    assert cost_diff(recorded_cost(record_cost(projection)), projection).changed == ()


def test_a_record_of_the_first_versions_has_no_inputs(planned: Planned) -> None:
    record = record_cost(project(planned("4xa100")))
    for line in record["lines"]:
        del line["inputs"]
    assert [line.inputs for line in recorded_cost(record).lines] == [(), (), ()]


def test_money_is_text_and_unknown_is_null(planned: Planned) -> None:
    record = record_cost(project(planned("4xa100", weights=Weights(storage="pvc"))))
    assert record["monthly_usd"] == "9500.00"
    assert [line["monthly_usd"] for line in record["lines"]] == ["8000.00", None, "1000.00", "500.00"]
    assert record["lines"][0]["checked"] == "2026-11-24"


@pytest.mark.parametrize(
    "record",
    [{}, {"lines": [{}]}, {"lines": [{"name": "a", "monthly_usd": "x", "detail": "", "source": "", "checked": None}]}],
)
def test_a_foreign_record_is_an_error(record: dict[str, object]) -> None:
    with pytest.raises((KeyError, ValueError, ArithmeticError)):
        recorded_cost(record)


def test_the_plan_is_recorded_for_people(planned: Planned) -> None:
    record = record_plan(planned("4xa100"))
    assert (record["profile"], record["gpus"], record["nodes"], record["serverless"]) == ("4xa100", 4, 1, False)
    json.dumps(record)


def test_dates_and_money_keep_their_types() -> None:
    line = CostLine(name="a", monthly_usd=Decimal("1.10"), detail="", source="", checked=date(2026, 1, 2))
    found = recorded_cost(record_cost(CostProjection(lines=(line,)))).lines[0]
    assert (found.monthly_usd, found.checked) == (Decimal("1.10"), date(2026, 1, 2))
    assert load.profiles()
