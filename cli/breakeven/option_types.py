"""What the value of an option may be, and how a shell completes it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from breakeven import load

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class _Usd(click.ParamType[Decimal]):
    name = "usd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            return Decimal(value)
        except ArithmeticError:
            self.fail(f"{value!r} is not an amount of USD", param, ctx)


USD: Final = _Usd()


def above_0(ctx: click.Context, param: click.Parameter, usd: Decimal | None) -> Decimal | None:
    """Callback of an amount that no file says: those in deploy.yaml are looked at where it is read."""
    if usd is not None and not (usd.is_finite() and usd > 0):
        raise click.BadParameter(f"must be an amount above 0, got {usd}", ctx, param)
    return usd


class _Date(click.ParamType[date]):
    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date such as 2026-11-24", param, ctx)


class _Milliseconds(click.ParamType[float]):
    name = "ms"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number of milliseconds", param, ctx)
        if not 0 < number < 1e12:
            self.fail(f"must be above 0 and below 1,000,000,000,000, got {value}", param, ctx)
        return number


class _Object(click.ParamType[str]):
    name = "object"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        kind, _, name = str(value).partition("/")
        if not kind or not name or "/" in name:
            self.fail(f"{value!r} is not KIND/NAME, such as Deployment/llm-4xa100", param, ctx)
        return str(value)


DATE: Final = _Date()
MILLISECONDS: Final = _Milliseconds()
OBJECT: Final = _Object()


def complete_profile(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _complete(load.profiles(), incomplete)


def complete_accelerator(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _complete(load.accelerators(), incomplete)


def complete_model(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _complete(load.models(), incomplete)


def _complete(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """Completion from packaged data only: never the network, never the cluster."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
