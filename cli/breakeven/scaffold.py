"""Files that a repository starts from: a commented deploy.yaml, reconcilers, pipelines. Nothing is overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from breakeven import resources
from breakeven.errors import InputError

GITOPS: Final = ("argocd", "flux", "flux-helm")
CI: Final = ("github", "gitlab")

FLEET: Final = "clusters/fleet.yaml"

_CI_FILES: Final = {
    "github": (".github/workflows/deploy.yml", ("github/deploy.yml",), "github/apply.yml"),
    "gitlab": (".gitlab-ci.yml", ("gitlab/gitlab-ci.yml",), "gitlab/apply.yml"),
}


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
    where = _filled(f"flux/{'oci' if is_oci else 'git'}.yaml", REPOSITORY=repository, BRANCH=branch)
    found = {
        "gitops/flux/kustomization.yaml": _filled("flux/kustomization.yaml", SOURCE=source, PATH=path),
        "gitops/flux/source.yaml": where,
    }
    if kind == "flux-helm":
        found |= {"gitops/flux/chart.yaml": _filled("flux/chart.yaml"), FLEET: _filled("fleet.yaml")}
    return found


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
