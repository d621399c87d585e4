"""Secrets in plain text: what must not be written to a directory that is committed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

# Names whose literal value is a secret. `hubToken.secretKey: token` and the like name a Secret's key, not a value.
_SECRET_NAME: Final = re.compile(r"(^|_)(TOKEN|PASSWORD|PASSPHRASE|SECRET|CREDENTIALS?|API_KEY|ACCESS_KEY)$")

# As their issuers write them: Hugging Face, OpenAI and Anthropic, GitHub, AWS, a private key.
_SECRET_TEXT: Final = re.compile(
    r"\bhf_[A-Za-z0-9]{20,}|\bsk-[A-Za-z0-9_-]{20,}|\bgh[pousr]_[A-Za-z0-9]{30,}|\bAKIA[0-9A-Z]{16}\b"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|--api-key[= ]\S"
)


def plaintext_secrets(manifest: Mapping[str, Any]) -> Iterator[str]:
    """The path of each value that is a secret; never the value."""
    if manifest.get("kind") == "Secret":
        yield from (key for key in ("data", "stringData") if manifest.get(key))
    yield from _within(manifest, "")


def _within(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("value"), str) and _SECRET_NAME.search(str(value.get("name", "")).upper()):
            yield f"{path}.value".lstrip(".")
            return
        for key, item in value.items():
            yield from _within(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, item in enumerate(value):
            yield from _within(item, f"{path}[{index}]")
    elif isinstance(value, str) and _SECRET_TEXT.search(value):
        yield path
