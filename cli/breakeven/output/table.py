"""Rows as a text or Markdown table. Our own 30 lines: tabulate alone would cost a third of the start-up."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = re.compile(r"(at least )?[+\-−]?\$?[\d,]+(\.\d+)?( ?[%×])?|-|unknown|never|not priced|by the second")


def text(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns two spaces apart; columns of figures to the right. No trailing newline."""
    widths = [max(len(cell) for cell in column) for column in zip(headers, *rows, strict=True)]
    right = _right_aligned(headers, rows)
    return "\n".join(_text_row(row, widths, right) for row in (headers, *rows))


def markdown(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A GitHub table; `|` in cells is escaped. No trailing newline."""
    escaped = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    rules = ["--:" if right else "---" for right in _right_aligned(headers, rows)]
    lines = [list(headers), rules, *escaped]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def render(output: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """By the value of `-o`: "table" or "markdown"."""
    return markdown(headers, rows) if output == "markdown" else text(headers, rows)


def _text_row(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = (
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(row, widths, right, strict=True)
    )
    return "  ".join(cells).rstrip()


def _right_aligned(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[bool]:
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in headers]
    return [
        bool(column) and all(_NUMBER.fullmatch(cell.strip("*")) or not cell for cell in column) for column in columns
    ]
