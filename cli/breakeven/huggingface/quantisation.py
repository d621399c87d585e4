"""The precision of a checkpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from breakeven.core.precision import Precision
from breakeven.errors import InputError
from breakeven.huggingface.config import Config
from breakeven.huggingface.modelopt import Modelopt, is_modelopt, modelopt

_BITS: Final[dict[tuple[Any, str], Precision]] = {(8, "float"): "fp8", (8, "int"): "int8", (4, "int"): "int4"}
_USUAL_GROUP: Final = 128
_FEWER_BITS: Final = re.compile(r"(?<![a-z0-9])((nv|mx)?fp[48]|int[48]|w\da\d+|awq|gptq)(?![a-z0-9])", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Quantisation:
    """Of all linear layers, of the experts only, or of what modelopt names; `parameter_bytes` for uncommon scales."""

    precision: Precision
    experts_only: bool = False
    modelopt: Modelopt | None = None
    parameter_bytes: float | None = None


def quantisation(config: Config) -> Quantisation:
    """Raises InputError for a method that is not understood."""
    table = config.table("quantization_config")
    method = str(table.get("quant_method", ""))
    if not table:
        _check_name(config)
        return Quantisation(precision="bf16")
    if is_modelopt(table):
        by = modelopt(config, table)
        return Quantisation(precision=by.precision, modelopt=by)
    if method == "fp8":
        return Quantisation(precision="fp8")
    if method == "mxfp4":
        return Quantisation(precision="mxfp4", experts_only=True)
    weights = _weights(table, method)
    key = (weights.get("num_bits"), str(weights.get("type", "int")))
    if method not in ("awq", "gptq", "compressed-tensors") or key not in _BITS:
        where = f"{config.path}: quantization_config"
        raise InputError(f"the quantisation {method} with {key[0]} bits is not understood", where=where)
    spared = " ".join(str(name) for name in table.get("ignore") or ())
    return Quantisation(
        precision=_BITS[key], experts_only="self_attn" in spared, parameter_bytes=_bytes(weights, _BITS[key])
    )


def _check_name(config: Config) -> None:
    """Whose name tells of fewer bits has them written elsewhere: in hf_quant_config.json, before modelopt 0.31."""
    if said := _FEWER_BITS.search(config.name):
        raise InputError(
            f"{config.name} is named after {said[0]}, but has no quantization_config: its weights are not in 16 bits",
            where=str(config.path),
            hint="put the checkpoint's hf_quant_config.json beside config.json; if they are, rename its folder",
        )


def _weights(table: Mapping[str, Any], method: str) -> Mapping[str, Any]:
    """In the words of compressed-tensors."""
    if method != "compressed-tensors":
        return {"num_bits": table.get("bits", table.get("w_bit"))}
    groups: list[Any] = list((table.get("config_groups") or {}).values())
    return (groups[0].get("weights") or {}) if groups else {}


def _bytes(weights: Mapping[str, Any], precision: Precision) -> float | None:
    """A bf16 scale for each group, and a 4-bit zero point unless it is symmetric."""
    group = weights.get("group_size")
    if precision != "int4" or not isinstance(group, int) or group in (0, _USUAL_GROUP):
        return None
    return 0.5 + 2 / group + (0.0 if weights.get("symmetric", True) else 0.5 / group)
