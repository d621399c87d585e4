"""Bytes that the pinned vLLM sets aside for LoRA adapters of a model: `adapter_slots.py FOLDER MAX_LORAS MAX_RANK`.

FOLDER holds a config.json and a tokenizer; weights are random. The last line of stdout is the number of bytes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

os.environ |= {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_HOST_IP": "127.0.0.1"}

import torch
from vllm import LLM


def tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from tensors(part)


def slots(model: torch.nn.Module) -> dict[int, int]:
    """Bytes by the storage's address: some tensors are views of others."""
    found = {}
    for module in model.modules():
        for name, value in vars(module).items():
            if "lora_a_stacked" in name or "lora_b_stacked" in name:
                for tensor in tensors(value):
                    found[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
    return found


def main(folder: str, max_loras: int, max_rank: int) -> None:
    llm = LLM(
        folder,
        load_format="dummy",
        dtype="bfloat16",
        enforce_eager=True,
        enable_lora=True,
        max_loras=max_loras,
        max_lora_rank=max_rank,
        max_model_len=64,
    )
    (found,) = llm.apply_model(slots)
    sys.stdout.write(f"\n{sum(found.values())}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
