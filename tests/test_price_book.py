from __future__ import annotations

import socket
from decimal import Decimal
from typing import Any

import pytest

from breakeven import price_book
from breakeven.core.workload import Workload
from breakeven.errors import InputError

WORKLOAD = Workload(input_tokens=500, output_tokens=200)


def refusal(comparator: str) -> InputError:
    with pytest.raises(InputError) as raised:
        price_book.price(comparator, WORKLOAD)
    return raised.value


@pytest.mark.parametrize(
    ("comparator", "usd", "source"),
    [
        # 500 × 0.15 + 200 × 0.60 = 195 per million
        ("openai/gpt-4o-mini", "0.000195", "genai-prices 0.2.3: $0.15/$0.60 per million tokens"),
        # 500 × 2.50 + 200 × 10
        ("openai/gpt-4o", "0.00325", "genai-prices 0.2.3: $2.50/$10.00 per million tokens"),
        # 500 × 0.035 + 200 × 0.138; only the first / parts the provider from the model.
        ("openrouter/qwen/qwen3-8b", "0.0000451", "genai-prices 0.2.3: $0.035/$0.138 per million tokens"),
        # An alias is taken for what it stands for, and says so.
        (
            "openai/gpt-4o-mini-2024-07-18",
            "0.000195",
            "genai-prices 0.2.3: gpt-4o-mini at $0.15/$0.60 per million tokens",
        ),
        # Listed under a short name, matched by a long one.
        ("fireworks/llama-v3p1-8b-instruct", "0.00014", "genai-prices 0.2.3: $0.20/$0.20 per million tokens"),
        # 700 × 1 ÷ 1e6 + 0.012
        ("perplexity/sonar", "0.0127", "genai-prices 0.2.3: $1.00/$1.00 per million tokens and $0.012 per request"),
    ],
)
def test_one_request_is_priced(comparator: str, usd: str, source: str) -> None:
    found = price_book.price(comparator, WORKLOAD)
    assert (found.comparator, found.usd_per_request, found.source) == (comparator, Decimal(usd), source)


def test_many_requests_do_not_reach_the_long_context_tier() -> None:
    """Above 200,000 input tokens of one call gemini-2.5-pro costs twice as much."""
    many = price_book.price("google/gemini-2.5-pro", Workload(requests_per_month=10**9))
    assert many.source.endswith("$1.25/$10.00 per million tokens")
    long = price_book.price("google/gemini-2.5-pro", Workload(input_tokens=200_001))
    assert long.source.endswith("$2.50/$15.00 per million tokens")


@pytest.mark.parametrize("comparator", ["gpt-4o", "/gpt-4o", "openai/", "", "/"])
def test_a_name_without_a_provider(comparator: str) -> None:
    message = f"--compare-with: expected PROVIDER/MODEL such as openai/gpt-4o-mini, got {comparator!r}"
    assert str(refusal(comparator)) == message


def test_close_names_are_proposed() -> None:
    error = refusal("openai/gpt-4o-mino")
    assert str(error) == "unknown model of openai 'gpt-4o-mino'"
    assert error.hint.startswith("did you mean gpt-4o-mini")
    error = refusal("opena/gpt-4o")
    assert str(error) == "unknown API provider 'opena'"
    assert error.hint.startswith("did you mean openai?")


@pytest.mark.parametrize("comparator", ["openrouter/deepseek/deepseek-r1:free", "openai/text-embedding-3-small"])
def test_a_missing_price_is_not_zero(comparator: str) -> None:
    assert "has no price for its input or output tokens" in str(refusal(comparator))


def test_prices_need_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **keywords: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert price_book.price("openai/gpt-4o", WORKLOAD).usd_per_request
