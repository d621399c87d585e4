"""USD as people read it."""

from __future__ import annotations

from decimal import Decimal


def usd(amount: Decimal | None) -> str:
    """`$1,234.50`, `-$1.00`, or `unknown`."""
    if amount is None:
        return "unknown"
    return f"{'-' if amount < 0 else ''}${abs(amount):,.2f}"


def delta(amount: Decimal | None) -> str:
    """`+$1,234.50`, `-$1.00`, `$0.00`, or `unknown`."""
    return f"+{usd(amount)}" if amount is not None and amount > 0 else usd(amount)


def percent(share: Decimal | None) -> str:
    """`+100.0 %`; empty where there was nothing before."""
    return "" if share is None else f"{share:+.1f} %"
