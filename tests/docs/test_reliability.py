"""The matrix of faults names tests that exist."""

from __future__ import annotations

import re

import pytest

from breakeven import resources

NAMED = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", (resources.root() / "docs" / "reliability.md").read_text())


def test_the_matrix_has_as_many_rows_as_tests() -> None:
    rows = [line for line in (resources.root() / "docs" / "reliability.md").read_text().splitlines() if line[:1] == "|"]
    assert len(NAMED) == len(rows) - 2 >= 25


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_each_named_test_exists(file: str, name: str) -> None:
    assert f"\ndef {name}(" in (resources.root() / file).read_text()
