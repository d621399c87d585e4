"""Nodes that can be rented, with every price at which: those of profiles, and those that offers alone describe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from breakeven.core.facts import Facts
from breakeven.core.hardware import Accelerator, Offer, Profile, ReferenceRow
from breakeven.core.model import Model

# GPUs that one machine is commonly sold with; a price of a single GPU is taken for any of them.
_NODE_SIZES: Final = (1, 2, 4, 8)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A node and its prices; None among them is the profile's reference rent.

    `base` is None where `profile` is a file. Otherwise no file describes the node, and operations and setup are taken
    from the profile `base`.
    """

    profile: Profile
    accelerator: Accelerator
    prices: tuple[Offer | None, ...]
    base: Profile | None = None

    def facts(self, model: Model, offer: Offer | None = None) -> Facts:
        return Facts(profile=self.profile, accelerator=self.accelerator, model=model, offer=offer)

    def can_be_typed(self, offer: Offer | None) -> bool:
        """Whether `--profile` and `--offer` can name it."""
        return self.base is None and (offer is None or offer.name in self.profile.offers)


def of_profile(profile: Profile, accelerator: Accelerator, offers: Iterable[Offer]) -> Shape:
    """Its reference rent, if it has one, and the offers of its very GPU: another of the same name is not as fast."""
    has_rent = not profile.is_serverless and profile.reference.usd_per_month is not None
    own = (offer for offer in offers if offer.accelerator == accelerator.name)
    return Shape(profile=profile, accelerator=accelerator, prices=(*((None,) if has_rent else ()), *own))


def of_accelerator(
    accelerator: Accelerator, gpus: int | None, offers: Iterable[Offer], profiles: Iterable[Profile]
) -> Iterator[Shape]:
    """Nodes of so many GPUs, or of every size, that a dated offer prices; a profile stands in for one of its size."""
    known = tuple(profiles)
    by_second = {name for profile in known if profile.is_serverless for name in profile.offers}
    own = [offer for offer in offers if offer.accelerator == accelerator.name]
    rented = [offer for offer in own if offer.name not in by_second]
    for size in (gpus,) if gpus else sorted({*_NODE_SIZES, *(offer.gpu_count for offer in rented)}):
        same = [one for one in known if (one.accelerator, one.gpus_per_node) == (accelerator.name, size)]
        prices = tuple(offer for offer in rented if offer.gpu_count in (1, size))
        for profile in same:
            listed = (offer for offer in own if offer.name in profile.offers)
            yield of_profile(profile, accelerator, listed if profile.is_serverless else prices)
        if prices and all(profile.is_serverless for profile in same):
            yield _without_profile(_nearest(accelerator, known), accelerator, size, prices)


def _without_profile(base: Profile, accelerator: Accelerator, gpus: int, prices: tuple[Offer, ...]) -> Shape:
    profile = _described(base, accelerator, gpus, prices)
    return Shape(profile=profile, accelerator=accelerator, prices=prices, base=base)


def _nearest(accelerator: Accelerator, profiles: tuple[Profile, ...]) -> Profile:
    """A profile to take operations and setup from: of the same GPU if there is one."""
    return min(profiles, key=lambda one: (one.is_serverless, one.accelerator != accelerator.name))


def _described(base: Profile, accelerator: Accelerator, gpus: int, prices: tuple[Offer, ...]) -> Profile:
    """The profile that a file would have to describe; its placement is not known."""
    return replace(
        base,
        name=f"{gpus}x{accelerator.name}",
        title=f"{gpus} × {accelerator.title}",
        kind="node",
        accelerator=accelerator.name,
        gpus_per_node=gpus,
        offers=tuple(offer.name for offer in prices),
        reference=ReferenceRow(workload="", source="", checked=base.reference.checked),
    )
