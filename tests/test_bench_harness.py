"""The arithmetic of the measurements; the measurements themselves are `make bench`."""

from __future__ import annotations

from bench.harness import ordered, race, results, table


def test_every_other_round_runs_backwards() -> None:
    assert [ordered(["a", "b", "c"], round_) for round_ in (0, 1, 2)] == [
        ["a", "b", "c"],
        ["c", "b", "a"],
        ["a", "b", "c"],
    ]


def test_rounds_of_warming_up_are_run_and_not_counted() -> None:
    ran: list[str] = []
    found = race({"a": lambda: ran.append("a"), "b": lambda: ran.append("b")}, rounds=2, warm_ups=1)
    assert ran == ["b", "a", "a", "b", "b", "a"]
    assert [len(result.seconds) for result in found] == [2, 2]


def test_ratios_are_taken_within_a_round() -> None:
    # The machine is twice as slow in the second round: 3 ÷ 2 = 6 ÷ 4 = 1.5.
    bare, ours = results({"bare": [2.0, 4.0], "ours": [3.0, 6.0]})
    assert bare.ratios == (1.0, 1.0)
    assert ours.ratios == (1.5, 1.5)


def test_the_table_shows_medians_and_spreads() -> None:
    shown = table("Start", results({"bare": [2.0, 2.0, 2.0], "ours": [2.0, 3.0, 8.0]}))
    assert shown.splitlines() == [
        "Start: median of 3 rounds (lowest to highest)",
        "  bare    2.000 (2.000 to 2.000) s     1.00 (1.00 to 1.00) ×",
        "  ours    3.000 (2.000 to 8.000) s     1.50 (1.00 to 4.00) ×",
    ]
