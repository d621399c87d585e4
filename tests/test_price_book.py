from __future__ import annotations

import socket
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from breakeven import load, price_book
from breakeven.core.api_rates import ApiRates
from breakeven.core.workload import Workload
from breakeven.errors import InputError

WORKLOAD = Workload(input_tokens=500, output_tokens=200)


TODAY = date(2026, 11, 24)


def refusal(comparator: str, workload: Workload = WORKLOAD, at: date = TODAY) -> InputError:
    with pytest.raises(InputError) as raised:
        price_book.price(comparator, workload, at)
    return raised.value


@pytest.mark.parametrize(
    ("comparator", "usd", "source"),
    [
        # 500 × 0.15 + 200 × 0.60 = 195 per million
        ("openai/gpt-4o-mini", "0.000195", "genai-prices 0.2.3 of 2026-11-10: $0.15/$0.60 per million tokens"),
        # 500 × 2.50 + 200 × 10
        ("openai/gpt-4o", "0.00325", "genai-prices 0.2.3 of 2026-11-10: $2.50/$10.00 per million tokens"),
        # 500 × 0.035 + 200 × 0.138; only the first / parts the provider from the model.
        ("openrouter/qwen/qwen3-8b", "0.0000451", "genai-prices 0.2.3 of 2026-11-10: $0.035/$0.138 per million tokens"),
        # An alias is taken for what it stands for, and says so.
        (
            "openai/gpt-4o-mini-2024-07-18",
            "0.000195",
            "genai-prices 0.2.3 of 2026-11-10: gpt-4o-mini at $0.15/$0.60 per million tokens",
        ),
        # Listed under a short name, matched by a long one.
        (
            "fireworks/llama-v3p1-8b-instruct",
            "0.00014",
            "genai-prices 0.2.3 of 2026-11-10: $0.20/$0.20 per million tokens",
        ),
        # 700 × 1 ÷ 1e6 + 0.012
        (
            "perplexity/sonar",
            "0.0127",
            "genai-prices 0.2.3 of 2026-11-10: $1.00/$1.00 per million tokens and $0.012 per request",
        ),
    ],
)
def test_one_request_is_priced(comparator: str, usd: str, source: str) -> None:
    found = price_book.price(comparator, WORKLOAD, TODAY)
    assert (found.comparator, found.usd_per_request, found.source) == (comparator, Decimal(usd), source)


def test_many_requests_do_not_reach_the_long_context_tier() -> None:
    """Above 200,000 input tokens of one call gemini-2.5-pro costs twice as much."""
    many = price_book.price("google/gemini-2.5-pro", Workload(requests_per_month=10**9), TODAY)
    assert many.source.endswith("$1.25/$10.00 per million tokens")
    long = price_book.price("google/gemini-2.5-pro", Workload(input_tokens=200_001), TODAY)
    assert long.source.endswith("$2.50/$15.00 per million tokens")


@pytest.mark.parametrize("comparator", ["gpt-4o", "/gpt-4o", "openai/", "", "/"])
def test_a_name_without_a_provider(comparator: str) -> None:
    assert str(refusal(comparator)) == (
        "--compare-with: expected PROVIDER/MODEL such as openai/gpt-4o-mini, or PROVIDER/MODEL@TIER, "
        f"got {comparator!r}"
    )


def test_close_names_are_proposed() -> None:
    error = refusal("openai/gpt-4o-mino")
    assert str(error) == "unknown model 'gpt-4o-mino' of openai"
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
    assert price_book.price("openai/gpt-4o", WORKLOAD, TODAY).usd_per_request


def test_the_day_of_the_price_book_is_that_of_its_version() -> None:
    """A new version was published on another day: price_book.PUBLISHED."""
    assert ("genai-prices 0.2.3", date(2026, 11, 10)) == (price_book.SOURCE, price_book.PUBLISHED)


@pytest.mark.parametrize(
    ("comparator", "usd", "rates"),
    [
        # 500 × 1.25 + 200 × 5: half of the standard price
        ("openai/gpt-4o@batch", "0.001625", "$1.25/$5.00 per million tokens"),
        # 500 × 4.25 + 200 × 17
        ("openai/gpt-4o@priority", "0.005525", "$4.25/$17.00 per million tokens"),
        # 500 × 0.125 + 200 × 1
        ("openai/gpt-5-mini@flex", "0.0002625", "$0.125/$1.00 per million tokens"),
        # 500 × 8 + 200 × 40
        ("anthropic/claude-opus-5-5@fast", "0.012", "$8.00/$40.00 per million tokens"),
    ],
)
def test_a_tier_has_its_own_price(comparator: str, usd: str, rates: str) -> None:
    found = price_book.price(comparator, WORKLOAD, TODAY)
    assert (found.comparator, found.usd_per_request) == (comparator, Decimal(usd))
    assert found.source.endswith(rates)


@pytest.mark.parametrize("comparator", ["openai/gpt-4o@zzz", "openai/gpt-4o@default", "openai/gpt-4o@flex"])
def test_an_unknown_tier_is_never_the_standard_price(comparator: str) -> None:
    error = refusal(comparator)
    assert str(error) == f"--compare-with: unknown tier {comparator.partition('@')[2]!r} of openai/gpt-4o"
    assert error.hint == "it has batch, fast, priority in genai-prices 0.2.3; openai/gpt-4o is the standard price"


