"""Files of a fleet."""

from __future__ import annotations

from pathlib import Path


def overlay(name: str, environment: str) -> str:
    return f"base: ../../base.yaml\nname: {name}\nnamespace: llm-{environment}\nenvironment: {environment}\n"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
