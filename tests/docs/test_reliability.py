"""The matrix of faults is what the tests say of themselves."""

from __future__ import annotations

from tests.reliability import DOCUMENT, faults, render, results

WRITTEN = DOCUMENT.read_text(encoding="utf-8")


def test_the_document_has_the_rows_of_the_tests() -> None:
    assert render(results(WRITTEN)) == WRITTEN, "`make reliability` writes it anew"


def test_there_are_enough_and_each_says_how_it_ends() -> None:
    assert len(faults()) >= 40
    assert all(fault.exit for fault in faults())


def test_no_fault_is_known_to_be_open() -> None:
    assert "| failed" not in WRITTEN
