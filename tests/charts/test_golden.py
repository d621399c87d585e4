"""Rendered examples, checked in, so that a change of the chart is read as a change of manifests.

`make golden` writes them anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from breakeven import load, render
from breakeven.core.plan import Plan

Planned = Callable[..., Plan]

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize("profile", sorted(load.profiles()))
def test_the_checked_in_example_is_current(planned: Planned, helm: Path, profile: str) -> None:
    plan = planned(profile)
    rendered = {
        GOLDEN / f"{profile}.values.yaml": render.values_yaml(plan),
        GOLDEN / f"{profile}.manifests.yaml": "---\n".join(map(render.to_yaml, render.manifests(plan, helm))),
    }
    for path, text in rendered.items():
        if os.environ.get("BREAKEVEN_WRITE_GOLDEN"):
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is not current: make golden"
