"""What the documents say is true: commands run as written, help is current, links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest
from click.testing import CliRunner
from tests.docs import console

from breakeven import errors, load, main, resources
from breakeven.core.plan import plan
from breakeven.engine import tools

ROOT = resources.root()
README = ROOT / "README.md"
CLI = ROOT / "docs" / "cli.md"
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "charts").rglob("*.md")], key=lambda path: str(path)
)

# Whom the documents may name. Nothing on the way from them to a reader's machine is fetched from a host of ours.
HOSTS = {
    "docs.vllm.ai",
    "focus.finops.org",
    "github.com",
    "keepachangelog.com",
    "knative.dev",
    "kwok.sigs.k8s.io",
    "lws.sigs.k8s.io",
    "semver.org",
}

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables of a new user, whose sandbox ends with the tests of this file."""
    tools.require(*tools.names())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BREAKEVEN_", "PULUMI_", "KUBE"))}
    home = tmp_path_factory.mktemp("home")
    variables = {
        **kept,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(resources.cache_dir().parent),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
        # The day whose prices the documents show: older ones would be marked as stale by and by.
        "BREAKEVEN_PRICES_AT": "2026-11-24",
    }
    yield variables
    run("deploy sandbox down", home, variables)


@pytest.mark.parametrize(
    "document", [path for path in DOCUMENTS if console.steps(path)], ids=lambda path: str(path.relative_to(ROOT))
)
def test_commands_run_as_written(document: Path, environment: dict[str, str], tmp_path: Path) -> None:
    for step in console.steps(document):
        real = run(step.command, tmp_path, environment)
        shown = "\n".join(console.normalised(real))
        assert console.is_shown(real, step.output), f"{step.where}: `{step.command}` prints\n{shown}"


def test_the_readme_shows_the_main_job() -> None:
    commands = [step.command for step in console.steps(README)]
    assert commands[0] == "deploy up --profile 4xa100 --sandbox --yes", "what `make demo` runs"
    for verb in ("preview", "status", "cost", "destroy"):
        assert any(command.startswith(f"deploy {verb} ") for command in commands), verb


def test_the_deployment_file_of_the_readme_is_accepted(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "deploy.yaml").write_text(example, encoding="utf-8")
    wanted = load.deployment(tmp_path / "deploy.yaml", {})
    assert plan(wanted, load.facts(wanted)).stack == "chat"


def test_golden_help_is_current() -> None:
    reference = cli_reference()
    if os.environ.get("BREAKEVEN_WRITE_GOLDEN"):
        CLI.write_text(reference, encoding="utf-8")
    assert CLI.read_text(encoding="utf-8") == reference, "docs/cli.md is not current: make golden"


@pytest.mark.parametrize("verb", main._VERBS)
def test_every_verb_is_documented(verb: str) -> None:
    assert f"## deploy {verb}\n" in CLI.read_text(encoding="utf-8")
    assert f"`deploy {verb}" in README.read_text(encoding="utf-8")


@pytest.mark.parametrize("package", ["core", "engine", "."])
def test_the_architecture_names_every_module(package: str) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    modules = {path.stem for path in (ROOT / "cli" / "breakeven" / package).glob("[a-z]*.py")}
    assert {module for module in modules if f"`{module}`" not in text} == set()


def test_exit_codes_of_the_readme_are_those_of_the_errors() -> None:
    section = README.read_text(encoding="utf-8").partition("## Exit codes\n")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| (\d+) \| (.+?) \|$", section, re.MULTILINE))
    help_ = dict(re.findall(r"^  (\d+)  +(.+)$", main._EPILOG, re.MULTILINE))
    assert {code: meaning.replace("`", "") for code, meaning in rows.items()} == help_
    assert {int(code) for code in rows} == {0, errors.DeployError.exit_code, *exit_codes(errors.DeployError)}


def exit_codes(family: type[errors.DeployError]) -> Iterator[int]:
    for kind in family.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield kind.exit_code
            yield from exit_codes(kind)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for link in links(document):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_public_places_are_named(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    prose = _CODE.sub("", text)
    named = {urlsplit(url).hostname for url in re.findall(r"https?://[^\s)>`\"']+", prose)}
    # A name without a dot is one inside somebody's cluster, as http://collector:4317.
    assert {host for host in named if host and "." in host and not host.startswith(("127.", "llm-"))} <= HOSTS
    for private in (str(ROOT), str(Path.home())):
        assert private not in text
    for path in re.findall(r"\.\./[\w./-]+", text):
        assert (document.parent / path).resolve().is_relative_to(ROOT), path


def links(document: Path) -> list[str]:
    """Those that lead to other files, or elsewhere in this one."""
    prose = _CODE.sub("", document.read_text(encoding="utf-8"))
    return [link for link in _LINK.findall(prose) if "://" not in link]


def anchors(document: Path) -> set[str]:
    """As GitHub makes them of headings."""
    prose = _CODE.sub("", document.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def cli_reference() -> str:
    """docs/cli.md: the help of the command, of each verb and of each verb's own verbs."""
    parts = ["# Command line\n\nThe help of every verb. This page is generated: `make golden`.\n"]
    for path in command_paths(main.cli, ()):
        parts.append(f"{'#' * max(len(path) + 1, 2)} {' '.join(('deploy', *path))}\n\n```text\n{help_of(path)}```\n")
    return "\n".join(parts)


def command_paths(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """In the order of the help."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found
            yield from command_paths(found, (*path, name))


def help_of(path: tuple[str, ...]) -> str:
    shown = CliRunner().invoke(main.cli, [*path, "--help"], prog_name="deploy", terminal_width=100)
    assert shown.exit_code == 0
    return shown.stdout


def run(command: str, directory: Path, environment: dict[str, str]) -> str:
    """What a terminal would show of a `deploy` command that must succeed."""
    program, *arguments = shlex.split(command)
    assert program == "deploy", f"only `deploy` runs in a console block, not {command!r}"
    finished = subprocess.run(
        [sys.executable, "-m", "breakeven", *arguments],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert finished.returncode == 0, f"{command}: exit {finished.returncode}\n{finished.stdout}"
    return finished.stdout
