"""Plain Pulumi, as someone without `deploy` runs it: the pinned engine and language host, a project, inputs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from breakeven import resources
from breakeven.engine import tools
from breakeven.engine.programs import PROVIDER_VERSION

POLICY = resources.infra() / "policy" / "__main__.py"


@dataclass(frozen=True, kw_only=True)
class Project:
    """A folder with a Pulumi.yaml, and a state of its own beside it. `extra` are more variables."""

    folder: Path
    home: Path
    stack: str
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        programs = [tools.path("pulumi").parent, tools.folder("python-host") / "bin", Path(sys.executable).parent]
        return {
            **os.environ,
            "PATH": os.pathsep.join([*map(str, programs), os.environ["PATH"]]),
            "VIRTUAL_ENV": sys.prefix,
            "PULUMI_HOME": str(self.home),
            "PULUMI_BACKEND_URL": f"file://{self.home}",
            "PULUMI_CONFIG_PASSPHRASE": "for the test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **self.extra,
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["pulumi", *arguments, "--non-interactive"]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=180
        )

    def succeed(self, *arguments: str) -> str:
        found = self.run(*arguments)
        assert found.returncode == 0, f"pulumi {' '.join(arguments)}\n{found.stdout}\n{found.stderr}"
        return found.stdout

    def refuse(self, *arguments: str) -> str:
        """What it says, on one line: the engine indents and wraps."""
        found = self.run(*arguments)
        assert found.returncode != 0, f"pulumi {' '.join(arguments)} was not refused\n{found.stdout}"
        said = found.stdout + found.stderr
        assert "Traceback" not in said, said
        return " ".join(said.split())

    def set(self, **inputs: Any) -> None:
        """Keys of `breakeven:` with dots as double underscores, as `pulumi config set --path` takes them."""
        given = (f"breakeven:{key.replace('__', '.')}={value}" for key, value in inputs.items())
        self.succeed("config", "set-all", "--path", *(word for one in given for word in ("--plaintext", one)))

    def resources(self) -> list[str]:
        """Types of what the state holds, less the stack itself."""
        found = json.loads(self.succeed("stack", "export"))["deployment"].get("resources", [])
        return [entry["type"] for entry in found if entry["type"] != "pulumi:pulumi:Stack"]


def project(folder: Path, home: Path, stack: str, **extra: str) -> Project:
    """With the provider in its cache, and an empty stack."""
    home.mkdir(mode=0o700)
    plugin = home / "plugins" / f"resource-kubernetes-v{PROVIDER_VERSION}"
    plugin.mkdir(parents=True)
    (plugin / "pulumi-resource-kubernetes").symlink_to(tools.path("pulumi-resource-kubernetes"))
    made = Project(folder=folder, home=home, stack=stack, extra=extra)
    made.succeed("stack", "init", stack)
    return made


def checkout(folder: Path, home: Path, stack: str) -> Project:
    """Pulumi.yaml and infra/ as they are, in a folder where the stack's settings may lie."""
    folder.mkdir()
    for name in ("Pulumi.yaml", "infra"):
        (folder / name).symlink_to(resources.root() / name)
    made = project(folder, home, stack)
    made.succeed("config", "set", "--path", "pulumi:disable-default-providers[0]", "kubernetes")
    return made
