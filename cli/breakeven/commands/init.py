"""deploy init"""

from __future__ import annotations

import re
from pathlib import Path

import click

from breakeven import load, option_types, scaffold
from breakeven.errors import InputError

# What goes into YAML unquoted, and what Git takes: https://, ssh://, git@host:path; names of branches.
_REPOSITORY = re.compile(r"(https|ssh)://[\w.@:/~-]+|git@[\w.-]+:[\w./~-]+")
_BRANCH = re.compile(r"[A-Za-z0-9][\w./-]*")
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
@click.option("--repository", metavar="URL", help="Of the Git repository; --gitops needs it.")
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
      deploy init --gitops pulumi-operator --backend s3://acme-pulumi --repository https://github.com/acme/llm
    """
    if not _BRANCH.fullmatch(branch):
        raise InputError(f"expected a branch, got {branch!r}", where="--branch")
    files: dict[str, str] = {}
    if gitops:
        files |= _gitops(directory, gitops, repository or "", branch, backend or "")
    if ci:
        files |= scaffold.pipeline(ci, branch, applies=gitops is None)
    for path in scaffold.write(directory, files or scaffold.deployment(load.profile(profile).name)):
        click.echo(path)


def _gitops(directory: Path, kind: str, repository: str, branch: str, backend: str) -> dict[str, str]:
    example = "such as https://github.com/acme/llm"
    _require(_REPOSITORY, repository, "the URL of a Git repository", "--repository", example)
    if kind != scaffold.OPERATOR:
        return scaffold.gitops(kind, repository, branch)
    example = "such as s3://acme-pulumi; gs://, azblob:// and https:// are the others"
    _require(_BACKEND, backend, "where the state can be reached from a pod", "--backend", example)
    from breakeven.engine import programs

    return scaffold.operator(_stacks(directory), repository, branch, backend, programs.PULUMI_VERSION)


def _require(pattern: re.Pattern[str], given: str, what: str, option: str, example: str) -> None:
    if not pattern.fullmatch(given):
        raise InputError(f"expected {what}, got {given!r}", where=option, hint=example)


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
