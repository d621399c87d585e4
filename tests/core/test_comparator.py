from __future__ import annotations

import pytest

from breakeven.core.comparator import Comparator, parse
from breakeven.errors import InputError


@pytest.mark.parametrize(
    ("name", "provider", "model", "tier"),
    [
        ("openai/gpt-4o", "openai", "gpt-4o", None),
        ("openai/gpt-4o@batch", "openai", "gpt-4o", "batch"),
        ("openrouter/qwen/qwen3-8b", "openrouter", "qwen/qwen3-8b", None),
        ("openrouter/qwen/qwen3-8b@flex", "openrouter", "qwen/qwen3-8b", "flex"),
        ("google/claude-sonnet-4-5@20250929", "google", "claude-sonnet-4-5@20250929", None),
        ("cloudflare/@cf/meta/llama-3.1-8b-instruct", "cloudflare", "@cf/meta/llama-3.1-8b-instruct", None),
    ],
)
def test_a_name_in_its_parts(name: str, provider: str, model: str, tier: str | None) -> None:
    found = parse(name)
    assert found == Comparator(provider=provider, model=model, tier=tier)
    assert str(found) == name
    assert found.standard == name.removesuffix(f"@{tier}")


@pytest.mark.parametrize("name", ["", "/", "gpt-4o", "openai/", "/gpt-4o", "@batch", "openai@batch"])
def test_a_name_without_both(name: str) -> None:
    with pytest.raises(InputError, match="expected PROVIDER/MODEL"):
        parse(name)
