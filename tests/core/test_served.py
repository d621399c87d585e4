from __future__ import annotations

from collections.abc import Callable

from breakeven.core.plan import Plan
from breakeven.core.record import record_plan
from breakeven.core.served import NOTHING_SERVED, recorded_served, served, served_diff

Planned = Callable[..., Plan]


def test_a_second_replica_doubles_what_is_served(planned: Planned) -> None:
    one, two = (served(planned("1xa100", replicas=replicas)) for replicas in (1, 2))
    assert {line.name: line.after for line in served_diff(one, two)} == {
        "requests_per_second": round(2 * planned("1xa100").capacity.requests_per_second, 4),
        "kv_tokens": 2 * one.kv_tokens,
        "concurrency": 2 * one.concurrency,
    }
    assert all(line.delta is not None and line.delta > 0 for line in served_diff(one, two))


def test_requests_at_once_are_those_that_the_cache_or_the_scheduler_holds(planned: Planned) -> None:
    short, long = planned("1xa100"), planned("1xa100", model="Qwen/Qwen3-32B")
    limit = short.facts.accelerator.max_num_seqs
    assert short.memory.requests(700) > limit == served(short).concurrency
    assert served(long).concurrency == int(long.memory.requests(700)) < limit


def test_nothing_changes_against_itself(planned: Planned) -> None:
    found = served(planned("4xa100"))
    assert [line.delta for line in served_diff(found, found)] == [0, 0, 0]


def test_a_first_apply_begins_with_nothing_and_an_old_record_is_not_known(planned: Planned) -> None:
    found = served(planned("4xa100"))
    assert [line.before for line in served_diff(NOTHING_SERVED, found)] == [0, 0, 0]
    assert [(line.before, line.delta) for line in served_diff(None, found)] == [(None, None)] * 3


def test_what_is_recorded_is_read_back(planned: Planned) -> None:
    record = record_plan(planned("4xa100"))
    assert recorded_served(record) == served(planned("4xa100"))
    assert recorded_served({"serves": {"kv_tokens": 1}}) is None
    assert recorded_served({}) is None
