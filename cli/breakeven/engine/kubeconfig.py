"""Which kubeconfig, and which context of it: as kubectl looks for them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from breakeven.errors import ClusterError, InputError, unknown
from breakeven.yaml_source import refuse_depth

# Pure Python takes a second for each 100 KB of certificates.
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def locate(kubeconfig: Path | None, context: str | None) -> tuple[Path, str]:
    """The one file that defines the context, since the provider is given one path, and the context's name.

    Raises ClusterError where there is no kubeconfig; InputError for a file that is none, and for an unknown context.
    """
    contents = {path: _read(path) for path in _files(kubeconfig)}
    current = (str(data["current-context"]) for data in contents.values() if data.get("current-context"))
    name = context or next(current, "")
    if not name:
        raise InputError(f"{next(iter(contents))} has no current context", hint="choose one with --context NAME")
    known = {entry["name"]: path for path, data in contents.items() for entry in data.get("contexts") or ()}
    if name not in known:
        raise unknown("context", name, known, listing="`kubectl config get-contexts`")
    return known[name], name


def _files(kubeconfig: Path | None) -> list[Path]:
    """The flag, KUBECONFIG (a list), ~/.kube/config."""
    if kubeconfig:
        named = [kubeconfig]
    else:
        variable = os.environ.get("KUBECONFIG", "")
        named = [Path(part) for part in variable.split(os.pathsep) if part] or [Path.home() / ".kube" / "config"]
    files = [path.expanduser().absolute() for path in named if path.expanduser().is_file()]
    if not files:
        raise ClusterError(
            f"no kubeconfig at {', '.join(map(str, named))}",
            hint="give --kubeconfig FILE, or rehearse on the local cluster with --sandbox",
        )
    return files


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        refuse_depth(text, str(path))
        data = yaml.load(text, _Loader)  # both are safe loaders
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", where=str(path)) from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError("is not a kubeconfig: it is not YAML", where=str(path)) from error
    if not isinstance(data, dict) or not _are_named(data.get("contexts") or []):
        raise InputError("is not a kubeconfig", where=str(path))
    return data


def _are_named(contexts: Any) -> bool:
    return isinstance(contexts, list) and all(
        isinstance(entry, dict) and isinstance(entry.get("name"), str) for entry in contexts
    )
