"""The aims of the estimate on what vLLM logged; the figures that are reached: docs/accuracy.md."""

from __future__ import annotations

from statistics import median

from bench import accuracy_memory as accuracy

FOUND = accuracy.points()


def test_all_starts_that_logged_tokens_count() -> None:
    assert len(accuracy.rows()) == 74
    assert len(FOUND) == 61


def test_tokens_follow_from_the_logged_memory() -> None:
    assert accuracy.within((point.tokens_given for point in FOUND), 0.003) >= 0.98
    assert accuracy.within((point.concurrency_given for point in FOUND), 0.005) >= 0.98


def test_tokens_without_the_log() -> None:
    assert median(abs(point.tokens) for point in FOUND) <= 0.015
    assert accuracy.within((point.tokens for point in FOUND), 0.05) >= 0.90


def test_families_that_gave_no_constant_are_met_too() -> None:
    others = [point for point in FOUND if point.family not in accuracy.CALIBRATION]
    assert len(others) == 41
    assert median(abs(point.tokens) for point in others) <= 0.015
    assert accuracy.within((point.tokens for point in others), 0.05) >= 0.90


def test_the_margin_covers_every_start() -> None:
    from breakeven.core.memory import MARGIN_GIB

    assert max(point.kv_gib for point in FOUND) < MARGIN_GIB
    # As later versions count: less the graphs, and with the error of their estimate.
    assert max(point.kv_gib - point.graphs_gib for point in FOUND) < MARGIN_GIB


def test_starts_that_the_configuration_forbids_are_refused_for_that_reason() -> None:
    context, heads = map(accuracy.refusal, accuracy.REFUSED)
    assert context == "max_model_len 8,192 exceeds the context of microsoft/phi-2, 2,048"
    assert heads == "tensor_parallel_size 5 does not divide Qwen/Qwen3-14B: it has a vocabulary of 151,936"


def test_the_table_names_every_family() -> None:
    lines = accuracy.table(FOUND).splitlines()
    assert [line.split(" |")[0].lstrip("| ") for line in lines[-3:]] == ["**gave constants**", "**others**", "**all**"]
    assert len(lines) == 2 + len({point.family for point in FOUND}) + 3
