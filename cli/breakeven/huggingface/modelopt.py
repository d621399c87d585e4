"""NVIDIA's modelopt: what of a checkpoint is quantised, as vLLM decides it (quantization/modelopt.py, 0.32.0)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, Literal

from breakeven.core.precision import Precision
from breakeven.errors import InputError
from breakeven.huggingface.config import Config
from breakeven.huggingface.modules import Module

_ALGORITHMS: Final[dict[str, Precision]] = {"NVFP4": "nvfp4", "FP8": "fp8"}
_GROUP: Final = 16
_LEGACY: Final = ("kv_cache_quant_algo", "exclude_modules")


@dataclass(frozen=True, kw_only=True)
class Modelopt:
    """`excluded` are names and patterns of modules that stay in 16 bits."""

    precision: Precision
    excluded: tuple[str, ...]
    kv_cache_dtype: Literal["auto", "fp8"]

    def parameters(self, modules: Iterable[Module]) -> int:
        """How many are quantised."""
        return sum(module.parameters for module in modules if not self.excludes(module.name))

    def excludes(self, name: str) -> bool:
        """A pattern ending in * also stands for the module before it, and any name for what it is a part of.

        apply_vllm_mapper and is_layer_excluded.
        """
        return any(_plain(pattern) in name or fnmatchcase(name, pattern) for pattern in self.excluded)


def is_modelopt(table: Mapping[str, Any]) -> bool:
    producer = table.get("producer")
    named = isinstance(producer, Mapping) and producer.get("name") == "modelopt"
    return str(table.get("quant_method", "")).startswith("modelopt") or named or "quantization" in table


def modelopt(config: Config, table: Mapping[str, Any]) -> Modelopt:
    """`table` as config.json has it, or as hf_quant_config.json. Raises InputError for what is not understood."""
    where = f"{config.path}: quantization_config"
    legacy = table.get("quantization")
    found = legacy if isinstance(legacy, Mapping) else table
    algorithm = str(found.get("quant_algo") or "").upper()
    if algorithm not in _ALGORITHMS:
        raise InputError(
            f"the quantisation {algorithm or 'without quant_algo'} of modelopt is not understood", where=where
        )
    if legacy and (missing := [key for key in _LEGACY if key not in legacy]):
        raise InputError(
            f"modelopt's {', '.join(missing)} is required: without it vLLM refuses the checkpoint", where=where
        )
    if found.get("group_size", _GROUP) not in (None, _GROUP):
        raise InputError(f"expected groups of {_GROUP}, got {found['group_size']!r:.40}", where=where)
    excluded = found.get("exclude_modules" if legacy else "ignore") or ()
    one = Modelopt(
        precision=_ALGORITHMS[algorithm],
        excluded=tuple(_from_layers(str(name)) for name in excluded),
        kv_cache_dtype=_kv_cache_dtype(found, where),
    )
    if not config.flag("tie_word_embeddings") and not any(name.endswith("lm_head") for name in one.excluded):
        raise InputError(
            "a quantised output head is not understood: expected lm_head among what is left out", where=where
        )
    return one


def _from_layers(name: str) -> str:
    """With `model.` for whatever stands before the first layer's number; layers of `mtp` are others."""
    return re.sub(r"^(?!mtp)[\w.]*?\blayers\.(?=\d)", "model.layers.", name)


def _plain(pattern: str) -> str:
    return pattern[:-1] if pattern.endswith("*") and not pattern.endswith(".*") else pattern


def _kv_cache_dtype(found: Mapping[str, Any], where: str) -> Literal["auto", "fp8"]:
    """vllm/utils/torch_utils.py get_kv_cache_quant_algo_string."""
    scheme = found.get("kv_cache_scheme") or found.get("kv_cache_quant_algo")
    if str(scheme).upper() == "NVFP4" or (isinstance(scheme, Mapping) and scheme.get("num_bits") == 4):
        raise InputError("a KV cache in NVFP4 is not understood", where=where)
    if isinstance(scheme, Mapping):
        static = scheme.get("dynamic") is False and scheme.get("num_bits") == 8 and scheme.get("type") == "float"
        return "fp8" if static else "auto"
    return "fp8" if str(scheme).upper() == "FP8" else "auto"
