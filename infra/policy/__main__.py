#!/usr/bin/env python3
"""The gate of `deploy`, as a policy pack for plain Pulumi: over budget, or with GPUs without a price, nothing goes on.

The bill and the verdict are those of `deploy up`, from the same inputs. The engine (3.259.0) asks for the stack before
it begins with any resource, and for each object before it makes it; for the whole only at the end. So a bill over
budget changes nothing even with --skip-preview.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Final

import pulumi.runtime
import pulumi_policy
from pulumi_policy.policy import _PolicyAnalyzerServicer

from breakeven import load, price_book
from breakeven.core.budget import judge
from breakeven.core.comparison import compare
from breakeven.core.cost_diff import cost_diff
from breakeven.core.manifests import Manifest
from breakeven.core.plan import Plan, plan
from breakeven.core.pod_counts import Range, gpus_range
from breakeven.core.preview import unpriced_gpus
from breakeven.engine.baseline import NO_BASELINE, Baseline, baseline
from breakeven.engine.state import State
from breakeven.errors import DeployError, GateError

_PATIENCE_S: Final = 120

Report = pulumi_policy.ReportViolation


class Gate:
    """Of one preview or one update: the stack's inputs, and the objects that were seen so far."""

    def __init__(self) -> None:
        # As language hosts pass it on. Where the engine runs this file itself, it comes with `configure`.
        self._config: Mapping[str, str] = pulumi.runtime.get_config_env()
        name = (os.environ.get(f"PULUMI_{key}", "") for key in ("ORGANIZATION", "PROJECT", "STACK"))
        self._stack = _stack_name(*name)
        self._objects: dict[str, Manifest] = {}
        self._one_at_a_time = Lock()

    def configure(self, request: Any) -> None:
        self._config = dict(request.config)
        self._stack = _stack_name(request.organization, request.project, request.stack)

    def budget(self, args: pulumi_policy.ResourceValidationArgs, report: Report) -> None:
        if args.resource_type == "pulumi:pulumi:Stack":
            for reason in _said(self._over_budget):
                report(reason, None)

    def gpus(self, args: pulumi_policy.ResourceValidationArgs, report: Report) -> None:
        """The most of what was seen so far; an autoscaler that is yet to come only adds to it."""
        with self._one_at_a_time:
            if _is_object(args.resource_type):
                self._objects[args.urn] = args.props
                for reason in _said(self._too_many):
                    report(reason, None)

    def all_gpus(self, _: pulumi_policy.StackValidationArgs, report: Report) -> None:
        for reason in _said(self._unpriced):
            report(reason, None)

    def _over_budget(self) -> Iterator[str]:
        compared = compare(self._plan, price_book.prices(self._plan, (), date.today()))
        bill = cost_diff(self._before.today, compared.projection)
        yield from judge(self._plan.deployment.budget, bill, compared.equivalents).reasons

    def _too_many(self) -> Iterator[str]:
        if self._asked[1] > self._plan.gpus_range[1]:
            yield unpriced_gpus(self._asked, self._plan.gpus_range)

    def _unpriced(self) -> Iterator[str]:
        if found := unpriced_gpus(self._asked, self._plan.gpus_range):
            yield found

    @property
    def _asked(self) -> Range:
        return gpus_range(tuple(self._objects.values()))

    @cached_property
    def _plan(self) -> Plan:
        given = self._config.get("breakeven:deployment")
        wanted = load.stack_deployment(json.loads(given) if given else None, self._config.get("breakeven:file"))
        return plan(wanted, load.facts(wanted))

    @property
    def _before(self) -> Baseline:
        """What the last apply recorded; a policy is told what will be, and not what is. Raises GateError."""
        budget = self._plan.deployment.budget
        if budget.max_increase_usd is None and budget.max_increase_percent is None:
            return NO_BASELINE
        command = ["pulumi", "stack", "output", "--json", "--stack", self._stack]
        try:
            found = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            why = getattr(error, "stderr", None) or error
            raise GateError(f"the bill before is unknown, and with it the increase: {why}") from error
        return baseline(State(outputs=json.loads(found.stdout), urns=()))


def _said(judge_: Callable[[], Iterator[str]]) -> Iterator[str]:
    """Why not. What cannot be read, counted or known before the apply is a reason as well."""
    try:
        yield from judge_()
    except DeployError as error:
        yield f"{error.message}\nNext: {error.hint}" if error.hint else error.message
    except pulumi_policy.proxy.UnknownValueError as error:
        yield f"the GPUs cannot be counted before the apply: {error.message}"


def _stack_name(organization: str, project: str, stack: str) -> str:
    """As the engine finds it from any folder. Backends without organizations call theirs `organization`."""
    return f"{organization or 'organization'}/{project}/{stack}"


def _is_object(type_: str) -> bool:
    return type_.startswith("kubernetes:") and not type_.startswith("kubernetes:helm.sh/")


def main() -> None:
    if Path.cwd() == Path(__file__).resolve().parent:
        # A language host starts packs in their own folder; the configuration's `file` is named from the program's.
        os.chdir("..")
    gate = Gate()
    passed_on = _PolicyAnalyzerServicer.ConfigureStack

    # pulumi-policy 1.21.0 keeps the stack's configuration to itself.
    def configure(servicer: _PolicyAnalyzerServicer, request: Any, context: Any) -> Any:
        gate.configure(request)
        return passed_on(servicer, request, context)

    _PolicyAnalyzerServicer.ConfigureStack = configure  # type: ignore[assignment, method-assign]
    pulumi_policy.PolicyPack(
        "breakeven",
        [
            pulumi_policy.ResourceValidationPolicy("budget", "The bill keeps to the budget.", gate.budget),
            pulumi_policy.ResourceValidationPolicy("gpus", "No GPU is requested that is not priced.", gate.gpus),
            pulumi_policy.StackValidationPolicy("all-gpus", "All GPUs of the bill are requested.", gate.all_gpus),
        ],
        enforcement_level=pulumi_policy.EnforcementLevel.MANDATORY,
    )


main()