def test_a_model_that_a_provider_passes_on_has_no_tiers() -> None:
    """genai-prices ignores the tier there, and gives the standard price in silence."""
    assert "it has none in genai-prices" in refusal("aws/claude-sonnet-5-5@batch").hint


def test_a_tier_without_a_price_of_its_own_is_refused() -> None:
    """The book knows a batch tier of it, and no price: it would be the standard one."""
    assert "the price of input at openai/gpt-3.5-turbo-1106@batch is unknown" in str(
        refusal("openai/gpt-3.5-turbo-1106@batch")
    )


def test_a_day_before_the_tiers_price_is_refused() -> None:
    error = refusal("openai/gpt-4o@batch", at=date(2026, 10, 13))
    assert str(error) == (
        "--compare-with: the price of openai/gpt-4o@batch on 2026-10-13 is unknown: "
        "genai-prices 0.2.3 knows it from 2026-10-14 on"
    )
    assert price_book.price("openai/gpt-4o@batch", WORKLOAD, date(2026, 10, 14)).usd_per_request == Decimal("0.001625")


def test_a_version_after_the_at_sign_is_no_tier() -> None:
    found = price_book.price("google/claude-sonnet-4-5@20250929", WORKLOAD, TODAY)
    assert found.source.endswith("claude-sonnet-4-5 at $3.00/$15.00 per million tokens")
    assert price_book.price("cloudflare/@cf/meta/llama-3.1-8b-instruct", WORKLOAD, TODAY).usd_per_request > 0


@pytest.mark.parametrize(
    ("at", "rates"),
    [
        (date(2026, 12, 31), "$0.75/$3.75 per million tokens"),
        (date(2027, 1, 1), "$1.50/$7.50 per million tokens"),
    ],
)
def test_an_announced_price_counts_from_its_day(at: date, rates: str) -> None:
    assert price_book.price("google/gemini-3.8-flash", WORKLOAD, at).source.endswith(rates)


def test_prices_that_go_by_the_hour_are_those_of_noon() -> None:
    """DeepSeek's peak hours, 01:00 to 04:00 and 06:00 to 10:00 UTC, cost twice as much."""
    assert price_book.price("deepseek/deepseek-flash", WORKLOAD, TODAY).source.endswith(
        "$0.15/$0.60 per million tokens"
    )


CACHED = Workload(input_tokens=500, output_tokens=200, cached_share=0.333)


def test_cached_input_has_its_own_price() -> None:
    # 333.5 × 2.50 + 166.5 × 1.25 + 200 × 10 = 3,041.875 per million
    found = price_book.price("openai/gpt-4o", CACHED, TODAY)
    assert found.usd_per_request == Decimal("0.003041875")
    assert found.source.endswith("$2.50/$10.00 per million tokens, $1.25 for the 33.3 % of input that is cached")


def test_cached_input_costs_as_much_as_other_where_the_book_has_no_price_for_it() -> None:
    model = "together/meta-llama/Llama-3.3-70B-Instruct-Turbo"
    found = price_book.price(model, CACHED, TODAY)
    assert found.usd_per_request == price_book.price(model, WORKLOAD, TODAY).usd_per_request
    assert found.source.endswith("$0.88 for the 33.3 % of input that is cached")


def test_a_tier_without_a_price_for_cached_input_is_refused() -> None:
    error = refusal("openai/gpt-4o@batch", CACHED)
    assert "the price of cached input at openai/gpt-4o@batch is unknown" in str(error)
    assert error.hint == "compare with openai/gpt-4o, or set cached_share to 0"
    # 333.5 × 4.25 + 166.5 × 2.125 + 200 × 17 = 5,171.1875
    assert price_book.price("openai/gpt-4o@priority", CACHED, TODAY).usd_per_request == Decimal("0.0051711875")


def test_overrides_go_before_the_book_and_know_models_that_it_does_not() -> None:
    found = price_book.price("fireworks/qwen3-8b", WORKLOAD, TODAY, load.api_rates())
    assert found.usd_per_request == Decimal("0.00014")
    assert found.checked == date(2026, 9, 25)
    assert found.source.startswith("https://github.com/")
    assert " of 2026-09-25: $0.20/$0.20 per million tokens" in found.source


def test_an_override_does_not_speak_for_the_days_before_it() -> None:
    book = price_book.price("fireworks/llama-v3p1-8b-instruct", WORKLOAD, date(2026, 9, 24), load.api_rates())
    assert book.source.startswith("genai-prices")
    with pytest.raises(InputError) as raised:
        price_book.price("fireworks/qwen3-8b", WORKLOAD, date(2026, 9, 24), load.api_rates())
    assert str(raised.value) == (
        "--compare-with: the price of fireworks/qwen3-8b on 2026-09-24 is unknown: it is known from 2026-09-25 on"
    )


def test_the_first_list_of_overrides_wins() -> None:
    own = ApiRates(
        comparator="openai/gpt-4o",
        usd_per_million_input_tokens=Decimal(1),
        usd_per_million_output_tokens=Decimal(2),
        source="our contract",
        checked=date(2026, 11, 1),
    )
    other = replace(own, usd_per_million_input_tokens=Decimal(9), checked=date(2026, 11, 20))
    # 500 × 1 + 200 × 2
    assert price_book.price("openai/gpt-4o", WORKLOAD, TODAY, [own], [other]).usd_per_request == Decimal("0.0009")
