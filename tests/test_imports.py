"""What a quick verb must not import: each of these alone takes longer to start than all that it does."""

from __future__ import annotations

import subprocess
import sys

import pytest

SLOW = {
    "genai_prices",
    "grpc",
    "jinja2",
    "jsonschema",
    "kubernetes",
    "msgspec",
    "pulumi",
    "pydantic",
    "typing_extensions",
}

LIST_MODULES = """
import sys
from breakeven.main import cli
try:
    cli(sys.argv[1:], prog_name="deploy")
except SystemExit as end:
    assert end.code in (0, None), end.code
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def imported(*arguments: str) -> set[str]:
    command = [sys.executable, "-c", LIST_MODULES, *arguments]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stderr.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("profiles",),
        ("profiles", "4xa100"),
        ("offers",),
        ("models",),
        ("cost", "--help"),
        ("size", "--help"),
        ("recommend", "--help"),
    ],
)
def test_quick_verbs_import_nothing_slow(arguments: tuple[str, ...]) -> None:
    found = imported(*arguments)
    assert "click" in found
    assert not SLOW & found


def test_profiles_plan_and_price_nothing() -> None:
    command = [sys.executable, "-c", LIST_MODULES.replace('.partition(".")[0]', ""), "profiles"]
    found = set(subprocess.run(command, check=True, capture_output=True, text=True).stderr.split())
    assert "breakeven.core.hardware" in found
    assert not {"breakeven.core.plan", "breakeven.core.cost", "breakeven.core.memory"} & found


def test_help_reads_no_yaml() -> None:
    assert "yaml" not in imported("--help")


def test_a_price_takes_the_price_book_and_no_engine() -> None:
    found = imported("cost", "--profile", "4xa100")
    assert "genai_prices" in found
    assert not {"grpc", "jinja2", "kubernetes", "pulumi"} & found
