from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from breakeven.core.cost import CostProjection, project
from breakeven.core.cost_diff import NOTHING, cost_diff
from breakeven.core.cost_line import CostLine
from breakeven.core.deployment import Weights
from breakeven.core.plan import Plan

Planned = Callable[..., Plan]

BILLS = st.dictionaries(st.sampled_from("abcdef"), st.decimals(min_value=0, max_value=10**6, places=2)).map(
    lambda usd: bill(**usd)
)


def bill(**usd: Decimal | None) -> CostProjection:
    return CostProjection(
        lines=tuple(
            CostLine(name=name, monthly_usd=amount, detail=f"how {name}", source="") for name, amount in usd.items()
        )
    )


def test_a_second_node(planned: Planned) -> None:
    found = cost_diff(project(planned("4xa100")), project(planned("4xa100", nodes=2)))
    rent = found.lines[0]
    assert (rent.name, rent.delta_usd, rent.delta_percent) == ("GPU rent", Decimal("8000.00"), Decimal(100))
    assert rent.detail == "2 nodes × $8,000.00, reference row of 4xa100"
    # 8,000 ÷ 9,500 = 84.2 %
    assert (found.total.before_usd, found.total.after_usd) == (Decimal("9500.00"), Decimal("17500.00"))
    assert found.total.delta_percent is not None
    assert round(found.total.delta_percent, 1) == Decimal("84.2")


def test_a_first_apply_has_no_percentage(planned: Planned) -> None:
    total = cost_diff(NOTHING, project(planned("1xa100"))).total
    assert (total.before_usd, total.delta_usd, total.delta_percent) == (Decimal("0.00"), Decimal("3500.00"), None)


def test_a_removal_saves_all(planned: Planned) -> None:
    total = cost_diff(project(planned("1xa100")), NOTHING).total
    assert (total.delta_usd, total.delta_percent) == (Decimal("-3500.00"), Decimal(-100))


def test_unknown_has_no_difference_and_no_total(planned: Planned) -> None:
    found = cost_diff(project(planned("4xa100")), project(planned("4xa100", weights=Weights(storage="pvc"))))
    storage = next(line for line in found.lines if line.name == "Weights storage")
    assert (storage.before_usd, storage.after_usd, storage.delta_usd) == (Decimal("0.00"), None, None)
    assert (found.total.after_usd, found.total.delta_usd) == (None, None)
    assert found.known.after_usd == Decimal("9500.00")


def test_new_lines_come_first_and_gone_ones_keep_their_arithmetic() -> None:
    found = cost_diff(bill(gone=Decimal(1), kept=Decimal(2)), bill(kept=Decimal(2), new=Decimal(3)))
    assert [(line.name, line.delta_usd, line.detail) for line in found.lines] == [
        ("kept", Decimal("0.00"), "how kept"),
        ("new", Decimal("3.00"), "how new"),
        ("gone", Decimal("-1.00"), "how gone"),
    ]


@given(BILLS, BILLS)
def test_totals_are_the_sums_of_their_lines(before: CostProjection, after: CostProjection) -> None:
    found = cost_diff(before, after)
    assert found.total.before_usd == sum(line.before_usd or 0 for line in found.lines)
    assert found.total.after_usd == sum(line.after_usd or 0 for line in found.lines)
    assert found.total.delta_usd == sum(line.delta_usd or 0 for line in found.lines)


@given(BILLS)
def test_nothing_changes_against_itself(projection: CostProjection) -> None:
    found = cost_diff(projection, projection)
    assert all(line.delta_usd == 0 for line in (*found.lines, found.total))


@given(BILLS, BILLS)
def test_there_and_back_cancel(one: CostProjection, other: CostProjection) -> None:
    there, back = cost_diff(one, other).total.delta_usd, cost_diff(other, one).total.delta_usd
    assert there is not None
    assert back is not None
    assert there == -back
