from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from breakeven import load

Deploy = Callable[..., Result]


def test_the_list(deploy: Deploy) -> None:
    lines = deploy("models").stdout.splitlines()
    columns = ["Model", "Parameters", "Active", "Weights", "Precision", "Context", "Licence", "Gated", "Checked"]
    assert lines[0].split() == columns
    assert [line.split()[0] for line in lines[1:]] == list(load.models())
    assert lines[1].startswith("Qwen/Qwen3-8B ")
    facts = ["8.19", "B", "8.19", "B", "15.3", "GiB", "bf16", "40,960", "Apache-2.0", "no", "2026-11-24"]
    assert lines[1].split()[1:] == facts


# Plain, and one of each kind of layer: latent with an index, windows, recurrent states; no date, no hosted twin.
@pytest.mark.parametrize(
    "name",
    ["Qwen/Qwen3-8B", "zai-org/GLM-5.2", "google/gemma-3-12b-it", "Qwen/Qwen3.5-27B", "tiiuae/falcon-7b-instruct"],
)
def test_one_in_full(deploy: Deploy, name: str) -> None:
    found, model = deploy("models", name), load.models()[name]
    assert found.exit_code == 0
    for fact in (name, model.source, model.comparator or "none known", model.licence, model.openness):
        assert fact in found.stdout


def test_what_is_not_kept_for_every_token(deploy: Deploy) -> None:
    assert "one latent for all heads, whole on every GPU" in deploy("models", "deepseek-ai/DeepSeek-V3").stdout
    assert "40 layers within 1,024 tokens only" in deploy("models", "google/gemma-3-12b-it").stdout
    # 3,207,168 B × 48 layers = 146.8 MiB.
    assert "and 147 MiB a request for 48 recurrent layers" in deploy("models", "Qwen/Qwen3.5-27B").stdout


def test_a_config_file(deploy: Deploy) -> None:
    path = str(Path(__file__).parents[1] / "data" / "model_configs" / "Qwen--Qwen3-8B.json")
    found = deploy("models", path)
    assert "8.19" in found.stdout
    assert path in found.stdout


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
