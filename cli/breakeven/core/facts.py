"""The catalogue records that a deployment's names stand for, and the longest sequence that they must hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from breakeven.core.deployment import Deployment
from breakeven.core.hardware import Accelerator, Offer, Profile
from breakeven.core.model import Model
from breakeven.core.units import HOURS_PER_MONTH
from breakeven.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Facts:
    """`offer` is None for the reference rent, and where the user gives a price of their own."""

    profile: Profile
    accelerator: Accelerator
    model: Model
    offer: Offer | None
    given_usd_per_gpu_hour: Decimal | None = None

    @property
    def usd_per_gpu_hour(self) -> Decimal | None:
        """As given, or at the offer; None for the reference rent."""
        if self.given_usd_per_gpu_hour is not None:
            return self.given_usd_per_gpu_hour
        return self.offer.usd_per_gpu_hour if self.offer else None

    def at(self, offer: Offer) -> Facts:
        """The same at an offer's price."""
        return replace(self, offer=offer, given_usd_per_gpu_hour=None)

    @property
    def node_usd_per_month(self) -> Decimal | None:
        """Unrounded rent of one node at the price that counts; serverless GPUs as if busy all month."""
        usd = self.usd_per_gpu_hour
        if usd is None:
            return self.profile.reference.usd_per_month
        return usd * self.profile.gpus_per_node * HOURS_PER_MONTH


def tokens_needed(deployment: Deployment, model: Model) -> int:
    """The longest sequence that the KV cache must hold. Raises InputError for what the model's context cannot hold."""
    asked = deployment.max_model_len
    request = deployment.workload.tokens_per_request
    limit = min(asked, model.context_length) if asked else model.context_length
    if asked and asked > model.context_length:
        raise InputError(f"max_model_len {asked:,} exceeds the context of {model.name}, {model.context_length:,}")
    if request > limit:
        raise InputError(
            f"a request of {request:,} tokens exceeds max_model_len {limit:,} of {model.name}",
            hint="shorten input_tokens + output_tokens, raise max_model_len, or choose a model with a longer context",
        )
    return asked or request
