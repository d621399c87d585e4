"""A directory of deploy.yaml files: its deployments, each in the folder of its file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from breakeven import deployment_file, load
from breakeven.core.deployment import Budget, Deployment
from breakeven.errors import DeployError, InputError
from breakeven.yaml_source import Source

FILE: Final = "deploy.yaml"
WHOLE: Final = "fleet.yaml"


@dataclass(frozen=True, kw_only=True)
class Member:
    """`folder` is relative to the fleet's directory, with slashes."""

    folder: str
    file: Path
    deployment: Deployment


@dataclass(frozen=True, kw_only=True)
class Whole:
    """The content of fleet.yaml: what the whole must keep to, and whether Flux shall install the chart itself."""

    budget: Budget = field(default_factory=Budget)
    helm_releases: bool = False


def whole(root: Path) -> Whole:
    """That of fleet.yaml, if there is one. Raises InputError."""
    path = root / WHOLE
    return Source.read(path).convert(Whole) if path.exists() else Whole()


def members(root: Path) -> tuple[Member, ...]:
    """All deployments, by folder. Raises InputError: none, one that cannot be read, two that would be one."""
    if not root.is_dir():
        flag = f"; or --profile {root}" if str(root) in load.profiles() else ""
        hint = f"give one with a {FILE} in each deployment's folder{flag}"
        raise InputError(f"{root} is not a directory", hint=hint)
    found = tuple(_member(root, path) for path in _files(root))
    if not found:
        raise InputError(f"no {FILE} below {root}", hint=f"give one with a {FILE} in each deployment's folder")
    _refuse_twins(found)
    return found


@contextmanager
def named(member: Member) -> Iterator[None]:
    """What goes wrong with a deployment names its file."""
    try:
        with deployment_file.located(member.file):
            yield
    except DeployError as error:
        if error.message.startswith(f"{member.file}:"):
            raise
        raise type(error)(f"{member.file}: {error.message}", hint=error.hint) from error


def _member(root: Path, path: Path) -> Member:
    deployment = load.deployment(path, {}, within=root)
    return Member(folder=path.parent.relative_to(root).as_posix(), file=path, deployment=deployment)


def _files(root: Path) -> list[Path]:
    """Raises InputError for a link, for a file at the top and for one in the folder of another."""
    found = sorted(_walk(root), key=lambda path: path.parent.parts)
    folders = {path.parent for path in found}
    for path in found:
        if above := next((folder for folder in path.parent.parents if folder in folders), None):
            raise InputError(f"it lies in the folder of another, {above / FILE}", where=str(path))
    if root in folders:
        hint = f"move it to a folder of its own, or render it alone: -f {root / FILE}"
        raise InputError("the deployments of a fleet lie in folders", where=str(root / FILE), hint=hint)
    return found


def _walk(root: Path) -> Iterator[Path]:
    for path, folders, files in os.walk(root):
        for name in sorted((*folders, *files)):
            if (Path(path) / name).is_symlink() and (name in folders or name.endswith(".yaml")):
                raise InputError("it is a symlink; none is followed", where=str(Path(path) / name))
        if FILE in files:
            yield Path(path) / FILE


def _refuse_twins(found: tuple[Member, ...]) -> None:
    """Two of one name in one namespace would take turns at the same objects."""
    seen: dict[tuple[str, str], Member] = {}
    for member in found:
        key = (namespace_of(member.deployment), member.deployment.stack)
        if other := seen.get(key):
            raise InputError(
                f"{other.file} has the same name, {key[1]!r}, in the same namespace, {key[0]!r}",
                where=deployment_file.where(member.file, "name"),
                hint="give it another `name` or `namespace`",
            )
        seen[key] = member


def refuse_as_output(root: Path) -> None:
    """Raises InputError for a directory of deploy.yaml files where that of a render is asked for."""
    if found := min(root.rglob(FILE), default=None):
        is_alone = found.parent == root
        how = f"deploy render OUT -f {found}" if is_alone else f"deploy render {root} --out OUT"
        what = "a deployment lies there" if is_alone else f"it is a fleet: {found} lies in it"
        raise InputError(what, where=str(root), hint=f"render it to a directory of its own: `{how}`")


def refuse_folder(found: Sequence[Member], folder: str) -> None:
    """Raises InputError for a deployment that would be rendered to where something else goes."""
    for member in found:
        if f"{member.folder}/".startswith(f"{folder}/"):
            raise InputError(f"the chart is rendered to {folder}", where=str(member.file), hint="rename its folder")


def namespace_of(deployment: Deployment) -> str:
    """As the plan has it."""
    return deployment.namespace or f"llm-{deployment.stack}"
