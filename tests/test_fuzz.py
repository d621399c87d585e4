"""Every kind of file that is read, with what should not be in it; `python -m bench.fuzz` tries far more."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from bench import fuzz

from breakeven import directory
from breakeven.engine import kubeconfig
from breakeven.errors import InputError
from breakeven.yaml_source import Source

MERGES = "a: &a {x: 1, y: 2}\n" + "".join(
    f"{name}: &{name} {{<<: [{', '.join([f'*{former}'] * 20)}]}}\n" for former, name in pairwise("abcdefghi")
)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize("name", fuzz.READERS)
def test_whatever_is_in_it(name: str) -> None:
    fuzz.fuzz(name, 150)


@pytest.mark.parametrize("name", fuzz.READERS)
def test_the_fuzz_begins_with_a_valid_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "valid.json"
    path.write_text(fuzz.READERS[name].seed(), encoding="utf-8")
    fuzz.READERS[name].read(path)


@pytest.mark.parametrize("mark", ["[", "{a: ", "- ", "? ", "[\n"])
def test_deep_nesting_does_not_end_the_process(mark: str, tmp_path: Path) -> None:
    """In a process of its own: the C parser would take ours down with it."""
    path = tmp_path / "deep.yaml"
    path.write_text(mark * 200_000)
    source = "import sys, pathlib; from breakeven.yaml_source import Source; Source.read(pathlib.Path(sys.argv[1]))"
    ended = subprocess.run([sys.executable, "-c", source, str(path)], capture_output=True, text=True, timeout=60)
    assert ended.returncode != -signal.SIGSEGV
    assert f"InputError: {path}:" in ended.stderr
    with pytest.raises(InputError, match=r"deep\.yaml:"):
        kubeconfig.locate(path, None)


def test_merged_keys_that_multiply_are_refused() -> None:
    with pytest.raises(InputError, match=r"^d.yaml:\d+: merged keys \(<<\) repeat without end"):
        Source.parse(MERGES, "d.yaml")


def test_a_merged_key_is_still_one() -> None:
    assert Source.parse("a: &a {x: 1}\nb: {<<: *a, y: 2}\n", "d.yaml").data["b"] == {"x": 1, "y": 2}


@pytest.mark.parametrize("text", ["[" * 100_000, "{}", "[]", "\x00", '{"schema": "breakeven.lock/1", "files": 1}'])
def test_a_lock_file_of_a_directory_that_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / directory.LOCK).write_text(text)
    with pytest.raises(InputError, match="is not a lock file"):
        directory.write(tmp_path, {"a.yaml": "a: 1\n"}, {})
    assert [path.name for path in tmp_path.iterdir()] == [directory.LOCK]


def test_a_lock_file_names_nothing_outside(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("ours")
    (tmp_path / "out").mkdir()
    lock = {"schema": "breakeven.lock/1", "files": {"../precious": directory._digest("ours"), "/etc/passwd": ""}}
    (tmp_path / "out" / directory.LOCK).write_text(json.dumps(lock))
    directory.write(tmp_path / "out", {"a.yaml": "a: 1\n"}, {})
    assert (tmp_path / "precious").read_text() == "ours"


def test_a_hand_that_writes_is_seen(tmp_path: Path) -> None:
    with fuzz.watched() as touched:
        (tmp_path / "x").write_text("x")
    assert touched == [f"open {str(tmp_path / 'x')!r}"]
