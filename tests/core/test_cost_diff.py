from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.core.cost import CostProjection, project
from breakeven.core.cost_diff import NOTHING, CostDiff, DiffLine, InputChange, cost_diff
from breakeven.core.cost_line import CostInput, CostLine
from breakeven.core.deployment import Prices, Weights
from breakeven.core.plan import Plan

Planned = Callable[..., Plan]

CENTS = st.decimals(min_value=0, max_value=10**6, places=2)
INPUTS = st.dictionaries(st.sampled_from(["nodes", "price"]), st.sampled_from("12")).map(
    lambda found: tuple(CostInput(name=name, value=value) for name, value in found.items())
)


def bills(usd: st.SearchStrategy[Decimal | None]) -> st.SearchStrategy[CostProjection]:
    lines = st.builds(
        CostLine, name=st.sampled_from("abcdef"), monthly_usd=usd, detail=st.just(""), source=st.just(""), inputs=INPUTS
    )
    return st.lists(lines, unique_by=lambda line: line.name).map(lambda found: CostProjection(lines=tuple(found)))


KNOWN, ANY = bills(CENTS), bills(st.none() | CENTS)


def bill(**usd: Decimal | None) -> CostProjection:
    return CostProjection(
        lines=tuple(
            CostLine(name=name, monthly_usd=amount, detail=f"how {name}", source="") for name, amount in usd.items()
        )
    )


def named(diff: CostDiff, name: str) -> DiffLine:
    return next(line for line in diff.lines if line.name == name)


def test_a_second_node(planned: Planned) -> None:
    found = cost_diff(project(planned("4xa100")), project(planned("4xa100", nodes=2)))
    rent = found.lines[0]
    assert (rent.name, rent.kind, rent.delta_usd, rent.delta_percent) == (
        "GPU rent",
        "changed",
        Decimal(8000),
        Decimal(100),
    )
    assert rent.detail == "2 nodes × $8,000.00, reference row of 4xa100"
    assert rent.changes == (InputChange(name="nodes", before="1", after="2"),)
    assert [line.name for line in found.unchanged] == ["Operations", "Setup, amortised"]
    # 8,000 ÷ 9,500 = 84.2 %
    assert (found.before_usd, found.after_usd, found.rise_usd) == (
        Decimal("9500.00"),
        Decimal("17500.00"),
        Decimal(8000),
    )
    assert found.delta_percent is not None
    assert round(found.delta_percent, 1) == Decimal("84.2")


@pytest.mark.parametrize(
    ("inputs", "line", "changes"),
    [
        (
            {"prices": Prices(offer="runpod-secure-a100")},
            "GPU rent",
            {
                "usd_per_gpu_hour": (None, "1.79"),
                "price": ("reference row of 4xa100", "offer runpod-secure-a100"),
                "usd_per_node_month": ("8000", None),
            },
        ),
        ({"prices": Prices(ops_usd_per_month=Decimal(1500))}, "Operations", {"ops_usd_per_month": ("1000", "1500")}),
    ],
)
def test_the_inputs_that_changed_are_named(
    planned: Planned, inputs: dict[str, object], line: str, changes: dict[str, tuple[str | None, str | None]]
) -> None:
    found = named(cost_diff(project(planned("4xa100")), project(planned("4xa100", **inputs))), line)
    assert {one.name: (one.before, one.after) for one in found.changes} == changes


def test_another_size_of_the_weights_is_named(planned: Planned) -> None:
    prices, weights = Prices(storage_usd_per_gib_month=Decimal("0.1")), Weights(storage="pvc")
    one = project(planned("4xa100", prices=prices, weights=weights))
    other = project(planned("4xa100", model="Qwen/Qwen3-8B", replicas=1, prices=prices, weights=weights))
    assert [change.name for change in named(cost_diff(one, other), "Weights storage").changes] == ["gib"]


def test_a_first_apply_has_no_percentage(planned: Planned) -> None:
    found = cost_diff(NOTHING, project(planned("1xa100")))
    assert (found.before_usd, found.delta_usd, found.delta_percent) == (Decimal(0), Decimal("3500.00"), None)
    assert {line.kind for line in found.lines} == {"added"}


