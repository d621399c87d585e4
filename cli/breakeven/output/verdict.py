"""How a bill stands to its budget, as text, Markdown or JSON; nothing where no limit is given."""

from __future__ import annotations

from typing import Any, Final

from breakeven.core.budget import Ruling, Verdict
from breakeven.output.diff import Paint, plain

_SIGNS: Final = {True: "✓", False: "✗"}


def text(verdict: Verdict, paint: Paint = plain) -> str:
    lines = (_line(ruling) if ruling.passes else paint(_line(ruling), "red") for ruling in verdict.rulings)
    return "\n".join(lines)


def markdown(verdict: Verdict) -> str:
    if not verdict.rulings:
        return ""
    headline = "within budget" if verdict.passes else "refused"
    return "\n".join([f"**Budget: {headline}**", "", *(f"- {_line(ruling)}" for ruling in verdict.rulings)])


def data(verdict: Verdict) -> dict[str, Any]:
    """JSON-ready."""
    rulings = [{"limit": one.limit, "passes": one.passes, "detail": one.detail} for one in verdict.rulings]
    return {"passes": verdict.passes, "rulings": rulings}


def _line(ruling: Ruling) -> str:
    return f"{_SIGNS[ruling.passes]} {ruling.detail}"
