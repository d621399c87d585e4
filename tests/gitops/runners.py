"""Pipelines as GitHub's and GitLab's runners run them: each step of each job, with the shell that the service takes.

What a step `uses` is done here: a clone, an environment, artifacts. What is not known fails: an expression, an action.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from breakeven import resources


@dataclass(frozen=True, kw_only=True)
class Step:
    name: str
    code: int
    out: str


@dataclass(kw_only=True)
class Runner:
    """`origin` is the repository, `context` what expressions may name, `shell` the variables of a machine with Python.

    Each job gets a machine of its own: another clone, home and temporary folder. `before` a job something may happen.
    """

    origin: Path
    machines: Path
    shell: Mapping[str, str]
    context: Mapping[str, str] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)
    before: dict[str, Callable[[], object]] = field(default_factory=dict)

    def run(self, revision: str) -> dict[str, list[Step]]:
        """Steps of each job that ran; after a job that failed, those that need it do not run."""
        raise NotImplementedError

    def machine(self, job: str) -> Path:
        self.before.get(job, bool)()
        number = len(list(self.machines.iterdir())) if self.machines.exists() else 0
        made = self.machines / f"{number}-{job}"
        for folder in ("home", "temp", "work"):
            (made / folder).mkdir(parents=True)
        return made

    def clone(self, machine: Path, revision: str, depth: int) -> None:
        work = machine / "work"
        shallow = [f"--depth={depth}"] if depth else []
        _git(work, "init", "-q")
        _git(work, "remote", "add", "origin", self.origin.as_uri())
        wanted = [revision, *([] if depth else ["+refs/heads/*:refs/remotes/origin/*"])]
        _git(work, "fetch", "-q", *shallow, "origin", *wanted)
        _git(work, "checkout", "-q", "--detach", revision)

    def shell_of(self, machine: Path) -> dict[str, str]:
        state = {"HOME": str(machine / "home"), "XDG_STATE_HOME": str(machine / "home" / "state")}
        return {**self.shell, **state, "XDG_CACHE_HOME": str(resources.cache_dir().parent)}

    def bash(self, options: list[str], script: str, machine: Path, environment: Mapping[str, str]) -> tuple[int, str]:
        (machine / "script.sh").write_text(script, encoding="utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", *options, str(machine / "script.sh")],
            cwd=machine / "work",
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout


class GitHub(Runner):
    """`context` names every `${{ expression }}`; `if` is one of them, or a comparison with a text."""

    def run(self, revision: str) -> dict[str, list[Step]]:
        workflow = yaml.safe_load((self.origin / ".github/workflows/deploy.yml").read_text())
        ran: dict[str, list[Step]] = {}
        for name, job in workflow["jobs"].items():
            needed = job.get("needs")
            is_ready = needed is None or (needed in ran and not any(step.code for step in ran[needed]))
            if is_ready and self._holds(job.get("if")):
                ran[name] = self._job(name, job, revision)
        return ran

    def _job(self, name: str, job: dict[str, Any], revision: str) -> list[Step]:
        machine, steps = self.machine(name), []
        for step in job["steps"]:
            if not self._holds(step.get("if")):
                continue
            if "uses" in step:
                self._use(step["uses"], step.get("with", {}), machine, revision)
                continue
            environment = {
                **self.shell_of(machine),
                **{key: value for key, value in self.context.items() if key.startswith("GITHUB_")},
                "RUNNER_TEMP": str(machine / "temp"),
                "GITHUB_STEP_SUMMARY": str(machine / "summary.md"),
                **{key: self._filled(value) for key, value in step.get("env", {}).items()},
            }
            # Where a workflow names no shell: https://docs.github.com/actions/reference/workflows-and-actions
            code, out = self.bash(["-e"], step["run"], machine, environment)
            steps.append(Step(name=step["name"], code=0 if step.get("continue-on-error") else code, out=out))
            if steps[-1].code:
                break
        return steps

    def _use(self, action: str, inputs: dict[str, Any], machine: Path, revision: str) -> None:
        match action.split("@")[0]:
            case "actions/checkout":
                self.clone(machine, revision, inputs.get("fetch-depth", 1))
            case "actions/upload-artifact":
                self.artifacts[inputs["name"]] = machine / "work" / inputs["path"]
                assert self.artifacts[inputs["name"]].is_dir()
            case "actions/download-artifact":
                shutil.copytree(self.artifacts[inputs["name"]], machine / "work" / inputs["path"])
            case "actions/setup-python" | "actions/cache":
                # The environment is there already; a cache key has to be one.
                self._filled(str(inputs.get("key", "")))
            case _:
                raise AssertionError(action)

    def _filled(self, text: str) -> str:
        return re.sub(r"\$\{\{ *(.+?) *\}\}", lambda found: self.context[found[1]], text)

    def _holds(self, condition: str | None) -> bool:
        if condition is None:
            return True
        left, right = condition.split(" == ")
        return self.context[left] == right.strip("'")


class GitLab(Runner):
    """`context` holds the variables of the pipeline. A manual job is started by somebody, here at once."""

    def run(self, revision: str) -> dict[str, list[Step]]:
        jobs = yaml.safe_load((self.origin / ".gitlab-ci.yml").read_text())
        stages, default = jobs.pop("stages"), jobs.pop("default")
        ran: dict[str, list[Step]] = {}
        for name, job in sorted(jobs.items(), key=lambda item: stages.index(item[1]["stage"])):
            if any(step.code for steps in ran.values() for step in steps):
                break
            if any(self._holds(rule["if"]) for rule in job["rules"]):
                ran[name] = [self._job(name, job, default, revision)]
        return ran

    def _job(self, name: str, job: dict[str, Any], default: dict[str, Any], revision: str) -> Step:
        machine = self.machine(name)
        # Its own default is 20.
        self.clone(machine, revision, int(job.get("variables", {}).get("GIT_DEPTH", 20)))
        work = machine / "work"
        cached = work / default["cache"]["paths"][0]
        cached.parent.mkdir()
        cached.symlink_to(resources.cache_dir())
        for artifact in self.artifacts.values():
            shutil.copytree(artifact, work / artifact.name)
        variables = {**self.context, **job.get("variables", {}), "CI_PROJECT_DIR": str(work)}
        script = "\n".join([*default["before_script"], *job["script"]])
        # As its shells begin: https://gitlab.com/gitlab-org/gitlab-runner/-/blob/main/shells/bash.go
        code, out = self.bash(["-e", "-o", "pipefail"], script, machine, {**self.shell_of(machine), **variables})
        for path in job.get("artifacts", {}).get("paths", []):
            if not code:
                self.artifacts[path] = work / path
        return Step(name=name, code=code, out=out)

    def _holds(self, rule: str) -> bool:
        variable, text = rule.split(" == ")
        return self.context.get(variable.removeprefix("$"), "") == text.strip('"')


def _git(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    command = ["git", "-c", "advice.detachedHead=false", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
