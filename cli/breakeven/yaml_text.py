"""Plain data → YAML whose text stays text, also for Go's readers: Helm, kubectl, Argo CD and Flux."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

# The C emitter is ten times as fast, comes with PyYAML's wheels and writes the same.
_Dumper: Any = type("_Dumper", (getattr(yaml, "CSafeDumper", yaml.SafeDumper),), {})

# What is text to PyYAML, and a number or a truth to them: a short commit such as 12e4567. It is quoted.
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$")
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", _NUMBER, list("-+.0123456789"))
_Dumper.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?0o[0-7]+$"), list("-+0"))
_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"[yYnN]$"), list("yYnN"))


def to_yaml(data: Mapping[str, Any], *, sort_keys: bool = True) -> str:
    # ASCII: YAML takes some other characters, such as U+0085, for line breaks.
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=sort_keys, width=110))
