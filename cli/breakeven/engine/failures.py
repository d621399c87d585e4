"""What the engine (3.259.0 with provider 4.25.0) says when it fails → errors of ours."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from typing import Any, Final

from breakeven.errors import ClusterError, DeployError, GateError, InputError, ToolError

_PASSPHRASE_HINT: Final = (
    "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE as it was when the stack was made"
)

# How the engine refuses a step against its plan: pkg/resource/deploy/step_generator.go, step_executor.go
_NOT_SHOWN: Final = re.compile(r"violates plan|is not allowed by the plan")
# What it says besides of each step that it did not come to, because another one failed.
_NOT_REACHED: Final = "expected resource operations for"
# Go's words for an API server that is not there any more, or does not answer.
_GONE: Final = re.compile(
    r"cluster is unreachable|unreachable cluster|connection refused|connection reset by peer|client connection lost"
    r"|https?://\S+ (?:unexpected )?EOF|i/o timeout|no route to host|TLS handshake timeout"
)
# gRPC's words for a provider that has ended under the engine.
_PROVIDER_GONE: Final = re.compile(r"error reading from server: |transport is closing|code = Unavailable desc = ")
_FULL: Final = re.compile(r"/[^\s:]+: (?:no space left on device|disk quota exceeded)")
_AGAIN: Final = "`deploy up` goes on with it"


class Unreadable(DeployError):
    """The stack's state is damaged."""


def error_of(output: str, diagnostics: Sequence[Any]) -> DeployError:
    """`output` is all that the Automation API quotes; `diagnostics` are the engine's own events of severity error."""
    return _of_this_machine(output) or _of_the_run(output, diagnostics)


def _of_this_machine(output: str) -> DeployError | None:
    if "incorrect passphrase" in output or "passphrase must be set" in output:
        return InputError("the passphrase of this stack's state is another one", hint=_PASSPHRASE_HINT)
    if "unable to read PULUMI_CONFIG_PASSPHRASE_FILE" in output:
        return InputError(f"no passphrase: {_last_lines(output, 1)}", hint=_PASSPHRASE_HINT)
    if "failed to load checkpoint" in output:
        return Unreadable(f"the state of this stack cannot be read: {_last_lines(output, 1)}")
    if full := _FULL.search(output):
        return DeployError(
            f"the state could not be saved: {full.group()}",
            hint="make room there, then `deploy up`; what was saved before is as it was",
        )
    killed = re.match(r"\s*code: -(\d+)\n", output)
    if killed:
        name = signal.Signals(int(killed.group(1))).name
        return ToolError(f"the engine (pulumi) was ended by {name}", hint=f"{_AGAIN}; who or what ended it?")
    return None


def _of_the_run(output: str, diagnostics: Sequence[Any]) -> DeployError:
    causes = [each for each in diagnostics if _NOT_REACHED not in each.message]
    for each in causes or diagnostics:
        if not causes or _NOT_SHOWN.search(each.message):
            return _not_shown(f"{each.urn} {each.message}")
    said = [each.message.strip() for each in causes]
    # Where the engine says what is wrong, the program's own end is only its echo.
    said = [message for message in said if "Traceback (most recent" not in message] or said
    detail = "\n".join(dict.fromkeys(said)) or _last_lines(output)
    if not detail:
        # Outputs that the plan does not have end the run without a word.
        return GateError("what would be recorded with the stack is not what was shown", hint="run it again")
    return _failed(detail)


def _failed(detail: str) -> DeployError:
    if gone := next((line for line in detail.splitlines() if _GONE.search(line)), ""):
        return ClusterError(f"the cluster went away: {_briefly(gone)}", hint=f"when it answers again, {_AGAIN}")
    if gone := next((line for line in detail.splitlines() if _PROVIDER_GONE.search(line)), ""):
        return ToolError(
            f"Pulumi's Kubernetes provider ended under the engine: {_briefly(gone)}",
            hint=f"{_AGAIN}; who or what ended it?",
        )
    if " is forbidden: " in detail:
        return ClusterError(f"the cluster refused:\n{detail}", hint="ask for the permission, then `deploy up` goes on")
    return DeployError(f"the engine failed:\n{detail}")


def _briefly(line: str) -> str:
    """Without the URN and the query of a URL: `Deployment llm-chat: Patch "https://…/llm-chat": connection refused`.

    And without the provider's advice to forget what is in a cluster that does not answer.
    """
    line = line.partition(" If the cluster was deleted, ")[0]
    named = re.sub(r'resource "?urn:\S+:(\w+)::(?:\S+:)?([^\s:"]+)"?', r"\1 \2", line)
    return re.sub(r"(https?://[^\s?\"]+)\?[^\s\"]*", r"\1", named).strip()


def _not_shown(refusal: str) -> GateError:
    """The name of the resource is in its URN: `urn:…$kubernetes:apps/v1:Deployment::llm-chat:llm-chat/llm-chat`."""
    found = re.search(r"urn:\S+:(\w+)::(?:\S+:)?([^\s:]+)", refusal)
    return GateError(
        f"{' '.join(found.groups()) if found else 'a resource'} would change in another way than was shown: "
        "the cluster, the chart or the inputs changed meanwhile; it was left as it is",
        hint="run it again, and confirm what is shown then",
    )


def _last_lines(output: str, count: int = 12) -> str:
    """Of what the engine printed, without what the Automation API wraps around it: `code: 1`, `stdout:`, `stderr:`."""
    printed = re.split(r"\n\s*stderr:\s*(?:error: )?", output, maxsplit=1)[-1]
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    return "\n".join(lines[-count:])
