"""An API model as people name it: `provider/model`, or `provider/model@tier`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from breakeven.errors import InputError

# Dates and versions after an @ belong to the model: `claude-sonnet-4-5@20250929`. A tier is a word.
_TIERED: Final = re.compile(r"(.+)@([a-z]+)")


@dataclass(frozen=True, kw_only=True)
class Comparator:
    """`tier` is None for the standard price."""

    provider: str
    model: str
    tier: str | None = None

    def __str__(self) -> str:
        return f"{self.standard}@{self.tier}" if self.tier else self.standard

    @property
    def standard(self) -> str:
        return f"{self.provider}/{self.model}"


def parse(name: str, where: str = "") -> Comparator:
    """Only the first `/` parts the provider from the model. Raises InputError for a name without both."""
    tiered = _TIERED.fullmatch(name)
    standard, tier = tiered.groups() if tiered else (name, None)
    provider, _, model = standard.partition("/")
    if not provider or not model:
        raise InputError(
            f"expected PROVIDER/MODEL such as openai/gpt-4o-mini, or PROVIDER/MODEL@TIER, got {name!r}", where=where
        )
    return Comparator(provider=provider, model=model, tier=tier)
