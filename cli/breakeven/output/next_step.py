"""What to type next for a recommended plan."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from breakeven.core.priced import Priced


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """`first` is what has to be written before the command works; None where it works as it is."""

    command: str
    first: str | None


def next_step(one: Priced, flags: list[str]) -> NextStep:
    """The bill of the same plan, by `deploy cost`."""
    return NextStep(command=f"deploy cost {shlex.join(flags)}", first=None if one.can_be_typed else _profile_file(one))


def _profile_file(one: Priced) -> str:
    profile, offer = one.shape.profile, one.plan.facts.offer
    path, name = f"profiles/{profile.name}.yaml", offer.name if offer else ""
    if one.shape.base is None:
        return f"add {name} to the offers of {path}"
    return (
        f"write {path} (accelerator {profile.accelerator}, gpus_per_node {profile.gpus_per_node}, offers [{name}]; the "
        f"rest as in profiles/{one.shape.base.name}.yaml, with the labels of your nodes)"
    )
