"""deploy render"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from breakeven import arguments, options, terminal
from breakeven.errors import Difference

if TYPE_CHECKING:
    from breakeven.core.plan import Plan
    from breakeven.directory import Part
    from breakeven.fleet import Member, Whole

T = TypeVar("T")
R = TypeVar("R")


@click.command(name="render")
@click.argument("directory", metavar="OUT|CLUSTERS", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Render every deploy.yaml below CLUSTERS to here.")
@click.option("--check", is_flag=True, help="Write nothing; show what would change, and exit with 7 if anything would.")
@options.deployment_options
def command(directory: Path, out: Path | None, check: bool, **inputs: Any) -> None:
    """Write Helm values, manifests and a lock file to the directory OUT. Needs no cluster.

    The same inputs give the same bytes on any machine. With --out, a fleet is rendered: each deploy.yaml below
    CLUSTERS, to a folder of the same name.

    \b
    Examples:
      deploy render build/ --profile 4xa100
      deploy render clusters/ --out rendered/
      deploy render clusters/ --out rendered/ --check
    """
    from breakeven import fleet
    from breakeven.engine import tools

    if out is None:
        fleet.refuse_as_output(directory)
        plan = arguments.make_servable_plan(**inputs)
        parts = _alone(plan)
    else:
        arguments.refuse_inputs("a fleet takes its inputs from files", **inputs)
        members = fleet.members(directory)
        parts = _fleet(members, fleet.whole(directory))
    tools.require("helm", progress=terminal.on_progress)
    # Closed here, and not by whichever of its threads ends last.
    with closing(parts):
        _output(out or directory, parts, is_fleet=out is not None, check=check)


def _output(out: Path, parts: Iterable[Part], *, is_fleet: bool, check: bool) -> None:
    from breakeven import directory
    from breakeven.core.units import count

    if not check:
        paths = directory.write(out, parts, is_fleet=is_fleet)
        click.echo(f"{count(len(paths), 'file')} in {out}" if is_fleet else "\n".join(str(path) for path in paths))
        return
    changed = 0
    for _, diff in directory.differences(out, parts, is_fleet=is_fleet):
        changed += 1
        click.echo(diff)
    if changed:
        raise Difference(f"{count(changed, 'file')} in {out} would change", hint="run it without --check to write")


def _alone(plan: Plan) -> Generator[Part, None, None]:
    yield _part(plan, "", holds_namespace=True)


def _part(plan: Plan, folder: str, *, holds_namespace: bool, as_release: bool = False) -> Part:
    from breakeven import price_book, render
    from breakeven.core.comparison import compare
    from breakeven.engine import tools

    comparison = compare(plan, price_book.prices(plan, (), price_book.newest()))
    return render.part(
        comparison, tools.path("helm"), folder=folder, holds_namespace=holds_namespace, as_release=as_release
    )


def _fleet(members: Sequence[Member], whole: Whole) -> Generator[Part, None, None]:
    """Each deployment, and what applies them all. A namespace goes with its first deployment."""
    from breakeven import convert, fleet, render
    from breakeven.directory import Part

    if whole.helm_releases:
        fleet.refuse_folder(members, render.CHART_FOLDER)
    first: dict[str, str] = {}
    for member in members:
        first.setdefault(fleet.namespace_of(member.deployment), member.folder)

    def part(member: Member) -> Part:
        holds = first[fleet.namespace_of(member.deployment)] == member.folder
        with fleet.named(member):
            plan = arguments.servable_plan(member.deployment)
            return _part(plan, member.folder, holds_namespace=holds, as_release=whole.helm_releases)

    yield from _mapped(part, members)
    files = {"kustomization.yaml": render.kustomization(member.folder for member in members)}
    if whole.helm_releases:
        files |= render.chart_files()
    yield Part(files=files, about={"budget": convert.plain(whole.budget)})


def _mapped(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """In their order, a thread for each processor, and few at a time: Helm does the work, and memory stays flat."""
    from concurrent.futures import Future, ThreadPoolExecutor

    threads = os.cpu_count() or 1
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
