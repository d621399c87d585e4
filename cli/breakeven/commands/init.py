"""deploy init"""

from __future__ import annotations

import re
from pathlib import Path

import click

from breakeven import load, option_types, scaffold
from breakeven.errors import InputError

# What goes into YAML unquoted, and what Git takes: https://, ssh://, git@host:path; names of branches.
_REPOSITORY = re.compile(r"(https|ssh)://[\w.@:/~-]+|git@[\w.-]+:[\w./~-]+")
# A repository of a registry, without a tag; and a tag, which is that of the branch.
_REGISTRY = re.compile(r"oci://[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)+")
_BRANCH = re.compile(r"[A-Za-z0-9][\w./-]*")
# It would be committed.
_CREDENTIALS = re.compile(r"https://[^/]*@")
# Where a pod can reach it: one of file:// would lie in the pod, and go with it.
_BACKEND = re.compile(r"(s3|gs|azblob|https)://[\w.@:/?&=%~-]+")


@click.command(name="init")
@click.argument("directory", default=".", type=click.Path(path_type=Path))
@click.option(
    "-p",
    "--profile",
    default="4xa100",
    show_default=True,
    shell_complete=option_types.complete_profile,
    help="Hardware profile of the deploy.yaml.",
)
@click.option(
    "--gitops",
    type=click.Choice(scaffold.GITOPS),
    help="What a reconciler needs to apply rendered/; pulumi-operator: to run each deploy.yaml of clusters/.",
)
@click.option("--ci", type=click.Choice(scaffold.CI), help="A pipeline: check, cost diff, comment, gate.")
@click.option("--repository", metavar="URL", help="Of the Git repository; --gitops needs it. For flux also oci://….")
@click.option("--backend", metavar="URL", help="Of the Pulumi state; --gitops pulumi-operator needs it.")
@click.option("--branch", default="main", show_default=True, help="That is applied.")
def command(
    directory: Path,
    profile: str,
    gitops: str | None,
    ci: str | None,
    repository: str | None,
    backend: str | None,
    branch: str,
) -> None:
    """Write what a repository starts from to DIRECTORY. Overwrites nothing.

    A commented deploy.yaml with its schema; or, with --gitops and --ci, the files that let a reconciler and a pipeline
    work on clusters/ and rendered/. Without --gitops the pipeline applies, too.

    \b
    Examples:
      deploy init clusters/chat --profile 4xa100
      deploy init --gitops argocd --ci github --repository https://github.com/acme/llm
      deploy init --gitops flux --repository oci://ghcr.io/acme/llm
      deploy init --gitops pulumi-operator --backend s3://acme-pulumi --repository https://github.com/acme/llm
    """
    _refuse_idle(gitops, repository, backend)
    if not _BRANCH.fullmatch(branch):
        raise InputError(f"expected a branch, got {branch!r}", where="--branch")
    files: dict[str, str] = {}
    if gitops:
        files |= _gitops(directory, gitops, repository or "", branch, backend or "")
    if ci:
        files |= scaffold.pipeline(ci, branch, applies=gitops is None)
    for path in scaffold.write(directory, files or scaffold.deployment(load.profile(profile).name)):
        click.echo(path)


def _refuse_idle(gitops: str | None, repository: str | None, backend: str | None) -> None:
    """Raises InputError for an option that would be passed over, and for one that tells a secret."""
    for flag, given, kinds in (
        ("--repository", repository, scaffold.GITOPS),
        ("--backend", backend, (scaffold.OPERATOR,)),
    ):
        if given and gitops not in kinds:
            raise InputError(f"it goes with --gitops {'|'.join(kinds)}", where=flag)
        if given and _CREDENTIALS.match(given):
            raise InputError(
                "it holds credentials, which would be committed", where=flag, hint="put them into a Secret"
            )


def _gitops(directory: Path, kind: str, repository: str, branch: str, backend: str) -> dict[str, str]:
    _refuse_repository(kind, repository, branch)
    if kind == scaffold.OPERATOR:
        return _operator(directory, repository, branch, backend)
    files = scaffold.gitops(kind, repository, branch)
    if scaffold.FLEET in files and _installs_releases(directory / scaffold.FLEET):
        del files[scaffold.FLEET]
    return files


def _operator(directory: Path, repository: str, branch: str, backend: str) -> dict[str, str]:
    from breakeven.engine import programs

    if not _BACKEND.fullmatch(backend):
        hint = "such as s3://acme-pulumi; gs://, azblob:// and https:// are the others"
        what = f"expected where a pod reaches the state, got {backend!r}" if backend else "it is missing"
        raise InputError(what, where="--backend", hint=hint)
    return scaffold.operator(_stacks(directory), repository, branch, backend, programs.PULUMI_VERSION)


def _stacks(directory: Path) -> list[scaffold.Stack]:
    """The deployments of clusters/, as the program finds them in the operator's checkout."""
    from breakeven import fleet

    return [
        scaffold.Stack(
            name=member.deployment.stack,
            namespace=fleet.namespace_of(member.deployment),
            file=member.file.relative_to(directory).as_posix(),
        )
        for member in fleet.members(directory / "clusters")
    ]


def _installs_releases(path: Path) -> bool:
    """Whether a fleet.yaml that is there already says what is needed. Raises InputError where it does not."""
    from breakeven import fleet

    if not path.exists():
        return False
    if not fleet.whole(path.parent).helm_releases:
        raise InputError("it lacks helm_releases", where=str(path), hint="add the line `helm_releases: true`")
    return True


def _refuse_repository(gitops: str, repository: str, branch: str) -> None:
    """Raises InputError for what the reconciler cannot read from."""
    if not repository.startswith("oci://"):
        if not _REPOSITORY.fullmatch(repository):
            hint = "such as https://github.com/acme/llm"
            what = f"expected the URL of a Git repository, got {repository!r}" if repository else "it is missing"
            raise InputError(what, where="--repository", hint=hint)
        return
    if gitops != "flux":
        hint = "give that of the Git repository; --gitops flux applies an artifact of a registry"
        raise InputError(f"{gitops} reads from Git, got {repository!r}", where="--repository", hint=hint)
    if not _REGISTRY.fullmatch(repository):
        hint = "such as oci://ghcr.io/acme/llm; its tag is --branch"
        raise InputError(f"expected a repository of a registry, got {repository!r}", where="--repository", hint=hint)
    if "/" in branch:
        raise InputError(f"a tag of a registry has no slash, got {branch!r}", where="--branch")
