"""The comparison itself: it must not take anything for what is printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.docs.console import is_shown, steps

REAL = "first\nsecond\nthird\nfourth\n"


@pytest.mark.parametrize(
    "printed",
    [REAL, "first\n…\nfourth", "…\nthird\nfourth", "first\n…", "first\n…\nthird\n…", "…", "first\n…\nthird\n…\nfourth"],
)
def test_what_is_printed(printed: str) -> None:
    assert is_shown(REAL, printed)


@pytest.mark.parametrize(
    "printed",
    ["", "first", "first\nsecond\nthird", "second\n…", "…\nthird", "first\n…\nfifth\n…", "first\n…\nthird\n…\nsecond"],
)
def test_what_is_not(printed: str) -> None:
    assert not is_shown(REAL, printed)


def test_a_line_is_not_matched_twice() -> None:
    assert not is_shown("first\nlast", "first\n…\nlast\n…\nlast")


def test_what_differs_from_run_to_run() -> None:
    real = "starting the sandbox … done in 6 s\n  +  create  B\n  +  create  A\nat https://127.0.0.1:31234/\n"
    assert is_shown(real, "  +  create  A\n  +  create  B\nat https://127.0.0.1:32765/")
    assert not is_shown(real, "  +  create  A\n  +  create  C\nat https://127.0.0.1:32765/")


def test_steps_of_a_document(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("# Page\n\n```sh\nmake\n```\n\n```console\n$ deploy a\nA\n\nB\n$ deploy b\n```\n")
    first, second = steps(document)
    assert (first.command, first.output, first.where) == ("deploy a", "A\n\nB\n", "page.md:8")
    assert (second.command, second.output, second.where) == ("deploy b", "", "page.md:12")
