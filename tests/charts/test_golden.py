"""Rendered examples, checked in, so that a change of the chart is read as a change of manifests.

`make golden` writes them anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.charts.choices import CHOICES

from breakeven import load, render
from breakeven.core.plan import Plan
from breakeven.yaml_text import to_yaml

Planned = Callable[..., Plan]

GOLDEN = Path(__file__).parents[1] / "golden"


# Beside each profile's own model: a small one, and one of experts in four bits.
MODELS = ("Qwen/Qwen3-8B", "openai/gpt-oss-120b")


@pytest.mark.parametrize("profile", sorted(load.profiles()))
def test_the_checked_in_example_is_current(planned: Planned, helm: Path, profile: str) -> None:
    plan = planned(profile)
    _check({f"{profile}.values": render.values_yaml(plan), f"{profile}.manifests": _manifests(plan, helm)})


@pytest.mark.parametrize("profile", sorted(load.profiles()))
@pytest.mark.parametrize("model", MODELS)
def test_the_checked_in_manifests_of_a_model_are_current(
    planned: Planned, helm: Path, profile: str, model: str
) -> None:
    _check({f"models/{profile}.{model.replace('/', '--')}": _manifests(planned(profile, model=model), helm)})


@pytest.mark.parametrize("name", CHOICES)
def test_the_checked_in_manifests_of_a_choice_are_current(planned: Planned, helm: Path, name: str) -> None:
    plan = planned("8xh100", model="Qwen/Qwen3-8B", **CHOICES[name])
    _check({f"choices/{name.replace(' ', '-')}": _manifests(plan, helm)})


def _manifests(plan: Plan, helm: Path) -> str:
    return "---\n".join(map(to_yaml, render.manifests(plan, helm)))


def _check(rendered: dict[str, str]) -> None:
    """Text by the name of its file."""
    for name, text in rendered.items():
        path = GOLDEN / f"{name}.yaml"
        if os.environ.get("BREAKEVEN_WRITE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is not current: make golden"
