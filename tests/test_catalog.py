"""Every packaged record, as such and against the config.json files that it was taken from."""

from __future__ import annotations

from pathlib import Path

import pytest

from breakeven import load
from breakeven.core.engine_args import EngineArgs
from breakeven.core.memory import kv_cache
from breakeven.huggingface.model import model as from_config

CONFIGS = Path(__file__).parent / "data" / "model_configs"
MODELS = load.models()

# Catalogue name → file name, where the file is of the same weights under another name.
OTHER_NAMES = {
    "meta-llama/Llama-3.1-8B-Instruct": "meta-llama/Meta-Llama-3.1-8B",
    "meta-llama/Llama-3.1-70B-Instruct": "meta-llama/Meta-Llama-3.1-70B",
    "meta-llama/Llama-3.1-405B-Instruct": "meta-llama/Meta-Llama-3.1-405B",
    "mistralai/Mixtral-8x7B-Instruct-v0.1": "mistralai/Mixtral-8x7B-v0.1",
    "mistralai/Mixtral-8x22B-Instruct-v0.1": "mistralai/Mixtral-8x22B-v0.1",
    "google/gemma-4-26B-A4B-it": "google/gemma-4-26B-A4B",
    "google/gemma-4-E2B-it": "google/gemma-4-E2B",
    "google/gemma-4-E4B-it": "google/gemma-4-E4B",
    "nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-FP8": "nvidia/NVIDIA-Nemotron-3-Super-120B-A12B",
}


def config_of(name: str) -> Path:
    stem = OTHER_NAMES.get(name, name).replace("/", "--")
    return CONFIGS / stem / "config.json" if (CONFIGS / stem).is_dir() else CONFIGS / f"{stem}.json"


def test_at_least_sixty_models_of_every_family_that_is_asked_for() -> None:
    assert len(MODELS) >= 60
    families = {model.family for model in MODELS.values()}
    assert families >= {"Llama 3", "Llama 3.1", "Llama 3.3", "Llama 4", "Mistral", "Mixtral", "Qwen2.5", "Qwen3"}
    assert families >= {"DeepSeek V2", "DeepSeek V3", "DeepSeek R1", "BLOOM", "Falcon", "OLMo 2", "gpt-oss", "Phi"}
    assert families >= {"Gemma 2", "Gemma 3", "Gemma 4", "Granite", "Qwen3.5", "Qwen3.6", "Nemotron 3", "GLM-5"}
    assert families >= {"Kimi K2", "Kimi K2.5", "MiniMax M2", "MiniMax M3", "DeepSeek V3.2"}
    assert families >= {"Kimi K2.6", "Kimi K2.7", "GLM-4.7"}


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_sizes_on_some_accelerator(name: str) -> None:
    model = MODELS[name]
    counts = [tp for tp in (1, 2, 4, 8, 16) if model.divides_by(tp)]
    accelerators = load.accelerators().values()
    length = min(8192, model.context_length)
    assert any(
        kv_cache(model, accelerator, EngineArgs(tensor_parallel_size=tp, max_model_len=length)).fits
        for accelerator in accelerators
        for tp in counts
    )


@pytest.mark.parametrize("name", sorted(name for name in MODELS if config_of(name).is_file()))
def test_models_agree_with_their_config(name: str) -> None:
    record, found = MODELS[name], from_config(config_of(name))
    # Llama 4's copied files leave the encoder out: 0.8 B.
    encoder = 0.81 if record.family == "Llama 4" else 0.0
    # The small Gemma 4's copied files leave the audio encoder out: 0.31 B.
    encoder += 0.308 if record.shared_cache else 0.0
    assert record.parameters_billion - encoder == pytest.approx(found.parameters_billion, abs=0.01)
    assert record.active_parameters_billion - encoder == pytest.approx(found.active_parameters_billion, abs=0.2)
    # The copied file of the one is without its quantisation.
    if not name.endswith("-FP8") or record.family != "Nemotron 3":
        assert record.kv_cache_dtype == found.kv_cache_dtype
    assert record.shared_cache == found.shared_cache
    if record.precision == "nvfp4":
        assert record.quantised_billion == pytest.approx(found.quantised_billion, abs=0.001)
    assert record.context_length == found.context_length
    assert record.kv_bytes_per_token(1) == found.kv_bytes_per_token(1)
    assert (record.layers, record.full_layers, record.recurrent) == (found.layers, found.full_layers, found.recurrent)
    assert (record.mla, record.sliding, record.indexer) == (found.mla, found.sliding, found.indexer)
    assert (record.hidden_size, record.intermediate_size) == (found.hidden_size, found.intermediate_size)
    assert (record.attention_heads, record.vocabulary) == (found.attention_heads, found.vocabulary)
    assert (record.tied_embeddings, record.rotary_dim) == (found.tied_embeddings, found.rotary_dim)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_models_name_a_source(name: str) -> None:
    model = MODELS[name]
    assert model.source.startswith("https://")
    assert model.attention_heads % model.kv_heads == 0


@pytest.mark.parametrize("name", sorted(load.accelerators()))
def test_accelerators_have_a_source_and_vllms_defaults(name: str) -> None:
    found = load.accelerators()[name]
    assert "https://" in found.source
    if found.memory_gib >= 160:
        defaults = (1024, 16384)
    elif found.memory_gib >= 70 and "a100" not in name:
        defaults = (1024, 8192)
    else:
        defaults = (256, 2048)
    assert (found.max_num_seqs, found.max_num_batched_tokens) == defaults


def test_the_accelerators_that_are_asked_for() -> None:
    assert set(load.accelerators()) >= {
        "a100-40gb",
        "a100-40gb-pcie",
        "a100-80gb",
        "a100-80gb-pcie",
        "h100-80gb",
        "h100-80gb-pcie",
        "h100-94gb-nvl",
        "h200-141gb",
        "b200-180gb",
        "l40s-48gb",
        "l4-24gb",
        "a10g-24gb",
        "t4-16gb",
        "rtx-4090-24gb",
        "mi300x-192gb",
    }
