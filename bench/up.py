"""`deploy up` against the bare `pulumi up` of the same program and inputs, on the sandbox: `python -m bench.up`.

Each round makes two fresh stacks and applies each twice: first from nothing, then with no change. Not in the times:
the start of the sandbox, making the bare engine's stack and writing its settings, and both removals. Both previews
are: `pulumi up` makes one of its own. `deploy up` does the rest of its work besides: preflight, prices, report.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.harness import machine, ordered, results, table, timed

from breakeven import load
from breakeven.core.deployment import Deployment
from breakeven.engine import backend, sandbox, stack, tools
from breakeven.engine.cluster import connect
from breakeven.engine.sandbox import Sandbox

_ROUNDS: Final = 5
_PROFILE: Final = "4xa100"
_BASELINE: Final = "pulumi up"


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """How one of them applies and removes the stack NAME; `prepare` is not timed."""

    prepare: Callable[[str], None]
    up: Callable[[str], None]
    destroy: Callable[[str], None]


def main() -> None:
    """Print two tables."""
    print(machine(), flush=True)
    # A shell's background job ignores SIGINT, by which the engine ends its language host: it would wait 5 s in vain.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tools.require("pulumi", "provider", "kube", "knative-crds", "python-host")
    with tempfile.TemporaryDirectory(prefix="breakeven-bench-") as directory:
        os.environ["XDG_STATE_HOME"] = directory
        profile = load.profile(_PROFILE)
        running = sandbox.up(profile, load.accelerator_of(profile), 1)
        try:
            _race({_BASELINE: bare(running), "deploy up": ours(Path(directory))})
        finally:
            sandbox.down()


def _race(contestants: Mapping[str, Contestant]) -> None:
    first: dict[str, list[float]] = {name: [] for name in contestants}
    again: dict[str, list[float]] = {name: [] for name in contestants}
    for round_ in range(-1, _ROUNDS):
        for name in ordered(list(contestants), round_):
            seconds = _round(contestants[name], f"{name.split()[0]}-{round_ + 1}")
            # The first round warms the caches.
            if round_ >= 0:
                first[name].append(seconds[0])
                again[name].append(seconds[1])
    print(table("First apply", results(first)))
    print(table("Nothing to change", results(again)))


def _round(contestant: Contestant, name: str) -> tuple[float, float]:
    contestant.prepare(name)
    seconds = timed(lambda: contestant.up(name)), timed(lambda: contestant.up(name))
    contestant.destroy(name)
    return seconds


def ours(directory: Path) -> Contestant:
    """The command as it is typed."""
    deploy = [sys.executable, "-m", "breakeven"]
    this = ["--profile", _PROFILE, "--sandbox", "--name"]
    return Contestant(
        prepare=lambda name: None,
        up=lambda name: run([*deploy, "up", *this, name, "--yes"], directory),
        destroy=lambda name: run([*deploy, "destroy", *this, name, "--confirm", name], directory),
    )


def bare(running: Sandbox) -> Contestant:
    """The engine's own command in the stack's directory, whose Pulumi.yaml names infra/: the language host runs it."""
    state = backend.backend(running.directory)
    host = tools.folder("python-host") / "bin"
    programs = [tools.path("pulumi").parent, host, Path(sys.prefix) / "bin", Path(os.environ["PATH"])]
    environment = {
        **os.environ,
        **state.environment,
        "PATH": os.pathsep.join(map(str, programs)),
        "VIRTUAL_ENV": sys.prefix,
    }
    # It would hide the host, which does not lie beside the engine.
    del environment["PULUMI_IGNORE_AMBIENT_PLUGINS"]

    def pulumi(verb: str, name: str) -> None:
        command = [str(programs[0] / "pulumi"), verb, "--yes", "--non-interactive", "--stack", name]
        run(command, state.stack_directory(name), environment)

    return Contestant(
        prepare=lambda name: _configure(name, running, state),
        up=lambda name: pulumi("up", name),
        destroy=lambda name: pulumi("destroy", name),
    )


def _configure(name: str, running: Sandbox, state: backend.Backend) -> None:
    """The same inputs as `deploy up` would write."""
    target = connect(running.kubeconfig, running.context).target
    deployment = load.plain(Deployment(profile=_PROFILE, name=name))
    made = stack.create(name, state)
    made.configure({"deployment": deployment, "cluster": {**asdict(target), "owns_namespace": True}})


def run(command: list[str], directory: Path, environment: Mapping[str, str] | None = None) -> None:
    """Must succeed; what it prints is only shown if it does not."""
    finished = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
    if finished.returncode:
        sys.exit(f"{' '.join(command)}: exit {finished.returncode}\n{finished.stdout}\n{finished.stderr}")


if __name__ == "__main__":
    main()
