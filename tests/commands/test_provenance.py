"""No price without a source and a date: a walk through all that is printed as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import Result

Deploy = Callable[..., Result]

# Sums and quotients of prices that stand elsewhere in the same output, with their sources.
DERIVED = {"self_hosted", "candidates", "range", "sensitivity", "tco"}

# Of the user, or the profile's round figures: no list that could be looked at.
UNDATED = ("prices.", "profile: ")


def priced(data: Any, key: str = "") -> Iterator[dict[str, Any]]:
    """Every record with an amount in it."""
    if isinstance(data, dict):
        if key not in DERIVED and any(name.endswith("usd") or "usd_per" in name for name in data):
            yield data
        for name, value in data.items():
            yield from priced(value, name)
    elif isinstance(data, list):
        for item in data:
            yield from priced(item, key)


@pytest.mark.parametrize(
    "arguments",
    [
        ("offers",),
        ("profiles", "4xa100"),
        ("profiles", "serverless"),
        *(("cost", "--profile", name) for name in ("1xa100", "4xa100", "8xh100", "serverless")),
        ("cost", "--profile", "4xa100", "--offer", "azure-nc24ads-a100"),
        ("cost", "--profile", "4xa100", "--usd-per-gpu-hour", "2"),
        (
            "cost",
            "--profile",
            "1xa100",
            "--compare-with",
            "fireworks/qwen3-8b",
            "--compare-with",
            "openai/gpt-4o@batch",
        ),
    ],
)
def test_every_price_has_a_source_and_a_date(deploy: Deploy, arguments: tuple[str, ...]) -> None:
    found = deploy(*arguments, "-o", "json")
    assert found.exit_code == 0, found.output
    records = [one for one in priced(json.loads(found.stdout)) if "offers" not in one]
    assert records
    for record in records:
        source, checked = record["source"], record["checked"]
        assert source
        assert checked or source.startswith(UNDATED), record


def test_the_rent_that_candidates_are_ranked_by_has_them_too(deploy: Deploy) -> None:
    data = json.loads(deploy("size", "--profile", "8xh100", "-o", "json").stdout)
    assert data["rent_price"]["source"]
    assert data["rent_price"]["checked"]
