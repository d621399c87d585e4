"""deploy cost-diff"""

from __future__ import annotations

from pathlib import Path

import click

from breakeven import options


@click.command(name="cost-diff")
@click.option("--base", required=True, metavar="REF|DIR", help="What it was: a revision in Git, or a directory.")
@click.option(
    "--head",
    required=True,
    type=click.Path(path_type=Path),
    help="What it becomes: a directory that `deploy render` wrote.",
)
@options.output_option
def command(base: str, head: Path, output: str) -> None:
    """What a change costs, from the lock files of rendered directories. Needs no cluster and no credentials.

    Exits with 6 where a deployment, or the whole, does not keep to its budget. -o markdown is for a comment on a
    pull request: its first line is always the same, and it is shorter than a comment may be.

    \b
    Examples:
      deploy cost-diff --base origin/main --head rendered/
      deploy cost-diff --base origin/main --head rendered/ -o markdown
    """
    import json

    from breakeven import rendered
    from breakeven.core.fleet_diff import fleet_diff
    from breakeven.errors import GateError
    from breakeven.output import fleet_diff as shown

    after = rendered.in_folder(head)
    before = rendered.in_folder(Path(base)) if Path(base).is_dir() else rendered.at_revision(base, head)
    found = fleet_diff(before, after)
    if output == "json":
        click.echo(json.dumps(shown.data(found), indent=2))
    else:
        click.echo(shown.markdown(found) if output == "markdown" else shown.text(found))
    if not found.passes:
        more = f"; and {len(found.reasons) - 1:,} more" if len(found.reasons) > 1 else ""
        raise GateError(
            f"{found.reasons[0]}{more}",
            hint="make the plan cheaper, or raise the limit under `budget` in its own change",
        )
