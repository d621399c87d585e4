from __future__ import annotations

from decimal import Decimal

import pytest

from breakeven.output import money, table


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1234.5", "$1,234.50"), ("0", "$0.00"), ("-1", "-$1.00"), ("1000000", "$1,000,000.00"), (None, "unknown")],
)
def test_usd(amount: str | None, text: str) -> None:
    assert money.usd(None if amount is None else Decimal(amount)) == text


@pytest.mark.parametrize(("amount", "text"), [("1", "+$1.00"), ("0", "$0.00"), ("-1", "-$1.00"), (None, "unknown")])
def test_delta(amount: str | None, text: str) -> None:
    assert money.delta(None if amount is None else Decimal(amount)) == text


@pytest.mark.parametrize(
    ("share", "text"), [("100", "+100.0 %"), ("-0.04", "0.0 %"), ("0", "0.0 %"), ("-50.05", "-50.0 %"), (None, "")]
)
def test_percent(share: str | None, text: str) -> None:
    assert money.percent(None if share is None else Decimal(share)) == text


@pytest.mark.parametrize(
    ("amount", "text"), [("1.19", "$1.19/h"), ("3.40", "$3.40/h"), ("2.4984", "$2.4984/h"), ("12", "$12.00/h")]
)
def test_per_gpu_hour_keeps_all_digits(amount: str, text: str) -> None:
    assert money.per_gpu_hour(Decimal(amount)) == text


def test_figures_go_to_the_right_and_words_to_the_left() -> None:
    assert table.text(["A", "B"], [["x", "$1.00"], ["yy", "at least $10.00"], ["z", "unknown"]]) == (
        "A                 B\nx             $1.00\nyy  at least $10.00\nz           unknown"
    )


def test_markdown_escapes_pipes_and_lines() -> None:
    assert table.markdown(["A"], [["a|b\nc"]]) == "| A |\n| --- |\n| a\\|b c |"


def test_a_table_without_rows_is_its_headers() -> None:
    assert table.text(["A", "B"], []) == "A  B"
