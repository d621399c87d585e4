"""What a server answers with beside the model itself: adapters, calls of tools, the chat template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from breakeven.core.chart.fields import NAME, Record, Text

_ADAPTER: Final = Text(
    pattern=r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?", words="a name of a model", at_most=128
)
_SOURCE: Final = Text(
    pattern=r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*|/weights(/[A-Za-z0-9_][A-Za-z0-9._-]*)+",
    words="OWNER/NAME on the hub, or a folder below /weights",
)
_FILE: Final = Text(pattern=r"[A-Za-z0-9][A-Za-z0-9._-]*", words="a key of a ConfigMap", at_most=253)
# A ConfigMap holds 1 MiB.
_TEMPLATE: Final = Text(pattern=r"[\s\S]*", words="at most 200,000 characters", at_most=200_000)
# Of those that vLLM knows: vllm/config/lora.py MaxLoRARanks.
Rank = Literal[8, 16, 32, 64, 128, 256, 320, 512]
ON_VOLUME: Final = "/weights/"


@dataclass(frozen=True, kw_only=True)
class Adapter(Record):
    """Answers under its own name."""

    name: Annotated[str, "Name that clients ask for", _ADAPTER]
    source: Annotated[str, "OWNER/NAME on the hub, or a folder below /weights, where the weights' volume is", _SOURCE]
    rank: Annotated[Rank, "Its rank, or the next larger one that vLLM knows"] = 16


@dataclass(frozen=True, kw_only=True)
class LoraChoices(Record):
    adapters: Annotated[tuple[Adapter, ...], "LoRA adapters, loaded at the start"] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        names = [adapter.name for adapter in self.adapters]
        if len(set(names)) != len(names):
            raise ValueError(f"adapters must have different names, got {', '.join(names)}")


@dataclass(frozen=True, kw_only=True)
class Lora(LoraChoices):
    max_rank: Annotated[Rank, "The largest rank of them"] = 16


@dataclass(frozen=True, kw_only=True)
class ChatTemplate(Record):
    config_map: Annotated[str, "ConfigMap that holds a chat template; the model's own if empty", NAME] = ""
    key: Annotated[str, "Its key there", _FILE] = "chat-template.jinja"
    template: Annotated[
        str, "The chat template itself instead, in Jinja: a change of it restarts the servers", _TEMPLATE
    ] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.template and self.config_map:
            raise ValueError("template must be left out with config_map: there is one chat template")


def lora(choices: LoraChoices) -> Lora:
    return Lora(adapters=choices.adapters, max_rank=max((each.rank for each in choices.adapters), default=16))
