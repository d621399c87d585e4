"""What the core reckons, asked of the pinned vLLM's own code where that needs no GPU."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from breakeven import load
from breakeven.core.engine_args import GPU_MEMORY_UTILIZATION, EngineArgs
from breakeven.core.memory import kv_cache
from breakeven.core.model import Model
from breakeven.core.units import GIB
from breakeven.huggingface.model import model as read_model

CONFIGS: Final = Path(__file__).parents[1] / "data" / "model_configs"
# Neither vLLM's library for configurations nor, of the second, our own reader knows them.
UNKNOWN: Final = {"MiniMaxAI--MiniMax-M3", "deepseek-ai--DeepSeek-V4-Flash"}
H100: Final = load.accelerators()["h100-80gb"]
CACHE_GIB: Final = 40
# No multiple of a block, so that what is rounded shows.
LENGTHS: Final = (1000, 30_001)

Rules = dict[str, Any]


def understood() -> dict[str, Model]:
    stems = {path.stem for path in CONFIGS.glob("*.json")} - UNKNOWN
    return {stem: read_model(CONFIGS / f"{stem}.json") for stem in sorted(stems)}


def cached() -> Iterator[tuple[Model, int]]:
    """Models that keep something per token and nothing else: states and an indexer's keys have pages of their own."""
    for model in load.models().values():
        if model.recurrent is None and model.indexer is None:
            yield from ((model, min(length, model.context_length - 1)) for length in LENGTHS)


def layers(model: Model) -> list[dict[str, Any]]:
    """For vLLM, what each layer keeps, in the type that the checkpoint asks for."""
    return [{**kind, "fp8": model.kv_cache_dtype == "fp8"} for kind in kinds(model)]


def kinds(model: Model) -> list[dict[str, Any]]:
    if model.mla:
        size = model.mla.kv_lora_rank + model.mla.qk_rope_head_dim
        return [{"kind": "latent", "count": model.layers, "head_size": size}]
    full = {"kind": "full", "count": model.full_layers, "kv_heads": model.kv_heads, "head_size": model.head_dim}
    if model.sliding is None:
        return [full]
    sliding = model.sliding
    return [
        full,
        {
            "kind": sliding.kind,
            "count": sliding.layers,
            "kv_heads": sliding.kv_heads or model.kv_heads,
            "head_size": sliding.head_dim or model.head_dim,
            "window": sliding.window,
        },
    ]


@pytest.fixture(scope="module")
def rules(inside: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Rules:
    """All that is asked, in one start of Python."""
    root = tmp_path_factory.mktemp("configs")
    for stem in understood():
        (root / stem).mkdir()
        shutil.copyfile(CONFIGS / f"{stem}.json", root / stem / "config.json")
    accelerators = {
        name: {"title": found.title, "memory_gib": found.memory_gib} for name, found in load.accelerators().items()
    }
    caches = [
        {
            "layers": layers(model),
            "max_model_len": length,
            "max_num_batched_tokens": H100.max_num_batched_tokens,
            "memory_bytes": CACHE_GIB * GIB,
        }
        for model, length in cached()
    ]
    configs = {str(root / stem): stem for stem in understood()}
    answer: Rules = inside(
        "engine_rules", given={"accelerators": accelerators, "caches": caches, "configs": sorted(configs)}
    )
    answer["architectures"] = {configs[path]: found for path, found in answer["architectures"].items()}
    return answer


def test_defaults_are_vllms(rules: Rules) -> None:
    args = EngineArgs()
    assert rules["defaults"] == {
        "gpu_memory_utilization": GPU_MEMORY_UTILIZATION,
        "block_size": kv_cache(load.model("Qwen/Qwen3-8B"), H100).layout.block_tokens,
        "enable_prefix_caching": args.enable_prefix_caching,
    }


def test_batches_are_vllms_defaults_on_every_accelerator(rules: Rules) -> None:
    catalogue = {
        name: {"max_num_batched_tokens": found.max_num_batched_tokens, "max_num_seqs": found.max_num_seqs}
        for name, found in load.accelerators().items()
    }
    assert rules["batches"] == catalogue


def test_vllm_cuts_the_same_memory_into_the_same_blocks(rules: Rules) -> None:
    """One kind of layer, windows, chunks and latents: every model of the catalogue that has no other kind."""
    differing = {}
    for (model, length), found in zip(cached(), rules["caches"], strict=True):
        fit = kv_cache(model, H100, EngineArgs(max_model_len=length, kv_cache_memory_gib=(CACHE_GIB,)))
        ours = {"blocks": fit.blocks, "kv_tokens": fit.kv_tokens, "concurrency": pytest.approx(fit.concurrency)}
        if found != ours:
            differing[model.name, length] = (found, ours)
    assert rules["caches"]
    assert not differing


def test_vllm_reads_the_same_from_a_config(rules: Rules) -> None:
    differing = {}
    assert len(rules["architectures"]) == 34
    for stem, model in understood().items():
        found, ours = rules["architectures"][stem], shape(model)
        if found != ours:
            differing[stem] = {key: (found[key], ours[key]) for key in ours if found[key] != ours[key]}
    assert not differing


def shape(model: Model) -> dict[str, Any]:
    """In the words of inside/engine_rules.py."""
    heads = {(model.kv_heads, model.head_dim)}
    if model.mla:
        heads = {(model.kv_heads, model.mla.kv_lora_rank + model.mla.qk_rope_head_dim)}
    if model.sliding:
        heads.add((model.sliding.kv_heads or model.kv_heads, model.sliding.head_dim or model.head_dim))
    return {
        "layers": model.layers,
        "hidden_size": model.hidden_size,
        "attention_heads": model.attention_heads,
        "vocabulary": model.vocabulary,
        "experts": model.experts.count if model.experts else 0,
        "experts_per_token": model.experts.per_token if model.experts else 0,
        "latent": model.mla is not None,
        "heads_kept": [list(pair) for pair in sorted(heads)],
    }
