from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.gitops.files import overlay, write

from breakeven.main import cli


@pytest.fixture
def deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`deploy("render", "out", "--profile", "4xa100")` in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BREAKEVEN_PRICES_AT", "2026-11-24")
    return lambda *arguments: CliRunner().invoke(cli, arguments, prog_name="deploy")


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """Two teams in two environments, over one base."""
    root = tmp_path / "clusters"
    write(root / "base.yaml", "profile: 4xa100\nteam: search\nworkload:\n  requests_per_month: 2000000\n")
    write(root / "prod" / "chat" / "deploy.yaml", overlay("chat", "prod"))
    write(root / "prod" / "code" / "deploy.yaml", overlay("code", "prod") + "team: dev\nprofile: 8xh100\n")
    write(root / "staging" / "chat" / "deploy.yaml", overlay("chat", "staging"))
    return root
