from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from breakeven import resources
from breakeven.engine import build, go, programs
from breakeven.engine import tools as engine_tools
from breakeven.engine.lock import held
from breakeven.engine.programs import Module, Program
from breakeven.engine.progress import Progress
from breakeven.errors import InputError, ToolError
from breakeven.main import cli

HELLO = Module(name="hello", programs=(Program(name="hello", version="1.0.0"),), usual_s=1)


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for programs; Go keeps its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for variable in ("GOCACHE", "GOMODCACHE"):
        monkeypatch.setenv(variable, _go_env(variable))
    return tmp_path / "cache" / "breakeven" / "tools"


@pytest.fixture
def hello(tmp_path: Path, caches: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tools folder with one tiny module in it."""
    folder = tmp_path / "tools" / "hello"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module example.invalid/hello\n\ngo 1.26\n\ntool example.invalid/hello\n")
    (folder / "main.go").write_text('package main\n\nfunc main() { println("hello") }\n')
    monkeypatch.setattr(resources, "tools", lambda: tmp_path / "tools")
    monkeypatch.setattr(programs, "MODULES", (HELLO,))
    monkeypatch.setattr(engine_tools, "MODULES", (HELLO,))
    return folder


@pytest.fixture
def no_cached_go() -> Iterator[None]:
    find = go.find  # a test may replace it
    find.cache_clear()
    yield
    find.cache_clear()


def _go_env(variable: str) -> str:
    return subprocess.run(["go", "env", variable], capture_output=True, text=True, check=True).stdout.strip()


def script(path: Path, prints: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(0o755)
    return path


# --- versions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("3.259.0", True),
        ("v3.259.1", True),
        ("3.300.0-alpha.1", True),
        ("3.258.9", False),
        ("4.0.0", False),
        ("2.999.0", False),
        ("", False),
        ("dev", False),
    ],
)
def test_a_version_fits_with_the_same_major_and_at_least_the_pinned_one(version: str, expected: bool) -> None:
    assert engine_tools.fits(version, "3.259.0") is expected


@pytest.mark.parametrize(
    ("folder", "prints", "expected"),
    [
        ("bin", "v3.300.0", True),
        ("bin", "v3.100.0", False),
        ("bin", "", False),
        # The Automation API runs ROOT/bin/pulumi only.
        ("shims", "v3.300.0", False),
    ],
)
def test_pulumi_is_taken_from_path_if_it_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, prints: str, expected: bool
) -> None:
    program = script(tmp_path / folder / "pulumi", prints)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    found = engine_tools.find("pulumi")
    assert (found is not None and found.origin == "PATH") is expected
    if expected:
        assert engine_tools.path("pulumi") == program
        record = next(record for record in engine_tools.report() if record.program == "pulumi")
        assert (record.version, record.origin, record.path) == ("3.300.0", "PATH", program)


def test_the_control_plane_is_never_taken_from_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = script(tmp_path / "bin" / "kubectl", "v1.36.3")
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    found = engine_tools.find("kube")
    assert found is None or found.origin == "built"


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InputError, match="no module 'kubernets'"):
        engine_tools.require("kubernets")
    with pytest.raises(InputError, match="no pinned program 'kubctl'"):
        engine_tools.path("kubctl")


# --- Go -------------------------------------------------------------------------------------------------------------


def test_go_on_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_cached_go: None) -> None:
    program = script(tmp_path / "go", "go version go1.99.1 linux/amd64")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert go.find() == go.Go(path=program, version="go1.99.1 linux/amd64")


def test_go_comes_from_the_wheel_where_path_has_an_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_cached_go: None
) -> None:
    script(tmp_path / "path" / "go", "go version go1.25.9 linux/amd64")
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    in_wheel = script(tmp_path / "site" / "go" / "bin" / "go", "go version go1.26.6 linux/amd64")
    (tmp_path / "site" / "go" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert go.find().path == in_wheel


def test_the_real_wheel_holds_a_go(monkeypatch: pytest.MonkeyPatch, no_cached_go: None, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert go.find().path.parts[-3:] == ("go", "bin", "go")


def test_without_go_the_next_step_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_cached_go: None) -> None:
    script(tmp_path / "go", "go version go1.25.9 linux/amd64")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ToolError, match=r"needs Go 1\.26 or newer \(.*go is go1\.25\.9 linux/amd64\)") as caught:
        go.find()
    assert caught.value.exit_code == 4
    assert "pip install 'breakeven[go]'" in caught.value.hint


# --- building -------------------------------------------------------------------------------------------------------


def test_a_missing_program_is_built_once(hello: Path, caches: Path) -> None:
    events: list[Progress] = []
    assert engine_tools.find("hello") is None
    engine_tools.require("hello", progress=events.append)
    program = engine_tools.path("hello")
    assert subprocess.run([program], capture_output=True, text=True, check=True).stderr == "hello\n"
    assert [event.state for event in events if event.state != "running"] == ["started", "done"]
    assert events[0] == Progress(what="building hello", state="started", step=1, steps=1, usual_s=1)
    events.clear()
    engine_tools.require("hello", progress=events.append)
    assert events == []


def test_a_read_only_folder_is_built_and_stays_as_it_was(hello: Path, caches: Path) -> None:
    before = sorted(hello.parent.rglob("*"))
    for path in (*hello.iterdir(), hello):
        path.chmod(path.stat().st_mode & ~0o222)
    engine_tools.require("hello")
    hello.chmod(0o755)
    assert sorted(hello.parent.rglob("*")) == before


def test_a_failed_build_says_why_and_leaves_nothing(hello: Path, caches: Path) -> None:
    (hello / "main.go").write_text("package main\n\nfunc main() { missing() }\n")
    with pytest.raises(ToolError, match=r"building hello failed \(go build, exit 1\)") as caught:
        engine_tools.require("hello")
    assert "main.go:3:15: undefined: missing" in caught.value.message
    assert caught.value.hint.startswith("run it again")
    assert [path.name for path in caches.iterdir()] == ["lock"]


def test_a_module_that_go_sum_does_not_know_is_refused(hello: Path, caches: Path) -> None:
    with (hello / "go.mod").open("a") as file:
        file.write("\nrequire golang.org/x/text v0.33.0\n")
    (hello / "main.go").write_text('package main\n\nimport _ "golang.org/x/text"\n\nfunc main() {}\n')
    with pytest.raises(ToolError, match=r"missing go\.sum entry"):
        engine_tools.require("hello")


def test_what_an_interrupted_build_left_is_replaced(hello: Path, caches: Path) -> None:
    target = build.target(HELLO)
    left = target.with_name(f".{target.name}.building") / "out" / "bin"
    left.mkdir(parents=True)
    (left / "junk").touch()
    engine_tools.require("hello")
    assert [path.name for path in (target / "bin").iterdir()] == ["hello"]
    assert not left.exists()


def test_whatever_decides_the_result_decides_the_folder(hello: Path, caches: Path) -> None:
    first = build.target(HELLO)
    (hello / "README").touch()
    assert build.target(HELLO) == first
    others = {build.target(replace(HELLO, tags=("netgo",)))}
    (hello / "go.sum").write_text("changed\n")
    others.add(build.target(HELLO))
    assert len({first, *others}) == 3


def test_what_was_built_serves_on_without_go(
    hello: Path, caches: Path, monkeypatch: pytest.MonkeyPatch, no_cached_go: None
) -> None:
    engine_tools.require("hello")
    monkeypatch.setattr("breakeven.engine.go.find", lambda: pytest.fail("asked for Go"))
    engine_tools.require("hello")
    assert engine_tools.path("hello").is_file()


def test_a_program_that_is_not_built_is_reported_missing(hello: Path, caches: Path) -> None:
    (record,) = engine_tools.report()
    assert (record.program, record.version, record.origin, record.path) == ("hello", "1.0.0", "missing", None)
    with pytest.raises(ToolError, match="hello is not built yet") as caught:
        engine_tools.path("hello")
    assert caught.value.hint == "deploy tools --build"


# --- one at a time --------------------------------------------------------------------------------------------------

_HOLDER = """
import sys, time
from pathlib import Path
from breakeven.engine.lock import held
with held(Path(sys.argv[1]), print):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def test_a_second_process_waits_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    waited: list[float] = []
    with subprocess.Popen([sys.executable, "-c", _HOLDER, path, "1.5"], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout and holder.stdout.readline() == "held\n"
        with held(path, waited.append):
            assert holder.wait() == 0
    assert waited and waited == sorted(waited)


def test_the_lock_of_a_dead_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", _HOLDER, path, "60"], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout and holder.stdout.readline() == "held\n"
        holder.kill()
    with held(path, lambda elapsed_s: pytest.fail("waits")):
        pass


def test_a_lock_file_removed_by_its_holder_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with held(path, lambda elapsed_s: pytest.fail("waits")):
        path.unlink()
        with held(path, lambda elapsed_s: pytest.fail("waits")):
            assert path.exists()


# --- the real programs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "argument", "expected"),
    [
        ("helm", "version", "v3.20.2"),
        ("pulumi", "version", "v3.259.0"),
        ("kube-apiserver", "--version", "Kubernetes v1.36.3"),
        ("kube-controller-manager", "--version", "Kubernetes v1.36.3"),
        ("kube-scheduler", "--version", "Kubernetes v1.36.3"),
        ("etcd", "--version", "etcd Version: 3.6.14"),
        ("kwok", "--version", "v0.8.0"),
        ("kwokctl", "--version", "v0.8.0"),
    ],
)
def test_a_built_program_tells_its_pinned_version(
    tools: None, program: str, argument: str, expected: str, tmp_path: Path
) -> None:
    path = engine_tools.path(program)
    environment = {**os.environ, "PULUMI_HOME": str(tmp_path)}
    ran = subprocess.run([path, argument], env=environment, capture_output=True, text=True, check=True)
    assert expected in ran.stdout


def test_an_engine_that_is_asked_for_its_version_leaves_no_log_at_home(
    tools: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "bin" / "pulumi"
    own.parent.mkdir()
    own.symlink_to(engine_tools.path("pulumi"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{own.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    found = engine_tools.find("pulumi")
    assert found
    assert (found.origin, found.version) == ("PATH", "3.259.0")
    assert not (tmp_path / "home").exists()


def test_the_engine_finds_the_linked_provider(tools: None, tmp_path: Path) -> None:
    engine_tools.link_provider(tmp_path)
    engine_tools.link_provider(tmp_path)
    environment = os.environ | {
        "PULUMI_HOME": str(tmp_path),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
    }
    command = [str(engine_tools.path("pulumi")), "package", "get-schema", "kubernetes@4.25.0"]
    schema = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    # The real schema, not a stub.
    assert '"version": "4.25.0"' in schema
    assert "kubernetes:helm.sh/v4:Chart" in schema


def test_a_stale_link_to_the_provider_is_replaced_and_a_plugin_is_not(tools: None, tmp_path: Path) -> None:
    source = engine_tools.path("pulumi-resource-kubernetes")
    plugin = tmp_path / "plugins" / "resource-kubernetes-v4.25.0" / source.name
    plugin.parent.mkdir(parents=True)
    plugin.symlink_to(tmp_path / "gone")
    engine_tools.link_provider(tmp_path)
    assert plugin.resolve() == source.resolve()
    plugin.unlink()
    shutil.copyfile("/dev/null", plugin)
    engine_tools.link_provider(tmp_path)
    assert not plugin.is_symlink()


def test_the_python_host_has_its_executor_beside_it(tools: None) -> None:
    executor = engine_tools.path("pulumi-language-python").with_name("pulumi-language-python-exec")
    assert os.access(executor, os.X_OK)
    assert executor.read_text(encoding="utf-8").startswith("#!/usr/bin/env python")


def test_every_program_is_reported_with_its_path(tools: None) -> None:
    records = engine_tools.report(for_tests=True)
    assert all(record.path and os.access(record.path, os.X_OK) for record in records)
    shipped = {record.program for record in engine_tools.report()}
    of_tests = {"helm-unittest", "prometheus", "promtool", "pulumi-language-python"}
    assert {record.program for record in records} - shipped == of_tests


# --- the verb -------------------------------------------------------------------------------------------------------


def test_the_verb_builds_lists_and_tells_one_path(hello: Path, caches: Path) -> None:
    missing = CliRunner().invoke(cli, ["tools"])
    assert missing.stdout.splitlines()[1].split() == ["hello", "1.0.0", "missing"]
    built = CliRunner().invoke(cli, ["tools", "--build", "-o", "json"])
    (program,) = json.loads(built.stdout)["programs"]
    assert (program["program"], program["version"], program["origin"]) == ("hello", "1.0.0", "built")
    assert "building hello … done in" in built.stderr
    assert CliRunner().invoke(cli, ["tools", "--path", "hello"]).stdout == f"{program['path']}\n"
    assert "| hello | 1.0.0 | built |" in CliRunner().invoke(cli, ["tools", "-o", "markdown"]).stdout
