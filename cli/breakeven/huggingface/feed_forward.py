"""Feed-forward layers: how many are dense, how many have experts, and their parameters."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.huggingface.config import Config
from breakeven.huggingface.families import Family


@dataclass(frozen=True, kw_only=True)
class FeedForward:
    """Widths of one layer of each kind, 0 where there is none. `matrices` of hidden size × width each: 3 with a gate.

    `doubled_layers` of the dense ones are twice as wide (Gemma 4 E2B). `latent` is the size that routed experts work
    in, if it is not the hidden size (Nemotron 3 Super).
    """

    dense_layers: int
    dense_width: int
    doubled_layers: int = 0
    matrices: int = 3
    expert_layers: int = 0
    experts: int = 0
    per_token: int = 0
    expert_width: int = 0
    shared_width: int = 0
    latent: int | None = None

    def expert_parameters(self, hidden: int) -> int:
        """Of all routed experts."""
        return self.expert_layers * self.experts * self.matrices * (self.latent or hidden) * self.expert_width

    def parameters(self, hidden: int) -> int:
        dense = (self.dense_layers + self.doubled_layers) * self.matrices * hidden * self.dense_width
        shared = self.expert_layers * self.matrices * hidden * self.shared_width
        router = self.expert_layers * self.experts * hidden
        latent = self.expert_layers * 2 * hidden * (self.latent or 0)
        return dense + shared + router + latent + self.expert_parameters(hidden)


def feed_forward(config: Config, family: Family) -> FeedForward:
    """Raises InputError for keys that the family must have and that are missing."""
    layers = config.count("num_hidden_layers", "n_layer")
    if family.experts is None or not config.optional("num_experts", "n_routed_experts", "num_local_experts"):
        return FeedForward(
            dense_layers=layers,
            dense_width=dense_width(config, family),
            doubled_layers=config.optional("num_kv_shared_layers") or 0 if config.flag("use_double_wide_mlp") else 0,
            matrices=family.feed_forward_matrices,
        )
    expert_layers = _expert_layers(config, layers)
    width = config.count("moe_intermediate_size", "intermediate_size")
    return FeedForward(
        # Gemma 4 has both in each layer.
        dense_layers=layers if family.experts == "beside" else layers - expert_layers,
        dense_width=dense_width(config, family) if family.experts == "beside" or expert_layers < layers else 0,
        expert_layers=expert_layers,
        experts=config.count("num_experts", "n_routed_experts", "num_local_experts"),
        per_token=config.count("num_experts_per_tok", "top_k_experts"),
        expert_width=width,
        shared_width=_shared_width(config, width, family),
    )


def dense_width(config: Config, family: Family) -> int:
    """Falcon and BLOOM: four times the hidden size. Llama 4 and MiniMax-M3 name it apart from the experts'."""
    if found := config.optional("intermediate_size_mlp", "dense_intermediate_size", "intermediate_size"):
        return found
    if family.feed_forward_matrices == 2:
        return config.optional("ffn_hidden_size") or 4 * config.count("hidden_size", "n_embed")
    return config.count("moe_intermediate_size", "intermediate_size")


def _expert_layers(config: Config, layers: int) -> int:
    if pattern := config.names("moe_layer_freq"):
        return sum(1 for each in pattern if each)
    if step := config.optional("interleave_moe_layer_step", "decoder_sparse_step"):
        return layers // step - len(config.names("mlp_only_layers"))
    return layers - (config.optional("first_k_dense_replace") or 0)


def _shared_width(config: Config, width: int, family: Family) -> int:
    if family.experts == "with one shared":
        return width
    if found := config.optional("shared_expert_intermediate_size", "shared_intermediate_size"):
        return found
    return width * (config.optional("n_shared_experts") or 0)
