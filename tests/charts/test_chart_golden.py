"""The chart's schema, defaults and README are what the types of its values say. `make golden` writes them anew."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.charts import generated

from breakeven import resources

BEGIN, END = "<!-- values: make golden -->\n", "<!-- end of values -->\n"


def _readme() -> str:
    text = (resources.chart() / "README.md").read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert end, f"the README of the chart has no {END!r}"
    return before + BEGIN + "\n" + "\n".join(generated.table()) + "\n\n" + END + after


CHART = resources.chart()
FILES = {
    CHART / "values.schema.json": lambda: json.dumps(generated.schema(), indent=2, ensure_ascii=False) + "\n",
    CHART / "values.yaml": generated.defaults_yaml,
    CHART / "README.md": _readme,
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_chart_says_what_the_types_say(path: Path) -> None:
    text = FILES[path]()
    if os.environ.get("BREAKEVEN_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, f"{path.name} is not current: make golden"
