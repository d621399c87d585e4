"""`deploy render OUT`: whole or not at all, and nothing of others is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from breakeven import directory, lock_file, price_book, render
from breakeven.core.comparison import compare
from breakeven.core.plan import Plan
from breakeven.errors import DeployError, InputError

Planned = Callable[..., Plan]

FILES = {"values.yaml": "a: 1\n", "manifests/x.yaml": "kind: X\n"}
ABOUT = {"plan": "of a test"}


def part(files: dict[str, str]) -> list[directory.Part]:
    return [directory.Part(files=files, about=ABOUT)]


def rendered(plan: Plan, helm: Path) -> list[directory.Part]:
    return [render.part(compare(plan, price_book.prices(plan, (), price_book.newest())), helm)]


def differences(out: Path, parts: list[directory.Part]) -> list[str]:
    return [name for name, _ in directory.differences(out, parts)]


def _tree(out: Path) -> dict[str, str]:
    return {str(path.relative_to(out)): path.read_text() for path in out.rglob("*") if path.is_file()}


def test_a_plan_is_written_with_its_lock_file(planned: Planned, helm: Path, tmp_path: Path) -> None:
    out = tmp_path / "build"
    paths = directory.write(out, rendered(planned("4xa100"), helm))
    assert [str(path.relative_to(out)) for path in paths] == [
        "values.yaml",
        "kustomization.yaml",
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
        directory.write(tmp_path / name, rendered(planned("serverless"), helm))
    assert _tree(tmp_path / "a") == _tree(tmp_path / "b")


def test_differences_name_what_a_render_would_change(planned: Planned, helm: Path, tmp_path: Path) -> None:
    directory.write(tmp_path, rendered(planned("4xa100"), helm))
    assert differences(tmp_path, rendered(planned("4xa100"), helm)) == []
    changed = dict(directory.differences(tmp_path, rendered(planned("4xa100", nodes=2), helm)))
    assert list(changed) == [
        "breakeven.lock.json",
        "kustomization.yaml",
        "manifests/deployment-llm-4xa100.yaml",
        "manifests/poddisruptionbudget-llm-4xa100.yaml",
        "values.yaml",
    ]
    assert "\n-replicas: 1\n+replicas: 2\n" in changed["values.yaml"]


def test_differences_name_missing_and_unexpected_files(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("kind: Mine\n")
    found = dict(directory.differences(tmp_path, part(FILES)))
    assert list(found) == ["breakeven.lock.json", "manifests/x.yaml", "mine.yaml", "values.yaml"]
    assert found["manifests/x.yaml"].startswith("--- /dev/null\n+++ ")
    assert found["mine.yaml"].splitlines()[1] == "+++ /dev/null"


def test_files_that_are_no_longer_wanted_go(tmp_path: Path) -> None:
    directory.write(tmp_path, part(FILES))
    directory.write(tmp_path, part({"values.yaml": "a: 2\n"}))
    assert _tree(tmp_path).keys() == {"values.yaml", lock_file.NAME}
    assert not (tmp_path / "manifests").exists()


def test_a_directory_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("kind: Mine\n")
    with pytest.raises(InputError, match="was not written by"):
        directory.write(tmp_path, part(FILES))
    assert _tree(tmp_path) == {"mine.yaml": "kind: Mine\n"}


def test_a_file_beside_ours_is_refused(tmp_path: Path) -> None:
    directory.write(tmp_path, part(FILES))
    (tmp_path / "manifests" / "mine.yaml").write_text("kind: Mine\n")
    with pytest.raises(InputError, match=r"mine\.yaml was not written by"):
        directory.write(tmp_path, part(FILES))


@pytest.mark.parametrize("wanted", [FILES | {"values.yaml": "a: 2\n"}, {}])
def test_a_file_that_was_edited_is_neither_overwritten_nor_removed(tmp_path: Path, wanted: dict[str, str]) -> None:
    directory.write(tmp_path, part(FILES))
    (tmp_path / "values.yaml").write_text("a: edited\n")
    with pytest.raises(InputError, match=r"values\.yaml:1: it was changed since"):
        directory.write(tmp_path, part(wanted))
    assert (tmp_path / "values.yaml").read_text() == "a: edited\n"


def test_a_removed_file_comes_back(tmp_path: Path) -> None:
    directory.write(tmp_path, part(FILES))
    (tmp_path / "values.yaml").unlink()
    directory.write(tmp_path, part(FILES))
    assert (tmp_path / "values.yaml").read_text() == "a: 1\n"


@pytest.mark.parametrize("name", ["values.yaml", "manifests", lock_file.NAME])
def test_no_symlink_is_followed(tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    out = tmp_path / "out"
    out.mkdir()
    (out / name).symlink_to(elsewhere)
    with pytest.raises(InputError, match="symlink"):
        directory.write(out, part(FILES))
    assert list(elsewhere.iterdir()) == []


def test_a_symlink_is_no_target(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(InputError, match="not a plain directory"):
        directory.write(tmp_path / "link", part(FILES))


def test_a_file_is_no_target(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="not a plain directory"):
        directory.write(tmp_path / "file", part(FILES))


@pytest.mark.parametrize("text", ["", "{}", '{"schema": "breakeven.lock/9", "files": {}}', "[1]"])
def test_a_lock_file_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    directory.write(tmp_path, part(FILES))
    (tmp_path / lock_file.NAME).write_text(text)
    with pytest.raises(InputError, match=r"lock\.json:\d+: .*(is not a lock file|newer version wrote)"):
        directory.write(tmp_path, part(FILES))


def test_a_forged_lock_file_removes_nothing_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("precious")
    out = tmp_path / "out"
    directory.write(out, part(FILES))
    lock = json.loads((out / lock_file.NAME).read_text())
    lock["files"]["../outside"] = sha256(b"precious").hexdigest()
    (out / lock_file.NAME).write_text(json.dumps(lock))
    directory.write(out, part(FILES))
    assert outside.read_text() == "precious"


def test_an_interrupted_write_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory.write(tmp_path, part(FILES))
    wanted = {"values.yaml": "a: 2\n", "manifests/y.yaml": "kind: Y\n"}
    move = Path.replace

    def fail_at_the_lock_file(self: Path, target: Path) -> Path:
        if target.name == lock_file.NAME:
            raise OSError("disk full")
        return move(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail_at_the_lock_file)
        with pytest.raises(DeployError, match=r"cannot write to .*disk full"):
            directory.write(tmp_path, part(wanted))
    directory.write(tmp_path, part(wanted))
    assert _tree(tmp_path).keys() == {*wanted, lock_file.NAME}


def test_a_failed_write_leaves_every_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory.write(tmp_path, part(FILES))
    before = _tree(tmp_path)

    def fail(self: Path, data: bytes) -> int:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(DeployError, match="disk full"):
        directory.write(tmp_path, part(FILES | {"values.yaml": "a: 2\n"}))
    assert _tree(tmp_path) == before


def test_the_current_directory_is_a_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    directory.write(Path(), part(FILES))
    assert _tree(tmp_path).keys() == {*FILES, lock_file.NAME}
