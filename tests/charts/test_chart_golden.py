"""The chart's schema, defaults and README are what the types of its values say. `make golden` writes them anew."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.charts import generated

from breakeven import resources

BEGIN, END = "<!-- values: make golden -->\n", "<!-- end of values -->\n"


def _with_table(path: Path, table: list[str]) -> str:
    """The document, with the table between its marks."""
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    assert end, f"{path} has no {END!r}"
    return before + BEGIN + "\n" + "\n".join(table) + "\n\n" + END + after


CHART, DOCS = resources.chart(), resources.root() / "docs" / "chart.md"
FILES: dict[Path, Callable[[], str]] = {
    CHART / "values.schema.json": lambda: json.dumps(generated.schema(), indent=2, ensure_ascii=False) + "\n",
    CHART / "values.yaml": generated.defaults_yaml,
    CHART / "README.md": lambda: _with_table(CHART / "README.md", generated.table()),
    DOCS: lambda: _with_table(DOCS, generated.deployment_table()),
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_chart_says_what_the_types_say(path: Path) -> None:
    text = FILES[path]()
    if os.environ.get("BREAKEVEN_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, f"{path.name} is not current: make golden"
