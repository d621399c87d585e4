"""What the core reckons for LoRA adapters, against what the pinned vLLM sets aside when it starts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from breakeven.core.adapters import adapters_bytes
from breakeven.core.engine_args import EngineArgs
from breakeven.huggingface.model import model as read_model

ARGS: Final = EngineArgs(max_loras=3, max_lora_rank=32)
# A Qwen3 with eight experts in each layer.
EXPERTS: Final = {
    "architectures": ["Qwen3MoeForCausalLM"],
    "model_type": "qwen3_moe",
    "moe_intermediate_size": 64,
    "intermediate_size": 64,
    "num_experts": 8,
    "num_experts_per_tok": 2,
    "decoder_sparse_step": 1,
    "norm_topk_prob": True,
    "mlp_only_layers": [],
    "head_dim": 32,
}


def _set_aside(inside: Callable[..., Any], folder: Path) -> int:
    return int(inside("adapter_slots", folder, ARGS.max_loras, ARGS.max_lora_rank))


def test_slots_of_a_dense_model_are_exact(inside: Callable[..., Any], tiny_model: Path) -> None:
    model = read_model(tiny_model / "config.json")
    assert adapters_bytes(model, ARGS, 0) == _set_aside(inside, tiny_model)


def test_slots_of_experts_are_not_more_than_reckoned(
    inside: Callable[..., Any], tiny_model: Path, tmp_path: Path
) -> None:
    """The core adds a dense layer, of which this model has none, instead of the router."""
    folder = tmp_path / "experts"
    shutil.copytree(tiny_model, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | EXPERTS), encoding="utf-8")
    model = read_model(folder / "config.json")
    set_aside = _set_aside(inside, folder)
    assert set_aside <= adapters_bytes(model, ARGS, 0) <= 1.1 * set_aside
