"""What to type next for a recommended plan."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from breakeven.core.search import Priced


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """`first` is what has to be written before the command works; None where it works as it is."""

    command: str
    first: str | None

    def __str__(self) -> str:
        return f"{self.first}; then {self.command}" if self.first else self.command


def next_step(one: Priced, flags: list[str]) -> NextStep:
    """The bill of the same plan, by `deploy cost`."""
    return NextStep(command=f"deploy cost {shlex.join(flags)}", first=None if one.can_be_typed else _profile_file(one))


def _profile_file(one: Priced) -> str:
    profile, offer = one.shape.profile, one.plan.facts.offer
    name = offer.name if offer else ""
    if one.shape.base is None:
        return f"add {name} to the offers of profiles/{profile.name}.yaml"
    return (
        f"a profile file is needed: copy profiles/{one.shape.base.name}.yaml to profiles/{profile.name}.yaml with name: "
        f"{profile.name}, accelerator: {profile.accelerator}, gpus_per_node: {profile.gpus_per_node}, offers: [{name}] "
        "and the labels of its nodes"
    )
