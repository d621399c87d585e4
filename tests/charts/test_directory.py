"""`deploy render OUT`: whole or not at all, and nothing of others is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from breakeven import directory, render
from breakeven.core.plan import Plan
from breakeven.errors import DeployError, InputError

Planned = Callable[..., Plan]

FILES = {"values.yaml": "a: 1\n", "manifests/x.yaml": "kind: X\n"}
ABOUT = {"tool": "breakeven test"}


def _tree(out: Path) -> dict[str, str]:
    return {str(path.relative_to(out)): path.read_text() for path in out.rglob("*") if path.is_file()}


def test_a_plan_is_written_with_its_lock_file(planned: Planned, helm: Path, tmp_path: Path) -> None:
    out = tmp_path / "build"
    paths = render.write(planned("4xa100"), helm, out)
    assert [str(path.relative_to(out)) for path in paths] == [
        "values.yaml",
        "manifests/namespace-llm-4xa100.yaml",
        "manifests/serviceaccount-llm-4xa100.yaml",
        "manifests/service-llm-4xa100.yaml",
        "manifests/deployment-llm-4xa100.yaml",
        "breakeven.lock.json",
    ]
    lock = json.loads((out / "breakeven.lock.json").read_text())
    assert lock["plan"]["gpus"] == 4
    assert lock["cost"]["monthly_usd"] == "9500.00"
    assert lock["files"]["values.yaml"] == sha256((out / "values.yaml").read_bytes()).hexdigest()


def test_the_same_plan_writes_the_same_bytes(planned: Planned, helm: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "a"):
        render.write(planned("serverless"), helm, tmp_path / name)
    assert _tree(tmp_path / "a") == _tree(tmp_path / "b")


def test_differences_name_what_a_render_would_change(planned: Planned, helm: Path, tmp_path: Path) -> None:
    render.write(planned("4xa100"), helm, tmp_path)
    assert render.differences(planned("4xa100"), helm, tmp_path) == []
    assert render.differences(planned("4xa100", nodes=2), helm, tmp_path) == [
        "missing: manifests/poddisruptionbudget-llm-4xa100.yaml",
        "changed: values.yaml",
        "changed: manifests/deployment-llm-4xa100.yaml",
        "changed: breakeven.lock.json",
    ]


def test_differences_name_missing_and_unexpected_files(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("kind: Mine\n")
    assert directory.differences(tmp_path, FILES, ABOUT) == [
        "missing: values.yaml",
        "missing: manifests/x.yaml",
        "missing: breakeven.lock.json",
        "unexpected: mine.yaml",
    ]


def test_files_that_are_no_longer_wanted_go(tmp_path: Path) -> None:
    directory.write(tmp_path, FILES, ABOUT)
    directory.write(tmp_path, {"values.yaml": "a: 2\n"}, ABOUT)
    assert _tree(tmp_path).keys() == {"values.yaml", directory.LOCK}
    assert not (tmp_path / "manifests").exists()


def test_a_directory_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("kind: Mine\n")
    with pytest.raises(InputError, match="was not written by"):
        directory.write(tmp_path, FILES, ABOUT)
    assert _tree(tmp_path) == {"mine.yaml": "kind: Mine\n"}


def test_a_file_beside_ours_is_refused(tmp_path: Path) -> None:
    directory.write(tmp_path, FILES, ABOUT)
    (tmp_path / "manifests" / "mine.yaml").write_text("kind: Mine\n")
    with pytest.raises(InputError, match=r"mine\.yaml was not written by"):
        directory.write(tmp_path, FILES, ABOUT)


@pytest.mark.parametrize("wanted", [FILES | {"values.yaml": "a: 2\n"}, {}])
def test_a_file_that_was_edited_is_neither_overwritten_nor_removed(tmp_path: Path, wanted: dict[str, str]) -> None:
    directory.write(tmp_path, FILES, ABOUT)
    (tmp_path / "values.yaml").write_text("a: edited\n")
    with pytest.raises(InputError, match="or changed since"):
        directory.write(tmp_path, wanted, ABOUT)
    assert (tmp_path / "values.yaml").read_text() == "a: edited\n"


def test_a_removed_file_comes_back(tmp_path: Path) -> None:
    directory.write(tmp_path, FILES, ABOUT)
    (tmp_path / "values.yaml").unlink()
    directory.write(tmp_path, FILES, ABOUT)
    assert (tmp_path / "values.yaml").read_text() == "a: 1\n"


@pytest.mark.parametrize("name", ["values.yaml", "manifests", directory.LOCK])
def test_no_symlink_is_followed(tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    out = tmp_path / "out"
    out.mkdir()
    (out / name).symlink_to(elsewhere)
    with pytest.raises(InputError, match="symlink"):
        directory.write(out, FILES, ABOUT)
    assert list(elsewhere.iterdir()) == []


def test_a_symlink_is_no_target(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(InputError, match="not a plain directory"):
        directory.write(tmp_path / "link", FILES, ABOUT)


def test_a_file_is_no_target(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="not a plain directory"):
        directory.write(tmp_path / "file", FILES, ABOUT)


@pytest.mark.parametrize("text", ["", "{}", '{"schema": "breakeven.lock/9", "files": {}}', "[1]"])
def test_a_lock_file_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    directory.write(tmp_path, FILES, ABOUT)
    (tmp_path / directory.LOCK).write_text(text)
    with pytest.raises(InputError, match="not a lock file that this version reads"):
        directory.write(tmp_path, FILES, ABOUT)


def test_a_forged_lock_file_removes_nothing_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("precious")
    out = tmp_path / "out"
    directory.write(out, FILES, ABOUT)
    lock = json.loads((out / directory.LOCK).read_text())
    lock["files"]["../outside"] = sha256(b"precious").hexdigest()
    (out / directory.LOCK).write_text(json.dumps(lock))
    directory.write(out, FILES, ABOUT)
    assert outside.read_text() == "precious"


def test_an_interrupted_write_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory.write(tmp_path, FILES, ABOUT)
    wanted = {"values.yaml": "a: 2\n", "manifests/y.yaml": "kind: Y\n"}
    move = Path.replace

    def fail_at_the_lock_file(self: Path, target: Path) -> Path:
        if target.name == directory.LOCK:
            raise OSError("disk full")
        return move(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail_at_the_lock_file)
        with pytest.raises(DeployError, match=r"cannot write to .*disk full"):
            directory.write(tmp_path, wanted, ABOUT)
    directory.write(tmp_path, wanted, ABOUT)
    assert _tree(tmp_path).keys() == {*wanted, directory.LOCK}


def test_a_failed_write_leaves_every_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory.write(tmp_path, FILES, ABOUT)
    before = _tree(tmp_path)

    def fail(self: Path, data: bytes) -> int:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(DeployError, match="disk full"):
        directory.write(tmp_path, FILES | {"values.yaml": "a: 2\n"}, ABOUT)
    assert _tree(tmp_path) == before


def test_the_current_directory_is_a_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    directory.write(Path(), FILES, ABOUT)
    assert _tree(tmp_path).keys() == {*FILES, directory.LOCK}
