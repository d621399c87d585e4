"""config.json files of Hugging Face (tests/data/model_configs), and what is wrong with others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from breakeven import load
from breakeven.core.architecture import Indexer, Recurrent, SharedCache, Sliding
from breakeven.core.model import Model
from breakeven.errors import InputError
from breakeven.huggingface.model import model

CONFIGS = Path(__file__).parents[1] / "data" / "model_configs"
# Its layers compress what they keep, in ways that are not modelled.
NOT_UNDERSTOOD = "deepseek-ai--DeepSeek-V4-Flash"


def read(stem: str) -> Model:
    return model(CONFIGS / f"{stem}.json")


def written(directory: Path, **keys: Any) -> Path:
    path = directory / "config.json"
    path.write_text(json.dumps(keys), encoding="utf-8")
    return path


LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 64,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 1000,
    "max_position_embeddings": 2048,
}


def test_all_36_files_and_six_folders_are_there() -> None:
    assert len(list(CONFIGS.glob("*.json"))) == 36
    assert len(list(CONFIGS.glob("*/hf_quant_config.json"))) == 6


def test_layers_that_share_a_cache_keep_none() -> None:
    """Gemma 4 E2B: the last 20 of 35 layers read what the first 15 keep, twelve of them within a window."""
    found = read("google--gemma-4-E2B")
    assert found.shared_cache == SharedCache(full=4, sliding=16)
    assert (found.full_layers, found.sliding) == (3, Sliding(layers=12, window=512, kv_heads=1, head_dim=256))
    assert found.kv_bytes_per_token(1) == 3 * 2 * 512 * 2 + 12 * 2 * 256 * 2
    # 262,144 tokens × 256 numbers × 35 layers.
    assert found.per_layer_embedding_billion == pytest.approx(2.3488, abs=0.0001)
    assert read("google--gemma-4-E4B").shared_cache == SharedCache(full=3, sliding=15)


@pytest.mark.parametrize("kinds", [None, ["full_attention", "sliding_attention"]])
def test_what_is_shared_must_be_said(tmp_path: Path, kinds: list[str] | None) -> None:
    with pytest.raises(InputError, match="num_kv_shared_layers: expected layer_types with a full or sliding layer"):
        model(written(tmp_path, **LLAMA, num_kv_shared_layers=1, layer_types=kinds))


def test_an_audio_encoder_counts(tmp_path: Path) -> None:
    """5.1 billion, as published."""
    keys = json.loads((CONFIGS / "google--gemma-4-E2B.json").read_text(encoding="utf-8"))
    found = model(written(tmp_path, **keys | {"audio_config": {"model_type": "gemma4_audio"}}))
    assert found.parameters_billion == pytest.approx(5.1, abs=0.05)


def test_glm_47_and_its_flash(tmp_path: Path) -> None:
    """355 B with its multi-token-prediction layer, and 30 B-A3B, as published; the records of the catalogue."""
    experts = {"n_shared_experts": 1, "moe_intermediate_size": 1536, "max_position_embeddings": 202752}
    large = written(
        tmp_path,
        architectures=["Glm4MoeForCausalLM"],
        hidden_size=5120,
        intermediate_size=12288,
        num_hidden_layers=92,
        num_attention_heads=96,
        num_key_value_heads=8,
        head_dim=128,
        vocab_size=151552,
        n_routed_experts=160,
        num_experts_per_tok=8,
        first_k_dense_replace=3,
        **experts,
    )
    found, record = model(large), load.models()["zai-org/GLM-4.7-FP8"]
    assert found.parameters_billion == pytest.approx(355, rel=0.01)
    assert found.parameters_billion == pytest.approx(record.parameters_billion, abs=0.001)
    assert found.kv_bytes_per_token(1) == record.kv_bytes_per_token(1) == 92 * 2 * 8 * 128 * 2
    small = written(
        tmp_path,
        architectures=["Glm4MoeLiteForCausalLM"],
        hidden_size=2048,
        intermediate_size=10240,
        num_hidden_layers=47,
        num_attention_heads=20,
        vocab_size=154880,
        n_routed_experts=64,
        num_experts_per_tok=4,
        first_k_dense_replace=1,
        kv_lora_rank=512,
        q_lora_rank=768,
        qk_nope_head_dim=192,
        qk_rope_head_dim=64,
        v_head_dim=256,
        **experts,
    )
    found, record = model(small), load.models()["zai-org/GLM-4.7-Flash"]
    assert found.parameters_billion == pytest.approx(record.parameters_billion, abs=0.001)
    assert found.kv_bytes_per_token(4) == record.kv_bytes_per_token(4) == 47 * (512 + 64) * 2


# Billions as their publishers state them, where they do to that precision.
@pytest.mark.parametrize(
    ("stem", "total", "active"),
    [
        ("Qwen--Qwen3-8B", 8.19, 8.19),
        ("Qwen--Qwen3-235B-A22B", 235, 22),
        ("Qwen--Qwen3-30B-A3B", 30.5, 3.3),
        ("Qwen--Qwen3-Coder-480B-A35B-Instruct", 480, 35),
        ("Qwen--Qwen3-VL-8B-Instruct", 8.77, 8.77),
        ("Qwen--Qwen3-Next-80B-A3B-Instruct", 80, 3.9),
        ("Qwen--Qwen3.5-122B-A10B", 122, 10),
        ("Qwen--Qwen3.5-397B-A17B", 397, 17.5),
        ("deepseek-ai--DeepSeek-V3", 671, 37),
        ("meta-llama--Meta-Llama-3.1-405B", 405.9, 405.9),
        ("mistralai--Mixtral-8x7B-v0.1", 46.7, 12.9),
        ("mistralai--Mixtral-8x22B-v0.1", 140.6, 39.1),
        ("moonshotai--Kimi-K2-Instruct", 1026, 32),
        ("MiniMaxAI--MiniMax-M2.5", 229, 10.5),
        ("nvidia--NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", 31.6, 3.6),
        ("nvidia--NVIDIA-Nemotron-3-Super-120B-A12B", 120.6, 12.7),
        ("openai--gpt-oss-20b", 20.9, 3.9),
        ("openai--gpt-oss-120b", 116.8, 5.4),
        ("zai-org--GLM-5", 744, 40),
    ],
)
def test_parameters_are_the_published_ones(stem: str, total: float, active: float) -> None:
    found = read(stem)
    assert found.parameters_billion == pytest.approx(total, rel=0.005)
    # Publishers differ in whether they count embeddings.
    assert found.active_parameters_billion == pytest.approx(active, rel=0.08)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.json")), ids=lambda path: path.stem)
def test_every_file_is_read_or_refused_by_name(path: Path) -> None:
    if path.stem == NOT_UNDERSTOOD:
        with pytest.raises(InputError, match="the architecture DeepseekV4ForCausalLM is not understood"):
            model(path)
    else:
        assert model(path).name == path.stem.replace("--", "/", 1)


def test_latents_and_their_index() -> None:
    # (512 + 64) × 2 B = 1,152 B a layer; the index 128 fp8 values and a scale of 4 B, in every layer or in one of four.
    assert read("deepseek-ai--DeepSeek-V3").kv_bytes_per_token(8) == 61 * 1152
    assert read("deepseek-ai--DeepSeek-V3.2").kv_bytes_per_token(8) == 61 * (1152 + 132)
    assert read("zai-org--GLM-5.2-FP8").indexer == Indexer(layers=21, bytes_per_token=132)


def test_windows() -> None:
    assert read("openai--gpt-oss-20b").sliding == Sliding(layers=12, window=128)
    # Gemma 4: 8 heads of 256 within the window, 2 of 512 in full attention.
    gemma = read("google--gemma-4-26B-A4B")
    assert gemma.sliding == Sliding(layers=25, window=1024, kv_heads=8, head_dim=256)
    assert (gemma.full_layers, gemma.kv_heads, gemma.head_dim) == (5, 2, 512)
    assert read("meta-llama--Llama-4-Scout-17B-16E-Instruct").sliding == Sliding(layers=36, window=8192, kind="chunked")


def test_recurrent_layers() -> None:
    # Keys 16 × 128 twice, values 48 × 128: 10,240 channels.
    assert read("Qwen--Qwen3.5-27B").recurrent == Recurrent(
        layers=48, heads=48, head_dim=128, state_size=128, conv_channels=10_240
    )
    # Its config names no layer and no type: three of four, in 16 bits.
    assert read("Qwen--Qwen3-Next-80B-A3B-Instruct").recurrent == Recurrent(
        layers=36, heads=32, head_dim=128, state_size=128, conv_channels=8192, state_bytes=2
    )
    nemotron = read("nvidia--NVIDIA-Nemotron-3-Nano-30B-A3B-BF16")
    # 64 heads × 64, and 8 groups × 128 twice: 6,144 channels. 23 Mamba, 6 attention, 23 expert layers.
    assert nemotron.recurrent == Recurrent(layers=23, heads=64, head_dim=64, state_size=128, conv_channels=6144)
    assert (nemotron.layers, nemotron.full_layers) == (52, 6)


def test_precisions() -> None:
    assert read("deepseek-ai--DeepSeek-R1").precision == "fp8"
    assert read("openai--gpt-oss-120b").precision == "mxfp4"
    kimi = read("moonshotai--Kimi-K2.5")
    # 60 layers × 384 experts × 3 × 7,168 × 2,048 = 1,014.7 billion in 4 bits; attention stays in bf16.
    assert kimi.precision == "int4"
    assert kimi.quantised_billion == pytest.approx(1014.7, abs=0.1)
    # A bf16 scale for each 32: 0.5 + 2 ÷ 32 = 0.5625 B. 1,014.7 × 0.5625 + 12.1 × 2 = 595 GB, as published.
    assert kimi.quantised_bytes == 0.5625
    assert kimi.weights_bytes / 1e9 == pytest.approx(595, abs=1)


@pytest.mark.parametrize(
    ("table", "precision"),
    [
        ({"quant_method": "awq", "bits": 4}, "int4"),
        ({"quant_method": "gptq", "bits": 4}, "int4"),
        ({"quant_method": "gptq", "bits": 8}, "int8"),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float"}}},
            },
            "fp8",
        ),
    ],
)
def test_quantised_checkpoints(tmp_path: Path, table: dict[str, Any], precision: str) -> None:
    assert model(written(tmp_path, **LLAMA, quantization_config=table)).precision == precision


def test_a_small_llama_by_hand(tmp_path: Path) -> None:
    # A layer: 4 × 64 × 64 + 3 × 64 × 256 = 65,536. Two of them and 2 × 1,000 × 64 = 259,072.
    found = model(written(tmp_path, **LLAMA))
    assert found.parameters_billion * 1e9 == pytest.approx(259_072)
    assert (found.kv_heads, found.head_dim, found.name) == (4, 16, tmp_path.name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architectures": ["Rwkv6ForCausalLM"]}, "the architecture Rwkv6ForCausalLM is not understood"),
        ({"architectures": None}, "config.json: architectures: is required"),
        ({"hidden_size": None}, "config.json: hidden_size: is required: a whole number above 0"),
        ({"vocab_size": "many"}, "config.json: vocab_size: expected a whole number above 0, got 'many'"),
        ({"quantization_config": {"quant_method": "aqlm"}}, "the quantisation aqlm with None bits is not understood"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as raised:
        model(written(tmp_path, **{**LLAMA, **changes}))
    assert message in str(raised.value)


def test_close_architectures_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        model(written(tmp_path, **{**LLAMA, "architectures": ["DeepseekV4ForCausalLM"]}))
    assert "DeepseekV3ForCausalLM" in raised.value.hint


@pytest.mark.parametrize(("text", "message"), [("{", "is no JSON"), ("[]", "expected a mapping of keys")])
def test_malformed_files(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        model(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.json: cannot read it: No such file"):
        load.model(str(tmp_path / "none.json"))
