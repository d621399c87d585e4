"""The applies of a stack: what was good last, and what the month has cost so far."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from breakeven.core.cost import CostProjection
from breakeven.core.cost_line import CostLine
from breakeven.core.history import Apply, Spent, last_good, latest, spans, spent

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def apply(day: int, replicas: int, *, succeeded: bool = True, month: int = 11) -> Apply:
    started = datetime(2026, month, day, tzinfo=UTC)
    return Apply(started=started, ended=started, succeeded=succeeded, deployment={"replicas": replicas})


def bill(usd: str | None) -> CostProjection:
    monthly = None if usd is None else Decimal(usd)
    return CostProjection(lines=(CostLine(name="GPU rent", monthly_usd=monthly, detail="", source=""),))


def replicas(found: Apply | None) -> Any:
    return found and found.deployment["replicas"]


def test_the_last_good_one_has_other_inputs_and_succeeded() -> None:
    applies = [apply(1, 1), apply(2, 2), apply(3, 3, succeeded=False)]
    assert replicas(last_good(applies, {"replicas": 3})) == 2
    assert replicas(last_good(applies, {"replicas": 2})) == 1
    assert last_good([apply(1, 1)], {"replicas": 1}) is None
    assert last_good([], {}) is None
    assert last_good([apply(1, 1)], {"replicas": 1, "budget": {"max_usd_per_month": "9000"}}) is None


def test_an_apply_that_was_killed_is_in_no_record_but_its_inputs() -> None:
    applies = [apply(1, 1), apply(2, 2, succeeded=False)]
    assert latest(applies, {"replicas": 2}) is applies[1]
    assert latest(applies, {"replicas": 3}) is None
    assert latest([], {"replicas": 3}) is None


def test_the_month_begins_on_its_first_day() -> None:
    (span,) = spans([apply(5, 1, month=10)], NOW)
    assert span.start == datetime(2026, 11, 1, tzinfo=UTC)
    assert span.hours == 23 * 24 + 12


def test_each_good_apply_ends_the_one_before_and_a_failed_one_ends_none() -> None:
    found = spans([apply(20, 2), apply(10, 1), apply(15, 9, succeeded=False)], NOW)
    assert [(span.deployment["replicas"], span.start.day, span.end.day) for span in found] == [(1, 10, 20), (2, 20, 24)]
    assert spans([apply(1, 1, succeeded=False)], NOW) == ()


def test_spent_is_the_monthly_bill_by_the_hour() -> None:
    # 10 days = 240 h at $7,300/730 h = $10/h; 4.5 days = 108 h at $20/h.
    reigns = spans([apply(10, 1), apply(20, 2)], NOW)
    assert spent(reigns, [bill("7300"), bill("14600")]) == Spent(
        usd=Decimal("4560.00"), since=reigns[0].start, hours=Decimal(348), at_least=False
    )
    assert spent((), ()) is None


def test_an_unknown_price_makes_it_at_least() -> None:
    reigns = spans([apply(10, 1), apply(20, 2)], NOW)
    for unknown in (None, bill(None)):
        found = spent(reigns, [unknown, bill("14600")])
        assert found
        assert (found.usd, found.at_least) == (Decimal("2160.00"), True)


@given(st.lists(st.tuples(st.integers(1, 24), st.booleans()), max_size=8))
def test_spans_never_overlap_and_lie_in_the_month(days: list[tuple[int, bool]]) -> None:
    found = spans([apply(day, index, succeeded=good) for index, (day, good) in enumerate(days)], NOW)
    assert all(earlier.end <= later.start for earlier, later in pairwise(found))
    assert all(span.start < span.end <= NOW for span in found)
    if found:
        assert found[-1].end == NOW
