"""Files that a repository starts from: a commented deploy.yaml, reconcilers, pipelines. Nothing is overwritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from breakeven import __version__, resources
from breakeven.errors import InputError

OPERATOR: Final = "pulumi-operator"
GITOPS: Final = ("argocd", "flux", "flux-helm", OPERATOR)
CI: Final = ("github", "gitlab")

FLEET: Final = "clusters/fleet.yaml"

_CI_FILES: Final = {
    "github": (".github/workflows/deploy.yml", ("github/deploy.yml",), "github/apply.yml"),
    "gitlab": (".gitlab-ci.yml", ("gitlab/gitlab-ci.yml",), "gitlab/apply.yml"),
}

# The operator's CRD takes no longer name; that of a preview is the longest.
_LONGEST_OBJECT: Final = 42

_MODES: Final = {
    "apply": (
        "# Applies the branch, and puts right every ten minutes what drifted.",
        "  refresh: true\n  continueResyncOnCommitMatch: true\n  resyncFrequencySeconds: 600",
    ),
    "preview": (
        "# Previews the same stack and changes nothing. Put the branch of a proposal into `branch`.",
        "  preview: true\n  refresh: true\n  prerequisites: [{name: @NAME@}]",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A deployment that the operator applies; `file` is its deploy.yaml, from the top of the repository."""

    name: str
    namespace: str
    file: str


def deployment(profile: str) -> dict[str, str]:
    """A deploy.yaml, and the schema that its first line names for editors."""
    schema = (resources.schemas() / "deployment.schema.json").read_text(encoding="utf-8")
    return {"deploy.yaml": _filled("deploy/deploy.yaml", PROFILE=profile), "deploy.schema.json": schema}


def gitops(kind: str, repository: str, branch: str) -> dict[str, str]:
    """What a reconciler needs to apply rendered/ of a repository, or of an artifact where that is `oci://`."""
    if kind == "argocd":
        names = ("application.yaml", "kustomization.yaml", "project.yaml")
        return {
            f"gitops/argocd/{name}": _filled(f"argocd/{name}", REPOSITORY=repository, BRANCH=branch) for name in names
        }
    is_oci = repository.startswith("oci://")
    source, path = ("OCIRepository", "./") if is_oci else ("GitRepository", "./rendered")
    where = _filled(f"flux/{'oci' if is_oci else 'git'}.yaml", REPOSITORY=_url(repository), BRANCH=branch)
    found = {
        "gitops/flux/kustomization.yaml": _filled("flux/kustomization.yaml", SOURCE=source, PATH=path),
        "gitops/flux/source.yaml": where,
    }
    if kind == "flux-helm":
        found |= {"gitops/flux/chart.yaml": _filled("flux/chart.yaml"), FLEET: _filled("fleet.yaml")}
    return found


def _url(repository: str) -> str:
    """Flux takes no git@host:path."""
    host, _, path = repository.partition(":")
    return f"ssh://{host}/{path.lstrip('/')}" if repository.startswith("git@") else repository


def operator(stacks: Sequence[Stack], repository: str, branch: str, backend: str, pulumi: str) -> dict[str, str]:
    """What the Pulumi Kubernetes Operator needs to apply and to preview stacks with the engine's version `pulumi`.

    Raises InputError for names that it would not take.
    """
    _refuse_names(stacks)
    is_cloud = backend.startswith("https://")
    values = {
        "REPOSITORY": repository,
        "BRANCH": branch,
        "BACKEND": backend,
        "PULUMI": pulumi,
        "VARIABLE": "PULUMI_ACCESS_TOKEN" if is_cloud else "PULUMI_CONFIG_PASSPHRASE",
        "KEY": "token" if is_cloud else "passphrase",
    }
    files = _project()
    for stack in stacks:
        files |= _objects(stack, values)
    return {f"gitops/{OPERATOR}/{name}": text for name, text in files.items()}


def _refuse_names(stacks: Sequence[Stack]) -> None:
    seen: dict[str, Stack] = {}
    for stack in stacks:
        if other := seen.get(stack.name):
            message = f"{other.file} has the same name, {stack.name!r}; in one state they would be one stack"
            raise InputError(message, where=stack.file, hint="give it another `name`")
        if len(_preview_of(stack.name)) > _LONGEST_OBJECT:
            most = _LONGEST_OBJECT - len(_preview_of(""))
            message = f"the operator takes names of up to {most} characters, got {stack.name!r}"
            raise InputError(message, where=stack.file, hint="give it a shorter `name`")
        seen[stack.name] = stack


def _preview_of(name: str) -> str:
    return f"{name}-preview"


def _project() -> dict[str, str]:
    """The program and its policy pack, the same for all stacks."""
    folder = resources.templates() / OPERATOR / "project"
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    # Named .txt here, so that nobody takes them for modules of this package.
    return {
        f"project/{name.replace('.py.txt', '.py')}": _filled(f"{OPERATOR}/project/{name}", VERSION=__version__)
        for name in names
    }


def _objects(stack: Stack, values: Mapping[str, str]) -> dict[str, str]:
    """Its account, and the two objects that apply and preview it."""
    own = {**values, "NAME": stack.name, "NAMESPACE": stack.namespace, "FILE": stack.file}
    files = {f"stacks/{stack.name}/account.yaml": _filled(f"{OPERATOR}/stacks/account.yaml", **own)}
    for mode, (head, lines) in _MODES.items():
        name = stack.name if mode == "apply" else _preview_of(stack.name)
        text = _filled(f"{OPERATOR}/stacks/stack.yaml", HEAD=head, MODE=lines, OBJECT=name, **own)
        files[f"stacks/{stack.name}/{mode}.yaml"] = text
    return files


def pipeline(kind: str, branch: str, *, applies: bool) -> dict[str, str]:
    """Lint, render check, cost diff, comment and gate; and the apply, where no reconciler does that."""
    path, parts, apply = _CI_FILES[kind]
    text = "".join(_filled(part, BRANCH=branch) for part in (*parts, *([apply] if applies else [])))
    return {path: text, "ci/comment.py": _filled("comment.py.txt")}


def write(directory: Path, files: Mapping[str, str]) -> list[Path]:
    """Raises InputError, and writes nothing, where one of them is there already, or lies behind a link."""
    for name in files:
        for path in (directory / name, *(directory / parent for parent in Path(name).parents)):
            if path.is_symlink():
                raise InputError(f"{path} is a symlink; none is followed")
        if (directory / name).exists():
            raise InputError(f"{directory / name} is there already", hint="move it away, or give another directory")
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    return [directory / name for name in files]


def _filled(template: str, **values: str) -> str:
    text = (resources.templates() / template).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text