def test_a_removal_saves_all(planned: Planned) -> None:
    found = cost_diff(project(planned("1xa100")), NOTHING)
    assert (found.delta_usd, found.delta_percent) == (Decimal("-3500.00"), Decimal(-100))
    assert {line.kind for line in found.lines} == {"removed"}


def test_unknown_has_no_difference_and_no_total(planned: Planned) -> None:
    found = cost_diff(project(planned("4xa100")), project(planned("4xa100", weights=Weights(storage="pvc"))))
    storage = named(found, "Weights storage")
    assert (storage.before_usd, storage.after_usd, storage.delta_usd) == (Decimal("0.00"), None, None)
    assert (found.unknown, found.delta_usd, found.after_usd) == (("Weights storage",), None, Decimal("9500.00"))


def test_an_unknown_price_is_not_taken_as_saved() -> None:
    """$10.00 become unknown: the rest of the bill rises by $1.00, and not by $1.00 − $10.00."""
    found = cost_diff(bill(a=Decimal(10), b=Decimal(2)), bill(a=None, b=Decimal(3)))
    assert (found.rise_usd, found.delta_usd) == (Decimal(1), None)


def test_new_lines_come_first_and_gone_ones_keep_their_arithmetic() -> None:
    found = cost_diff(bill(gone=Decimal(1), kept=Decimal(2)), bill(kept=Decimal(2), new=Decimal(3)))
    assert [(line.name, line.kind, line.delta_usd, line.detail) for line in found.lines] == [
        ("kept", "unchanged", Decimal("0.00"), "how kept"),
        ("new", "added", Decimal("3.00"), "how new"),
        ("gone", "removed", Decimal("-1.00"), "how gone"),
    ]


def test_two_lines_of_one_name_are_no_bill() -> None:
    line = CostLine(name="a", monthly_usd=Decimal(1), detail="", source="")
    with pytest.raises(ValueError, match="same name"):
        CostProjection(lines=(line, line))


@given(ANY, ANY)
def test_columns_add_up(before: CostProjection, after: CostProjection) -> None:
    found = cost_diff(before, after)
    assert found.before_usd == sum(line.before_usd or 0 for line in found.lines) == before.monthly_usd
    assert found.after_usd == sum(line.after_usd or 0 for line in found.lines) == after.monthly_usd
    deltas = [line.delta_usd for line in found.lines]
    assert found.delta_usd == (None if None in deltas else sum(delta or 0 for delta in deltas))


@given(KNOWN, KNOWN)
def test_the_change_leads_from_one_bill_to_the_other(before: CostProjection, after: CostProjection) -> None:
    found = cost_diff(before, after)
    assert found.delta_usd == found.rise_usd == after.monthly_usd - before.monthly_usd


@given(ANY)
def test_nothing_changes_against_itself(projection: CostProjection) -> None:
    found = cost_diff(projection, projection)
    assert found.changed == ()
    assert found.delta_usd == 0


@given(ANY, ANY)
def test_there_and_back_cancel(one: CostProjection, other: CostProjection) -> None:
    there, back = cost_diff(one, other), cost_diff(other, one)
    assert {line.name: sides(line) for line in there.lines} == {line.name: turned(line) for line in back.lines}
    assert there.delta_usd == (None if back.delta_usd is None else -back.delta_usd)


Sides = tuple[str, Decimal | None, Decimal | None, Decimal | None, set[tuple[str, str | None, str | None]]]


def sides(line: DiffLine) -> Sides:
    changes = {(one.name, one.before, one.after) for one in line.changes}
    return line.kind, line.before_usd, line.after_usd, line.delta_usd, changes


def turned(line: DiffLine) -> Sides:
    """What the same line is with its sides exchanged."""
    kind = {"added": "removed", "removed": "added"}.get(line.kind, line.kind)
    delta = None if line.delta_usd is None else -line.delta_usd
    return kind, line.after_usd, line.before_usd, delta, {(one.name, one.after, one.before) for one in line.changes}
