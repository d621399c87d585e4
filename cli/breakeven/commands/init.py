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
@click.option("--gitops", type=click.Choice(scaffold.GITOPS), help="What a reconciler needs to apply rendered/.")
@click.option("--ci", type=click.Choice(scaffold.CI), help="A pipeline: check, cost diff, comment, gate.")
@click.option("--repository", metavar="URL", help="Of the Git repository; --gitops needs it.")
@click.option("--branch", default="main", show_default=True, help="That is applied.")
def command(
    directory: Path, profile: str, gitops: str | None, ci: str | None, repository: str | None, branch: str
) -> None:
    """Write what a repository starts from to DIRECTORY. Overwrites nothing.

    A commented deploy.yaml with its schema; or, with --gitops and --ci, the files that let a reconciler and a pipeline
    work on clusters/ and rendered/. Without --gitops the pipeline applies, too.

    \b
    Examples:
      deploy init clusters/chat --profile 4xa100
      deploy init --gitops argocd --ci github --repository https://github.com/acme/llm
    """
    if not _BRANCH.fullmatch(branch):
        raise InputError(f"expected a branch, got {branch!r}", where="--branch")
    files: dict[str, str] = {}
    if gitops:
        if not _REPOSITORY.fullmatch(repository or ""):
            raise InputError(
                f"expected the URL of a Git repository, got {repr(repository) if repository else 'nothing'}",
                where="--repository",
                hint="such as https://github.com/acme/llm",
            )
        files |= scaffold.gitops(gitops, str(repository), branch)
    if ci:
        files |= scaffold.pipeline(ci, branch, applies=gitops is None)
    for path in scaffold.write(directory, files or scaffold.deployment(load.profile(profile).name)):
        click.echo(path)
