"""Building a folder of tools/ into the cache: from its pinned Go module, all or nothing."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from breakeven import resources
from breakeven.engine import go
from breakeven.engine.go import Go
from breakeven.engine.programs import Copy, Module
from breakeven.errors import ToolError

# Goes into the key: raise it when a change of this file changes what comes out.
_RECIPE: Final = 1
_TICK_S: Final = 1.0
_SHOWN_LINES: Final = 15

# Go names a program after the folder of its main package: go.etcd.io/etcd/server, sigs.k8s.io/lws/cmd.
_NAMED: Final = {"server": "etcd", "cmd": "lws-controller"}

OnTick = Callable[[float], None]


def target(module: Module) -> Path:
    """Where the module's build lies in the cache: another source or flag is another folder.

    The compiler is not part of it: what was built once serves on, also after Go was upgraded or removed.
    """
    return resources.cache_dir() / "tools" / f"{module.name}-{_key(module)}"


def build(module: Module, compiler: Go, on_tick: OnTick) -> None:
    """Build into `target(module)`; `on_tick` hears the elapsed seconds. Raises ToolError.

    The caller holds the lock. An interrupted build leaves Go's own cache: the next one goes on from there.
    """
    final = target(module)
    scratch = final.with_name(f".{final.name}.building")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        _build_into(scratch, module, compiler, on_tick)
        (scratch / "out").rename(final)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _build_into(scratch: Path, module: Module, compiler: Go, on_tick: OnTick) -> None:
    source, out = _source(module.name, scratch), scratch / "out"
    (out / "bin").mkdir(parents=True)
    if module.schema:
        _write_schema(module, module.schema, source, compiler, on_tick)
    if module.programs:
        arguments = ("build", *module.flags, "-o", f"{out / 'bin'}/", "tool")
        _run(f"building {module.name}", compiler, arguments, source, on_tick)
    for copy in module.copies:
        _copy(_download(copy, scratch, compiler, on_tick) / copy.source, out / copy.to)
    for built, program in _NAMED.items():
        if (out / "bin" / built).exists():
            (out / "bin" / built).rename(out / "bin" / program)


def _source(folder: str, scratch: Path) -> Path:
    """A writable copy: the folder in tools/ may lie in a read-only installation, and stays clean."""
    copied = scratch / folder
    if not copied.exists():
        for path in _files(folder):
            to = copied / path.relative_to(resources.tools() / folder)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)
    return copied


def _write_schema(module: Module, copy: Copy, source: Path, compiler: Go, on_tick: OnTick) -> None:
    """The provider's own generator would do the same; its result is not in the module's zip."""
    downloaded = _download(copy, source.parent, compiler, on_tick) / copy.source
    schema = json.loads(downloaded.read_text(encoding="utf-8"))
    schema["version"] = module.programs[0].version
    (source / copy.to).write_text(json.dumps(schema, separators=(",", ":")), encoding="utf-8")


def _download(copy: Copy, scratch: Path, compiler: Go, on_tick: OnTick) -> Path:
    """The folder of a Go module in Go's module cache, at the pinned version, checked against go.sum."""
    arguments = ("mod", "download", "-json", copy.go_module)
    what = f"downloading {copy.go_module}"
    printed = _run(what, compiler, arguments, _source(copy.pinned_by, scratch), on_tick)
    return Path(json.loads(printed)["Dir"])


def _copy(source: Path, to: Path) -> None:
    """Without the module cache's read-only modes."""
    if source.is_file():
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, to)
        to.chmod(0o755)
        return
    for path in sorted(source.rglob("*.yaml")):
        copied = to / path.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copied)


def _run(what: str, compiler: Go, arguments: tuple[str, ...], directory: Path, on_tick: OnTick) -> str:
    """Run go and return its stdout. Raises ToolError with the last lines of stderr."""
    output, errors = directory.with_suffix(".stdout"), directory.with_suffix(".stderr")
    with output.open("wb") as stdout, errors.open("wb") as stderr:
        code = _wait((str(compiler.path), *arguments), directory, stdout, stderr, on_tick)
    if code:
        lines = errors.read_text(encoding="utf-8", errors="replace").splitlines()
        shown = [line for line in lines if not line.startswith("go: downloading")][-_SHOWN_LINES:]
        raise ToolError(
            f"{what} failed (go {arguments[0]}, exit {code}):\n" + "\n".join(shown),
            hint="run it again, what was compiled is kept; modules come from where `go env GOPROXY` says",
        )
    return output.read_text(encoding="utf-8")


def _wait(command: tuple[str, ...], directory: Path, stdout: IO[bytes], stderr: IO[bytes], on_tick: OnTick) -> int:
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=directory, env=go.environment(), stdout=stdout, stderr=stderr)
    try:
        while True:
            try:
                return process.wait(timeout=_TICK_S)
            except subprocess.TimeoutExpired:
                on_tick(time.monotonic() - started)
    finally:
        process.terminate()  # does nothing once it has ended
        process.wait()


def _key(module: Module) -> str:
    recipe = (_RECIPE, platform.machine(), platform.system(), module.flags, module.schema, module.copies)
    digest = hashlib.sha256(repr(recipe).encode())
    for folder in sorted({module.name, *(copy.pinned_by for copy in module.copies)}):
        for path in _files(folder):
            digest.update(f"\n{path.relative_to(resources.tools())}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _files(folder: str) -> Iterator[Path]:
    root = resources.tools() / folder
    names = ("go.mod", "go.sum", *sorted(str(path.relative_to(root)) for path in root.rglob("*.go")))
    return (root / name for name in names if (root / name).is_file())
