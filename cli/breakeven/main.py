"""The command `deploy`. Loads each verb only when it is used, and turns errors into messages and exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from io import TextIOWrapper
from typing import Any, Final

import click

from breakeven import __version__
from breakeven.errors import DeployError, Interrupted

# verb → one line, so that `deploy --help` imports no verb.
_VERBS: Final = {
    "init": "Write what a repository starts from.",
    "profiles": "Hardware profiles that can be chosen, with sources.",
    "offers": "Dated prices of rentable GPUs, with sources.",
    "models": "Models that can be chosen, with sources.",
    "size": "Does it fit: parallelism, KV cache, throughput and latency.",
    "cost": "The monthly bill beside the same traffic at an API.",
    "recommend": "The cheapest plans and APIs for some traffic.",
    "cost-diff": "What a change costs, from rendered directories.",
    "render": "Write Helm values and manifests to a directory.",
    "preview": "Show what would change and what it would cost.",
    "up": "Preview, confirm, apply, wait, report.",
    "status": "Live state of a stack, and its recorded price.",
    "drift": "The live cluster against the last apply, in objects and dollars.",
    "unlock": "Who holds a stack; remove the lock of a dead process.",
    "destroy": "Remove a stack, after typed confirmation.",
    "sandbox": "The local rehearsal cluster.",
    "tools": "The pinned programs: find them or build them.",
    "doctor": "Check this machine and the cluster.",
}

_EPILOG: Final = """\b
Exit codes:
  0    done ("the API is cheaper" is an answer, too)
  1    failed
  2    bad usage or input
  3    no plan will do: the model does not fit the hardware, or is too slow or too dear there
  4    a needed program is missing or failed
  5    the cluster is unreachable, or not as the apply needs it
  6    the gate refused: over budget, or what would be applied is not what was priced and shown
  7    a difference was found, and you asked to be told by exit code
  130  interrupted

\b
Environment: BREAKEVEN_REPLICAS=2 is --replicas 2 of every verb, BREAKEVEN_UP_REPLICAS of `deploy up` alone.
Shell completion: eval "$(_DEPLOY_COMPLETE=bash_source deploy)", or zsh_source, or fish_source.
"""


class _LazyGroup(click.Group):
    """Imports `breakeven.commands.<verb>` when the verb is invoked, completed or asked for help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        module = importlib.import_module(f"breakeven.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            close = get_close_matches(args[0], _VERBS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(f"{error.message.rstrip('.')}.{hint}", ctx) from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DeployError as error:
            raise _Failure(error) from error
        except (KeyboardInterrupt, click.Abort) as error:
            # Click makes the same Abort of Ctrl-C and of the end of input at a prompt.
            is_end = isinstance(error.__context__, EOFError)
            raise _Failure(DeployError("no answer") if is_end else Interrupted("interrupted")) from error


class _Failure(click.ClickException):
    """A DeployError as Click prints it: one message, the next step, the exit code."""

    def __init__(self, error: DeployError) -> None:
        hint = f"\nNext: {error.hint}" if error.hint else ""
        super().__init__(f"{error}{hint}")
        self.exit_code = error.exit_code  # type: ignore[misc] # Click declares it for the class, and reads it from the instance


@click.group(
    cls=_LazyGroup,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "BREAKEVEN"},
)
@click.version_option(__version__, "--version", prog_name="deploy", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show a traceback for an unexpected error.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """vLLM inference clusters as code, with the bill beside what the API would cost, before you apply.

    \b
    Example:
      deploy up --profile 4xa100 --sandbox
    """
    # Click strips colour when the output is no terminal, but does not know NO_COLOR (https://no-color.org).
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False


def main() -> None:
    """Entry point: like Click's own, except that an unexpected error is one line unless --debug is given."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal without × and → shows ? instead. (Of ASCII ones Click thinks that they mean UTF-8.)
            stream.reconfigure(errors="replace")
    try:
        cli(prog_name="deploy")
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        if isinstance(error, OSError) and error.strerror:
            # A full disk, a read-only folder: the machine's fault, not ours.
            click.echo(f"Error: {': '.join(str(part) for part in (error.filename, error.strerror) if part)}", err=True)
            sys.exit(1)
        click.echo(f"Error: unexpected {type(error).__name__}: {error}", err=True)
        click.echo("Next: run it again with `deploy --debug …` and report the traceback", err=True)
        sys.exit(1)
