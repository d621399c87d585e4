from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result

from breakeven import load

Deploy = Callable[..., Result]


def test_the_list(deploy: Deploy) -> None:
    lines = deploy("models").stdout.splitlines()
    assert lines[0].split() == ["Model", "Parameters", "Active", "Weights", "Context", "Licence", "Gated", "Checked"]
    assert [line.split()[0] for line in lines[1:]] == list(load.models())
    assert lines[1].startswith("Qwen/Qwen3-8B ")
    assert lines[1].endswith("  8.19 B      8.19 B   15.3 GiB    40,960  Apache-2.0           no     2026-11-24")


@pytest.mark.parametrize("name", sorted(load.models()))
def test_one_in_full(deploy: Deploy, name: str) -> None:
    found = deploy("models", name)
    assert found.exit_code == 0
    for fact in (name, load.models()[name].source, load.models()[name].comparator, load.models()[name].licence):
        assert fact in found.stdout


def test_json_has_all_facts(deploy: Deploy) -> None:
    data = json.loads(deploy("models", "-o", "json").stdout)
    assert data["schema"] == "breakeven.models/1"
    assert data["models"][0]["kv_heads"] == 8
    assert data["models"][0]["checked"] == "2026-11-24"
    one = json.loads(deploy("models", "Qwen/Qwen3-32B", "-o", "json").stdout)
    assert [model["name"] for model in one["models"]] == ["Qwen/Qwen3-32B"]


def test_markdown(deploy: Deploy) -> None:
    assert deploy("models", "-o", "markdown").stdout.startswith("| Model | Parameters | Active | Weights |")
    assert "| kv_heads | 8 |" in deploy("models", "Qwen/Qwen3-8B", "-o", "markdown").stdout


def test_an_unknown_name(deploy: Deploy) -> None:
    found = deploy("models", "qwen/qwen3-32b")
    assert found.exit_code == 2
    assert "did you mean Qwen/Qwen3-32B" in found.stderr
