"""Makes a random LoRA adapter of rank 8 for the tiny model's queries and values: `tiny_adapter.py FOLDER MODEL`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

RANK = 8


def main(folder: Path, model: Path) -> None:
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    hidden = config["hidden_size"]
    outputs = {"q_proj": hidden, "v_proj": config["num_key_value_heads"] * config["head_dim"]}
    torch.manual_seed(1)
    tensors = {}
    for layer in range(config["num_hidden_layers"]):
        for name, width in outputs.items():
            prefix = f"base_model.model.model.layers.{layer}.self_attn.{name}"
            tensors[f"{prefix}.lora_A.weight"] = torch.randn(RANK, hidden, dtype=torch.bfloat16)
            tensors[f"{prefix}.lora_B.weight"] = torch.randn(width, RANK, dtype=torch.bfloat16)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    adapter = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": str(model),
        "r": RANK,
        "lora_alpha": 2 * RANK,
        "target_modules": sorted(outputs),
        "bias": "none",
    }
    (folder / "adapter_config.json").write_text(json.dumps(adapter), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
