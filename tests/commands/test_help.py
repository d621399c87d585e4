from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result

from breakeven import __version__, main

Deploy = Callable[..., Result]


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_every_verb_and_exit_code(deploy: Deploy, flag: str) -> None:
    found = deploy(flag)
    assert found.exit_code == 0
    for verb, line in main._VERBS.items():
        assert f"  {verb} " in found.stdout
        assert line in found.stdout
    for code in (0, 1, 2, 3, 4, 5, 6, 7, 130):
        assert f"\n    {code} " in found.stdout
    assert "\b" not in found.stdout


@pytest.mark.parametrize("verb", main._VERBS)
def test_every_verb_has_help_with_an_example(deploy: Deploy, verb: str) -> None:
    found = deploy(verb, "--help")
    assert found.exit_code == 0, found.output
    assert found.stdout.startswith(f"Usage: deploy {verb}")
    assert "Example" in found.stdout
    assert f"deploy {verb}" in found.stdout.partition("Example")[2]


def test_a_misspelt_verb(deploy: Deploy) -> None:
    found = deploy("previw")
    assert found.exit_code == 2
    assert "No such command 'previw'. Did you mean 'preview'?" in found.stderr


def test_the_version(deploy: Deploy) -> None:
    assert deploy("--version").stdout == f"deploy {__version__}\n"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("deploy profiles 4x", "4xa100"),
        ("deploy models Qwen/Qwen3-23", "Qwen/Qwen3-235B-A22B\nplain,Qwen/Qwen3-235B-A22B-FP8"),
    ],
)
def test_names_are_completed(deploy: Deploy, monkeypatch: pytest.MonkeyPatch, words: str, found: str) -> None:
    monkeypatch.setenv("_DEPLOY_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", "2")
    assert deploy().stdout == f"plain,{found}\n"
