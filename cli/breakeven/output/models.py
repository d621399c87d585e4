"""Models that can be chosen, and the facts that their memory and speed follow from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from breakeven.convert import plain
from breakeven.core.model import Model
from breakeven.output import table

SCHEMA: Final = "breakeven.models/1"

_HEADERS: Final = ["Model", "Parameters", "Active", "Weights", "Precision", "Context", "Licence", "Gated", "Checked"]


def render(output: str, models: Sequence[Model], *, detailed: bool) -> str:
    """By the value of `-o`. JSON has all facts of each model either way."""
    if output == "json":
        return json.dumps({"schema": SCHEMA, "models": [_data(model) for model in models]}, indent=2)
    if detailed:
        return "\n\n".join(table.render(output, ["Fact", "Value"], _facts(model)) for model in models)
    return table.render(output, _HEADERS, [_row(model) for model in models])


def _row(model: Model) -> list[str]:
    return [
        model.name,
        f"{model.parameters_billion:,.2f} B",
        f"{model.active_parameters_billion:,.2f} B",
        f"{model.weights_gib:,.1f} GiB",
        model.precision,
        f"{model.context_length:,}",
        model.licence,
        "yes" if model.gated else "no",
        model.checked.isoformat(),
    ]


def _facts(model: Model) -> list[list[str]]:
    return [
        ["name", model.name],
        ["family", model.family],
        ["kind", "mixture of experts" if model.is_moe else "dense"],
        ["parameters", f"{model.parameters_billion} billion, {model.active_parameters_billion} billion active"],
        ["weights", f"{model.weights_gib:,.1f} GiB in {model.precision}, as published"],
        ["context_length", f"{model.context_length:,} tokens"],
        ["KV cache", _kv_cache(model)],
        ["layers", str(model.layers)],
        ["hidden_size", str(model.hidden_size)],
        ["attention_heads", str(model.attention_heads)],
        ["kv_heads", str(model.kv_heads)],
        ["head_dim", str(model.head_dim)],
        ["vocabulary", f"{model.vocabulary:,}"],
        ["licence", f"{model.licence}, {model.openness}"],
        ["gated", "yes: the download needs a Hugging Face token (--hub-token-secret)" if model.gated else "no"],
        ["tool_parser", model.tool_parser or "none known"],
        ["reasoning_parser", model.reasoning_parser or "none known"],
        ["comparator", f"{model.comparator}: the same weights hosted" if model.comparator else "none known"],
        ["source", model.source],
        ["checked", model.checked.isoformat()],
    ]


def _kv_cache(model: Model) -> str:
    asked = "fp8, as the checkpoint asks" if model.kv_cache_dtype == "fp8" else "bf16"
    size = model.kv_bytes_per_token(1, model.kv_element_bytes("auto"))
    return f"{size:,} bytes a token in {asked}{_kept(model)}"


def _kept(model: Model) -> str:
    """What is not kept for every token and head."""
    parts = []
    if model.mla:
        parts.append("one latent for all heads, whole on every GPU")
    if model.sliding:
        parts.append(f"{model.sliding.layers} layers within {model.sliding.window:,} tokens only")
    if model.shared_cache:
        parts.append(f"{model.sharing_layers} layers read what others keep")
    if model.recurrent:
        mib = model.recurrent.bytes_per_request(1) * model.recurrent.layers / 2**20
        parts.append(f"and {mib:,.0f} MiB a request for {model.recurrent.layers} recurrent layers")
    return "".join(f", {part}" for part in parts)


def _data(model: Model) -> dict[str, Any]:
    return {**plain(model), "weights_gib": round(model.weights_gib, 2)}
