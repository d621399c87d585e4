"""A rendered directory as its lock files tell it: from a folder, or as it is at a revision in Git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

from breakeven import convert, lock_file
from breakeven.core.api_spend import ApiEquivalent
from breakeven.core.deployment import Budget
from breakeven.core.fleet_cost import NONE
from breakeven.core.fleet_diff import Locked, Tree
from breakeven.core.record import recorded_cost
from breakeven.core.served import recorded_served
from breakeven.errors import InputError, ToolError

_AGAIN = "render it again with this version"


def in_folder(folder: Path) -> Tree:
    """Raises InputError where there is no lock file below, or one that cannot be read."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a directory", hint="`deploy render` writes one")
    paths = sorted(Path(path) / lock_file.NAME for path, _, files in os.walk(folder) if lock_file.NAME in files)
    if not paths:
        raise InputError(f"no {lock_file.NAME} below {folder}", hint="`deploy render` writes one")
    return _tree((path.parent.relative_to(folder).as_posix(), str(path), path.read_bytes()) for path in paths)


def at_revision(revision: str, folder: Path) -> Tree:
    """The folder as it is committed at a revision; empty where it was not there yet. Raises InputError."""
    commit = _commit(revision, folder)
    prefix = _git(folder, "rev-parse", "--show-prefix").decode().strip()
    top = Path(_git(folder, "rev-parse", "--show-toplevel").decode().rstrip("\n"))
    listed = _git(top, "ls-tree", "-r", "-z", "--name-only", commit, "--", prefix or ".").decode().split("\0")
    names = [name for name in listed if PurePosixPath(name).name == lock_file.NAME and "\n" not in name]
    contents = _blobs(top, [f"{commit}:{name}" for name in names])
    return _tree(
        (PurePosixPath(name).parent.relative_to(prefix or ".").as_posix(), f"{revision}:{name}", data)
        for name, data in zip(names, contents, strict=True)
    )


def _commit(revision: str, folder: Path) -> str:
    try:
        return (
            _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
            .decode()
            .strip()
        )
    except ToolError as error:
        hint = "a shallow clone lacks it: `git fetch origin` it first (GitHub: fetch-depth: 0)"
        raise InputError(
            f"{revision!r} is neither a directory nor a revision of {folder}'s repository", hint=hint
        ) from error


def _git(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Raises ToolError where it fails."""
    try:
        found = subprocess.run(["git", "-C", str(folder), *arguments], input=stdin, capture_output=True)
    except OSError as error:
        raise ToolError(f"git: {error.strerror}", hint="install git, or give a directory for --base") from error
    if found.returncode:
        raise ToolError(f"git {arguments[0]} failed: {found.stderr.decode(errors='replace').strip()}")
    return found.stdout


def _blobs(top: Path, names: list[str]) -> Iterator[bytes]:
    """Contents of `commit:path`s, all by one call."""
    output = _git(top, "cat-file", "--batch", stdin="".join(f"{name}\n" for name in names).encode()) if names else b""
    for _ in names:
        header, _, rest = output.partition(b"\n")
        size = int(header.split()[-1])
        yield rest[:size]
        output = rest[size + 1 :]


def _tree(found: Iterator[tuple[str, str, bytes]]) -> Tree:
    deployments: dict[str, Locked] = {}
    budget = Budget()
    for folder, name, data in found:
        lock = lock_file.parse(data, name)
        try:
            if "plan" in lock:
                deployments[folder] = _locked(lock)
            else:
                budget = convert.convert(lock.get("budget", {}), Budget)
        except (LookupError, TypeError, ValueError, ArithmeticError) as error:
            raise InputError(f"it is not a lock file: {error!r:.200}", where=name, hint=_AGAIN) from error
    return Tree(deployments=deployments, budget=budget)


def _locked(lock: Mapping[str, Any]) -> Locked:
    plan, inputs = lock["plan"], lock["inputs"]["deployment"]
    return Locked(
        name=plan["release"],
        team=inputs.get("team") or NONE,
        environment=inputs.get("environment") or NONE,
        profile=plan["profile"],
        gpus=int(plan["gpus"]),
        cost=recorded_cost(lock["cost"]),
        serves=recorded_served(plan),
        apis=tuple(_api(api) for api in lock["api"]),
        budget=convert.convert(inputs.get("budget", {}), Budget),
    )


def _api(api: Mapping[str, Any]) -> ApiEquivalent:
    return ApiEquivalent(
        comparator=api["comparator"],
        usd_per_request=Decimal(api["usd_per_request"]),
        monthly_usd=Decimal(api["monthly_usd"]),
        break_even=None,
        reachable=None,
        source=api["source"],
        checked=date.fromisoformat(api["checked"]),
    )
