"""Keys of a config.json, with errors that name the file and the key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from breakeven.errors import InputError

# Far above any; a larger one is no float, which sizes are.
_MOST: Final = 10**15


@dataclass(frozen=True, kw_only=True)
class Config:
    """The keys of the language model, and the whole file's for what lies outside it."""

    path: Path
    whole: Mapping[str, Any]
    text: Mapping[str, Any]

    @property
    def architecture(self) -> str:
        """The first of `architectures`. Raises InputError if there is none."""
        names = self.whole.get("architectures")
        if not isinstance(names, list) or not names:
            raise InputError("is required: a list of one name", where=f"{self.path}: architectures")
        return str(names[0])

    @property
    def name(self) -> str:
        """`owner/name`, as file or folder is called (owner--name), as the file says, or the folder's name."""
        folder = self.path.resolve().parent.name
        for saved in (self.path.stem, folder):
            owner, dashes, rest = saved.partition("--")
            if dashes and owner:
                return f"{owner}/{rest}"
        return str(self.whole.get("_name_or_path") or "") or folder

    def count(self, *keys: str) -> int:
        """The first key that is given, a whole number above 0. Raises InputError."""
        found = self.optional(*keys)
        if found is None:
            raise InputError("is required: a whole number above 0", where=f"{self.path}: {keys[0]}")
        return found

    def optional(self, *keys: str) -> int | None:
        """The same; None where no key is given, or it is null or 0."""
        for key in keys:
            value = self.text.get(key)
            if not value:
                continue
            if type(value) is not int or not 0 < value < _MOST:
                raise InputError(f"expected a whole number above 0, got {value!r:.40}", where=f"{self.path}: {key}")
            return value
        return None

    def names(self, key: str) -> list[Any]:
        """A list; empty where it is not given."""
        value = self.text.get(key)
        return value if isinstance(value, list) else []

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.text.get(key, self.whole.get(key))
        return default if value is None else bool(value)

    def table(self, key: str) -> Mapping[str, Any]:
        """A mapping of the language model or of the whole file; empty where it is not given."""
        value = self.text.get(key) or self.whole.get(key)
        return value if isinstance(value, Mapping) else {}


def read(path: Path) -> Config:
    """With the quantisation of hf_quant_config.json beside it, where modelopt before 0.31 wrote it; vLLM reads it, too.

    Raises InputError: unreadable, no JSON, no mapping.
    """
    data, beside = _mapping(path), path.with_name("hf_quant_config.json")
    if not data.get("quantization_config") and beside.is_file():
        data = {**data, "quantization_config": _mapping(beside)}
    text = data.get("text_config")
    return Config(path=path, whole=data, text=text if isinstance(text, dict) else data)


def _mapping(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", where=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"is no JSON: {error}", where=str(path)) from error
    if not isinstance(data, dict):
        raise InputError("expected a mapping of keys", where=str(path))
    return data
