"""USD as people read it."""

from __future__ import annotations

from decimal import Decimal

from breakeven.core.units import plain_usd


def usd(amount: Decimal | None) -> str:
    """`$1,234.50`, `-$1.00`, or `unknown`."""
    if amount is None:
        return "unknown"
    return f"{'-' if amount < 0 else ''}${abs(amount):,.2f}"


def delta(amount: Decimal | None) -> str:
    """`+$1,234.50`, `-$1.00`, `$0.00`, or `unknown`."""
    return f"+{usd(amount)}" if amount is not None and amount > 0 else usd(amount)


def percent(share: Decimal | None) -> str:
    """`+100.0 %`, `0.0 %`; empty where there was nothing before."""
    if share is None:
        return ""
    rounded = round(share, 1)
    return f"{rounded:+} %" if rounded else "0.0 %"


def per_gpu_hour(amount: Decimal) -> str:
    """`$1.19/h`, and all digits that the price has: `$2.4984/h`."""
    return f"{plain_usd(amount)}/h"
