"""Models that are counted from a config.json, beside the pinned vLLM's own, built from the same file on a CPU."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from breakeven.core.model import Model
from breakeven.huggingface.model import model as read_model

CONFIGS: Final = Path(__file__).parents[1] / "data" / "model_configs"
FILES: Final = ("Qwen--Qwen3-Next-80B-A3B-Instruct", "google--gemma-4-E2B", "google--gemma-4-E4B")
CHECKPOINTS: Final = (
    "nvidia--DeepSeek-V3.1-NVFP4",
    "nvidia--Gemma-4-26B-A4B-NVFP4",
    "nvidia--MiniMax-M2.5-NVFP4",
    "nvidia--NVIDIA-Nemotron-3-Nano-30B-A3B-NVFP4",
    "nvidia--Qwen3-235B-A22B-NVFP4",
    "nvidia--Qwen3.5-122B-A10B-NVFP4",
)
# What is not counted: norms, scales of whole matrices, a value's matrix where keys stand for values (Gemma 4).
WITHIN: Final = 0.002

Built = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def built(inside: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Built:
    root = tmp_path_factory.mktemp("built")
    for stem in FILES:
        (root / stem).mkdir()
        shutil.copyfile(CONFIGS / f"{stem}.json", root / stem / "config.json")
    for stem in CHECKPOINTS:
        shutil.copytree(CONFIGS / stem, root / stem)
    stems = {str(root / stem): stem for stem in (*FILES, *CHECKPOINTS)}
    found = inside("model_weights", given=list(stems))
    return {stem: {**found[path], "path": path} for path, stem in stems.items()}


def ours(built: Built, stem: str) -> Model:
    return read_model(Path(built[stem]["path"]) / "config.json")


@pytest.mark.parametrize("stem", [*FILES, *CHECKPOINTS])
def test_weights_are_as_large_as_vllms(built: Built, stem: str) -> None:
    assert ours(built, stem).weights_bytes == pytest.approx(built[stem]["bytes"], rel=WITHIN)


@pytest.mark.parametrize("stem", CHECKPOINTS)
def test_the_cache_is_kept_as_the_checkpoint_asks(built: Built, stem: str) -> None:
    assert built[stem]["kv_cache_dtype"].startswith(ours(built, stem).kv_cache_dtype)


@pytest.mark.parametrize("stem", [*FILES, *CHECKPOINTS])
def test_the_same_layers_keep_something(built: Built, stem: str) -> None:
    assert built[stem]["kept"] == sorted(kept(ours(built, stem)))


@pytest.mark.parametrize("stem", [*FILES, *CHECKPOINTS])
def test_a_recurrent_layer_keeps_as_much(built: Built, stem: str) -> None:
    """In 16 bits with Qwen3-Next, whose config asks for nothing else."""
    recurrent = ours(built, stem).recurrent
    assert built[stem]["state_bytes"] == (recurrent.bytes_per_request(1) if recurrent else 0)


def kept(model: Model) -> list[list[Any]]:
    if model.mla:
        return [["latent", 1, model.mla.kv_lora_rank + model.mla.qk_rope_head_dim, model.layers]]
    full = [["full", model.kv_heads, model.head_dim, model.full_layers]]
    if model.sliding is None:
        return full
    heads, size = model.sliding.kv_heads or model.kv_heads, model.sliding.head_dim or model.head_dim
    return [*full, ["sliding", heads, size, model.sliding.layers]]
