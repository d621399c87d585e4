"""Where the state lives, and the environment that the Pulumi engine runs in.

PULUMI_BACKEND_URL, else the backend that the user is logged in to, else an embedded file backend of our own.
The sandbox always has its own, which goes away with it.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from breakeven import resources
from breakeven.errors import InputError

_PASSPHRASE: Final = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


@dataclass(frozen=True, kw_only=True)
class Backend:
    """`url` of the state, `pulumi_home` with plugins and credentials, `directory` of the stacks' settings."""

    url: str
    pulumi_home: Path
    directory: Path
    passphrase_file: Path | None

    @property
    def environment(self) -> dict[str, str]:
        """For every run of the engine: our backend, no network at start, plugins from our own cache only."""
        variables = {
            "PULUMI_HOME": str(self.pulumi_home),
            "PULUMI_BACKEND_URL": self.url,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
            # What was changed by hand has another field manager by then: without it `up` would end in a conflict
            # instead of putting it right. (Objects of others are refused before, in preflight.)
            "PULUMI_K8S_ENABLE_PATCH_FORCE": "true",
        }
        if self.passphrase_file:
            variables["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(self.passphrase_file)
        return variables

    @property
    def files(self) -> Path | None:
        """Where the engine keeps them, if it does so on this machine."""
        url = urlsplit(self.url)
        return Path(unquote(url.netloc + url.path)).expanduser() / ".pulumi" if url.scheme == "file" else None

    def stack_directory(self, stack: str) -> Path:
        """Holds Pulumi.yaml and the stack's settings: inputs and the passphrase's salt, never a secret."""
        return self.directory / "stacks" / stack


def backend(sandbox: Path | None) -> Backend:
    """The backend for a run; `sandbox` is the rehearsal cluster's directory. Creates what is embedded, mode 0700.

    Raises InputError for an empty passphrase, which the engine would accept.
    """
    if os.environ.get(_PASSPHRASE[0]) == "":
        raise InputError("PULUMI_CONFIG_PASSPHRASE is empty", hint="unset it, or set a passphrase")
    if sandbox:
        return _embedded(sandbox / "pulumi")
    url = os.environ.get("PULUMI_BACKEND_URL") or _logged_in()
    if url:
        return Backend(url=url, pulumi_home=_user_home(), directory=_private(_state()), passphrase_file=None)
    return _embedded(_state())


def _embedded(directory: Path) -> Backend:
    state = _private(_private(directory) / "state")
    return Backend(
        url=f"file://{state}",
        pulumi_home=_private(directory / "home"),
        directory=directory,
        passphrase_file=None if any(os.environ.get(name) for name in _PASSPHRASE) else _passphrase_file(directory),
    )


def _state() -> Path:
    return resources.state_dir() / "pulumi"


def _user_home() -> Path:
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")


def _logged_in() -> str:
    """The backend of `pulumi login`, as the engine itself remembers it."""
    try:
        credentials = json.loads((_user_home() / "credentials.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return ""
    return str(credentials.get("current") or "") if isinstance(credentials, dict) else ""


def _private(directory: Path) -> Path:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    return directory


def _passphrase_file(directory: Path) -> Path:
    """Generated once. Whoever can read it can read the state beside it, so it keeps secrets from backups only."""
    path = directory / "passphrase"
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(32))
    return path
