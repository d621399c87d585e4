"""The wheel, built from what git would commit, installed in an empty environment and used from another directory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from breakeven import __version__, directory, price_book, render, resources
from breakeven.core.comparison import compare
from breakeven.core.plan import Plan
from breakeven.engine import tools

BUNDLE = "breakeven/_bundle/"
BUNDLED = ("profiles/", "charts/", "infra/", "tools/", "docs/schemas/", "Pulumi.yaml")


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Breakeven from the wheel; its dependencies from the environment that runs the tests."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, symlinks=True)
    site_packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(home)}))
    # A path in a .pth is searched last, and the .pth files there, an editable install among them, are not read.
    (site_packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(home), "install", "--quiet", "--no-index", str(wheel)]
    run([*pip, "--no-deps", "--ignore-installed"], cwd=home)
    # Once more: now it only looks whether all that the wheel requires is there.
    run(pip, cwd=home)
    return home


@pytest.fixture
def clean(environment: Path, tmp_path: Path) -> dict[str, str]:
    """Variables of a user with nothing but that environment; the built programs are the ones of this machine."""
    return {
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(resources.cache_dir().parent),
        "PYTHONWARNINGS": "error",
    }


def test_the_wheel_brings_exactly_the_files_of_the_checkout(wheel: Path, sources: Path) -> None:
    copied = content(sources)
    expected = {f"{BUNDLE}{name}": text for name, text in copied.items() if name.startswith(BUNDLED)}
    expected |= {name.removeprefix("cli/"): copied[name] for name in copied if name.startswith("cli/breakeven/")}
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert shipped == expected.keys()
        for name, text in expected.items():
            assert archive.read(name) == text, name


def test_dotfiles_are_shipped(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert f"{BUNDLE}profiles/.schema.json" in names
    assert f"{BUNDLE}charts/vllm/.helmignore" in names


def test_both_commands_and_the_module_say_the_version(clean: dict[str, str]) -> None:
    for command in (["deploy"], ["breakeven"], ["python", "-m", "breakeven"]):
        assert run([*command, "--version"], env=clean) == f"deploy {__version__}\n"


def test_help_of_the_module(clean: dict[str, str]) -> None:
    assert run(["python", "-m", "breakeven", "--help"], env=clean).startswith("Usage: deploy [OPTIONS] COMMAND")


def test_it_is_the_wheel_that_runs(environment: Path, clean: dict[str, str]) -> None:
    found = run(["python", "-c", "from breakeven import resources; print(resources.root())"], env=clean)
    assert Path(found.strip()).is_relative_to(environment)


def test_profiles(clean: dict[str, str]) -> None:
    shown = run(["deploy", "profiles"], env=clean)
    for path in resources.profiles().glob("*.yaml"):
        assert path.stem in shown


def test_cost(clean: dict[str, str]) -> None:
    cost = json.loads(run(["deploy", "cost", "--profile", "4xa100", "-o", "json"], env=clean))
    assert cost["self_hosted"]["monthly_usd"] == "9500.00"


def test_a_render_is_the_same_as_from_the_checkout(
    clean: dict[str, str], planned: Callable[..., Plan], tmp_path: Path
) -> None:
    tools.require("helm")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    run(["deploy", "render", str(theirs), "--profile", "4xa100"], env=clean)
    plan = planned("4xa100")
    comparison = compare(plan, price_book.prices(plan, (), price_book.newest()))
    directory.write(ours, [render.part(comparison, tools.path("helm"))])
    assert "manifests/deployment-llm-4xa100.yaml" in content(theirs)
    assert content(theirs) == content(ours)


def test_a_preview_finds_the_program_and_the_chart(clean: dict[str, str]) -> None:
    tools.require("pulumi", "provider", "kube", "knative-crds")
    try:
        shown = run(["deploy", "preview", "--profile", "4xa100", "--sandbox"], env=clean)
    finally:
        run(["deploy", "sandbox", "down"], env=clean)
    assert "create  Deployment llm-4xa100" in shown


def test_programs_that_the_checkout_built_are_not_built_again(clean: dict[str, str]) -> None:
    tools.require(*tools.names())
    found = json.loads(run(["deploy", "tools", "-o", "json"], env=clean))
    paths = {program["program"]: program["path"] for program in found["programs"]}
    assert paths == {record.program: str(record.path) for record in tools.report()}


def content(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def run(command: list[str], *, cwd: Path = Path("/"), env: dict[str, str] | None = None) -> str:
    """Stdout, of a run that must succeed."""
    program = shutil.which(command[0], path=(env or os.environ)["PATH"])
    assert program, f"{command[0]} is not on PATH"
    finished = subprocess.run([program, *command[1:]], cwd=cwd, env=env, capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, f"{' '.join(command)}\n{finished.stdout}\n{finished.stderr}"
    return finished.stdout
