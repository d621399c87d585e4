"""Checkpoints of NVIDIA's modelopt. What they weigh is compared with vLLM's own count in tests/vllm."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from breakeven.core.engine_args import EngineArgs
from breakeven.core.model import Model
from breakeven.errors import InputError
from breakeven.huggingface.model import model

CONFIGS = Path(__file__).parents[1] / "data" / "model_configs"
QWEN = CONFIGS / "nvidia--Qwen3-235B-A22B-NVFP4"
LEGACY: dict[str, Any] = {"quant_algo": "NVFP4", "kv_cache_quant_algo": None, "exclude_modules": ["lm_head"]}


def read(name: str) -> Model:
    return model(CONFIGS / f"nvidia--{name}-NVFP4" / "config.json")


def small(folder: Path, quantisation: dict[str, Any] | None, **beside: Any) -> Path:
    """Two layers of 65,536 parameters in matrices: 16,384 of attention and 49,152 of feed-forward."""
    keys: dict[str, Any] = {
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": 64,
        "intermediate_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "vocab_size": 1000,
        "max_position_embeddings": 2048,
    }
    (folder / "config.json").write_text(json.dumps({**keys, "quantization_config": quantisation}), encoding="utf-8")
    if beside:
        (folder / "hf_quant_config.json").write_text(json.dumps(beside), encoding="utf-8")
    return folder / "config.json"


def test_a_quantisation_in_a_file_beside_counts(tmp_path: Path) -> None:
    found = model(small(tmp_path, None, quantization={**LEGACY, "group_size": 16}))
    # 4 bits and an fp8 scale for each 16: 0.5625 B.
    assert (found.precision, found.quantised_parameter_bytes("nvfp4")) == ("nvfp4", 0.5625)
    assert found.quantised_billion == pytest.approx(2 * 65_536 / 1e9)
    assert found.weights_bytes == pytest.approx(2 * 65_536 * 0.5625 + 2 * 1000 * 64 * 2)


def test_without_the_file_a_name_that_tells_of_fewer_bits_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / QWEN.name
    folder.mkdir()
    shutil.copy(QWEN / "config.json", folder)
    with pytest.raises(
        InputError, match="Qwen3-235B-A22B-NVFP4 is named after NVFP4, but has no quantization_config"
    ) as e:
        model(folder / "config.json")
    assert "hf_quant_config.json" in str(e.value.hint)


@pytest.mark.parametrize("name", ["acme--Some-7B-FP8", "acme--Some-7B-AWQ", "acme--some-w4a16", "acme--Some-MXFP4"])
def test_other_names_that_tell_of_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match="is named after"):
        model(small(tmp_path / name, None))


@pytest.mark.parametrize("name", ["acme--Some-7B", "acme--fp8ish-7B", "acme--Some-BF16"])
def test_names_that_do_not(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    assert model(small(tmp_path / name, None)).precision == "bf16"


@pytest.mark.parametrize(
    ("ignored", "layers"),
    [
        (["model.layers.0.self_attn*"], 16_384),
        (["model.language_model.layers.1.*"], 65_536),
        (["*self_attn*"], 32_768),
        (["backbone.layers.0.self_attn.q_proj", "backbone.layers.0.self_attn.k_proj"], 2 * 64 * 64),
        (["mtp.layers.0*", "mtp*", "vision_tower*"], 0),
    ],
)
def test_what_is_left_out_stays_in_16_bits(tmp_path: Path, ignored: list[str], layers: int) -> None:
    table = {"quant_method": "modelopt", "quant_algo": "NVFP4", "ignore": ["lm_head", *ignored]}
    found = model(small(tmp_path, table))
    assert found.quantised_billion == pytest.approx((2 * 65_536 - layers) / 1e9)


def test_fp8_and_its_cache(tmp_path: Path) -> None:
    static = {"dynamic": False, "num_bits": 8, "type": "float"}
    table = {"quant_method": "modelopt", "quant_algo": "FP8", "ignore": ["lm_head"], "kv_cache_scheme": static}
    found = model(small(tmp_path, table))
    assert (found.precision, found.kv_cache_dtype) == ("fp8", "fp8")
    assert [found.kv_element_bytes(asked) for asked in ("auto", "fp8")] == [1, 1]
    # Quantised by vLLM instead, it is another checkpoint.
    assert found.stored_in("bf16").kv_element_bytes("auto") == EngineArgs().element_bytes == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quant_algo": "MIXED_PRECISION"}, "the quantisation MIXED_PRECISION of modelopt is not understood"),
        ({"quant_algo": None}, "the quantisation without quant_algo of modelopt is not understood"),
        ({"group_size": 32}, "expected groups of 16, got 32"),
        ({"exclude_modules": []}, "a quantised output head is not understood"),
        ({"kv_cache_quant_algo": "NVFP4"}, "a KV cache in NVFP4 is not understood"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        model(small(tmp_path, None, quantization={**LEGACY, **change}))


def test_what_vllm_refuses_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="modelopt's kv_cache_quant_algo, exclude_modules is required"):
        model(small(tmp_path, None, quantization={"quant_algo": "NVFP4"}))


@pytest.mark.parametrize(
    ("name", "quantised"),
    [
        # 94 layers × 4 × 4,096 × (2 × 64 + 2 × 4) ÷ 4 heads of 128 of attention, and the experts.
        ("Qwen3-235B-A22B", 227.096 + 94 * 4096 * 128 * (2 * 64 + 2 * 4) / 1e9),
        # Experts alone: 48 × 256 × 3 × 3,072 × 1,024; 62 × 256 × 3 × 3,072 × 1,536.
        ("Qwen3.5-122B-A10B", 48 * 256 * 3 * 3072 * 1024 / 1e9),
        ("MiniMax-M2.5", 62 * 256 * 3 * 3072 * 1536 / 1e9),
    ],
)
def test_published_checkpoints(name: str, quantised: float) -> None:
    found = read(name)
    assert (found.name, found.precision, found.kv_cache_dtype) == (f"nvidia/{name}-NVFP4", "nvfp4", "fp8")
    assert found.quantised_billion == pytest.approx(quantised, abs=0.001)
