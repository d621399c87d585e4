from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from breakeven.main import cli

DOCUMENTED = "2026-11-24"


@pytest.fixture
def deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`deploy("cost", "--profile", "4xa100")` in an empty directory, on the day whose prices the documents show."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BREAKEVEN_PRICES_AT", DOCUMENTED)
    return lambda *arguments: CliRunner().invoke(cli, arguments, prog_name="deploy")
