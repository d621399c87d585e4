"""How long `deploy` takes to start, against a bare Click program in the same interpreter: `python -m bench.startup`."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

from bench.harness import Contestant, machine, race, table

_ROUNDS: Final = 31

# What the console script of an installed `deploy` does.
DEPLOY: Final = "import sys; from breakeven.main import main; sys.exit(main())"

_BARE: Final = """
import click

@click.group()
@click.version_option("1")
@click.option("--debug", is_flag=True)
def cli(debug):
    "A group."

@cli.command()
@click.option("--name", default="world", help="Whom to greet.")
def hello(name):
    "Greet."
    click.echo(f"hello {name}")

cli(prog_name="bare")
"""


def main() -> None:
    """Print two tables."""
    print(machine())
    help_ = {"bare Click, --help": program(_BARE, "--help"), "deploy --help": program(DEPLOY, "--help")}
    print(table("Help", race(help_, rounds=_ROUNDS)))
    verbs = {"bare Click, a command": program(_BARE, "hello"), "deploy profiles": program(DEPLOY, "profiles")}
    print(table("A command", race(verbs, rounds=_ROUNDS)))


def program(source: str, *arguments: str) -> Contestant:
    """A Python program, run to its end in a process of its own."""
    command = [sys.executable, "-c", source, *arguments]
    return lambda: _run(command)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
