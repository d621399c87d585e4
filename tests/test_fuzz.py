"""Every kind of file that is read, with what should not be in it; `python -m bench.fuzz` tries far more."""

from __future__ import annotations

import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from bench import fuzz

from breakeven import directory, lock_file
from breakeven.engine import kubeconfig
from breakeven.errors import InputError
from breakeven.yaml_source import Source

MERGES = "a: &a {x: 1, y: 2}\n" + "".join(
    f"{name}: &{name} {{<<: [{', '.join([f'*{former}'] * 20)}]}}\n" for former, name in pairwise("abcdefghi")
)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize("name", fuzz.READERS)
@pytest.mark.fault(
    "Anything at all in a file that is read",
    "a record, or an error that names the file; nothing is written",
    "2",
)
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
    (tmp_path / lock_file.NAME).write_text(text)
    with pytest.raises(InputError, match=r"not a lock file|breakeven\.lock\.json"):
        directory.write(tmp_path, [directory.Part(files={"a.yaml": "a: 1\n"}, about={})])
    assert [path.name for path in tmp_path.iterdir()] == [lock_file.NAME]


def test_a_lock_file_names_nothing_outside(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("ours")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / lock_file.NAME).write_text(lock_file.text({"../precious": "ours"}, {}))
    directory.write(tmp_path / "out", [directory.Part(files={"a.yaml": "a: 1\n"}, about={})])
    assert (tmp_path / "precious").read_text() == "ours"


def test_a_hand_that_writes_is_seen(tmp_path: Path) -> None:
    with fuzz.watched() as touched:
        (tmp_path / "x").write_text("x")
    assert touched == [f"open {str(tmp_path / 'x')!r}"]
