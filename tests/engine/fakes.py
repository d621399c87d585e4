"""The outside world of a rollout, for laws over many plans; tests on the real one are beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.previews import TARGET, VERSIONS, change

from breakeven.core.changes import Changes
from breakeven.core.cost import project
from breakeven.core.history import Apply
from breakeven.core.live import Readiness
from breakeven.core.plan import Plan
from breakeven.core.record import record_cost, record_plan
from breakeven.engine import pods, preflight, rollout, session, stack
from breakeven.engine.backend import Backend
from breakeven.engine.rollout import Rollout
from breakeven.engine.state import State
from breakeven.load import plain
from breakeven.main import cli

READY = Readiness(found=True, ready=1, wanted=1, gpus=1)


@dataclass
class FakeStack:
    """Remembers what it is configured with, and what was applied with which settings."""

    plan: Plan
    before: Plan | None
    adopted: tuple[str, ...] = ()
    configured: list[Mapping[str, Any]] = field(default_factory=list)
    applied: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def state(self) -> State:
        if self.before is None:
            return State(outputs={}, urns=())
        outputs = {
            "deployment": plain(self.before.deployment),
            "plan": record_plan(self.before),
            "cost": record_cost(project(self.before)),
            "cluster": {"identifier": TARGET.identifier},
        }
        return State(outputs=outputs, urns=())

    @property
    def is_blank(self) -> bool:
        return self.before is None

    def configure(self, config: Mapping[str, Any]) -> None:
        self.configured.append(config)

    def preview(self) -> Changes:
        return Changes(steps=(change(self.plan, self.before),))

    def up(self, on_step: Callable[[str, str], None]) -> None:
        self.applied.append(self.configured[-1])

    def undo(self, *, is_new: bool) -> None:
        self.configured.clear()


class FakeCluster:
    """Has room for all, and nothing else in it."""

    target = TARGET

    def get(self, *_: str) -> None:
        return None


class World:
    """What `deploy preview` and `deploy up` find, and what became of it. Commands and rollout are the real ones."""

    def __init__(self, before: Plan | None, directory: Path, last_good: Plan | None = None) -> None:
        self.before = before
        self._last_good = last_good
        self.stack: FakeStack | None = None
        self._backend = Backend(url="", pulumi_home=directory, directory=directory, passphrase_file=None)

    def begin(self, plan: Plan, where: object, on_progress: Any, adopt: tuple[str, ...]) -> Rollout:
        self.stack = FakeStack(plan=plan, before=self.before)
        return Rollout(plan, FakeCluster(), self._backend, on_progress)  # type: ignore[arg-type]

    def rolling_back(self, name: str, where: Any, on_progress: Any) -> tuple[Apply, Plan, Any]:
        assert self._last_good
        moment = datetime(2026, 11, 24, 14, tzinfo=UTC)
        inputs = plain(self._last_good.deployment)
        return Apply(started=moment, ended=moment, succeeded=True, deployment=inputs), self._last_good, where

    def run(self, *arguments: str, color: bool = False, env: Mapping[str, str] | None = None) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(session, "begin", self.begin)
            patch.setattr(session, "rolling_back", self.rolling_back)
            patch.setattr(session, "versions", lambda: VERSIONS)
            # Preflight has its own tests, with a cluster that answers.
            patch.setattr(Rollout, "_manifests", lambda *_: [])
            patch.setattr(preflight, "check", lambda *_: [])
            patch.setattr(rollout, "connect", lambda *_: FakeCluster())
            patch.setattr(stack, "find", lambda *_: self.stack)
            patch.setattr(pods, "readiness", lambda *_: READY)
            return CliRunner().invoke(cli, arguments, prog_name="deploy", color=color, env=env)

    @property
    def applied(self) -> list[Any]:
        assert self.stack
        return self.stack.applied
