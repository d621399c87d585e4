"""Users of the sandbox other than its administrator."""

from __future__ import annotations

from pathlib import Path

import yaml

from breakeven.engine.sandbox import Sandbox


def kubeconfig_with(token: str, sandbox: Sandbox, path: Path) -> Path:
    """The sandbox's, with the token instead of a certificate."""
    config = yaml.safe_load(sandbox.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    path.write_text(yaml.safe_dump(config))
    return path
