"""How vLLM cuts the KV cache into blocks (vllm/v1/core/kv_cache_utils.py, 0.32.0).

A model whose layers all keep every token has one block table. A hybrid has several: layers of a kind are dealt into
groups of equal size, every group draws from one pool, and a block is as large as one group's page.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final, Literal

from breakeven.core.engine_args import EngineArgs, EngineRules
from breakeven.core.model import Model

_BLOCK_TOKENS: Final = 16
# FlashMLA's sparse kernels.
_SPARSE_BLOCK_TOKENS: Final = 64


@dataclass(frozen=True, kw_only=True)
class Group:
    """`tables` block tables of a request for layers of one kind; a "state" table holds `states` blocks."""

    kind: Literal["full", "sliding", "chunked", "state"]
    tables: int
    block_tokens: int
    window: int = 0
    states: int = 1

    def blocks(self, length: int, in_flight: int) -> int:
        """Most blocks that a request of `length` tokens holds while `in_flight` tokens are scheduled."""
        if self.kind == "full":
            return self.tables * ceil(length / self.block_tokens)
        if self.kind == "sliding":
            # One more, since a window need not begin at the start of a block.
            held = min(self.window - 1 + in_flight, length)
            return self.tables * (ceil(held / self.block_tokens) + 1)
        if self.kind == "chunked":
            return self.tables * ceil(min(self.window + in_flight, length) / self.block_tokens)
        return self.tables * self.states


@dataclass(frozen=True, kw_only=True)
class KvLayout:
    """`page_bytes` are one layer's share of a block; `group_layers` layers share a block."""

    groups: tuple[Group, ...]
    page_bytes: int
    group_layers: int
    block_tokens: int
    in_flight: int

    def blocks_per_request(self, length: int) -> int:
        return sum(group.blocks(length, self.in_flight) for group in self.groups)

    def bytes_per_block(self, layers_share: float = 1.0) -> int:
        """On a pipeline rank with this share of the layers."""
        return ceil(self.group_layers * layers_share) * self.page_bytes

    @property
    def tables(self) -> int:
        return sum(group.tables for group in self.groups)


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """Layers that keep the same: bytes per token, 0 for states."""

    kind: Literal["full", "sliding", "chunked", "state"]
    layers: int
    bytes_per_token: int
    window: int = 0


def kv_layout(model: Model, args: EngineArgs, rules: EngineRules, in_flight: int) -> KvLayout:
    """The blocks of one tensor-parallel rank."""
    kinds = _kinds(model, args, rules)
    if len(kinds) == 1 and kinds[0].kind == "full":
        return _uniform(model, args, in_flight)
    return _hybrid(model, args, rules, kinds, in_flight)


def _kinds(model: Model, args: EngineArgs, rules: EngineRules) -> list[_Kind]:
    tp, element = args.tensor_parallel_size, model.kv_element_bytes(args.kv_cache_dtype, args.element_bytes)
    sliding, full = model.sliding, model.full_layers
    if sliding and sliding.kind == "chunked" and not rules.chunks_freed:
        sliding, full = None, model.caching_layers
    kinds = []
    if full:
        kinds.append(_Kind(kind="full", layers=full, bytes_per_token=model.full_layer_bytes(tp, element)))
    if sliding:
        size = model.sliding_layer_bytes(tp, element)
        kinds.append(_Kind(kind=sliding.kind, layers=sliding.layers, bytes_per_token=size, window=sliding.window))
    if model.recurrent:
        kinds.append(_Kind(kind="state", layers=model.recurrent.layers, bytes_per_token=0))
    return kinds


def _uniform(model: Model, args: EngineArgs, in_flight: int) -> KvLayout:
    """One table; an indexer's pages are part of the same blocks."""
    tokens = _SPARSE_BLOCK_TOKENS if model.indexer and model.mla else _BLOCK_TOKENS
    element = model.kv_element_bytes(args.kv_cache_dtype, args.element_bytes)
    per_token = model.kv_bytes_per_token(args.tensor_parallel_size, element)
    return KvLayout(
        groups=(Group(kind="full", tables=1, block_tokens=tokens),),
        page_bytes=per_token * tokens // model.caching_layers,
        group_layers=model.caching_layers,
        block_tokens=tokens,
        in_flight=in_flight,
    )


def _hybrid(model: Model, args: EngineArgs, rules: EngineRules, kinds: list[_Kind], in_flight: int) -> KvLayout:
    base = _base_block_tokens(model, args, kinds)
    page = max(kind.bytes_per_token for kind in kinds) * base
    size = _group_size([kind.layers for kind in kinds])
    states = rules.states_per_request if args.enable_prefix_caching else 1
    groups = tuple(
        Group(
            kind=kind.kind,
            tables=ceil(kind.layers / size),
            block_tokens=_block_tokens(kind, base, page),
            window=kind.window,
            states=states,
        )
        for kind in kinds
    )
    return KvLayout(groups=groups, page_bytes=page, group_layers=size, block_tokens=base, in_flight=in_flight)


def _base_block_tokens(model: Model, args: EngineArgs, kinds: list[_Kind]) -> int:
    """16, or as many more as make an attention page hold a recurrent state, which is padded to it.

    vllm/platforms/interface.py, "Setting attention block size to … tokens".
    """
    if model.recurrent is None:
        return _BLOCK_TOKENS
    per_token = next(kind.bytes_per_token for kind in kinds if kind.kind != "state")
    state = model.recurrent.bytes_per_request(args.tensor_parallel_size)
    return _BLOCK_TOKENS * ceil(state / (_BLOCK_TOKENS * per_token))


def _block_tokens(kind: _Kind, base: int, page: int) -> int:
    """Layers that keep less per token get more tokens into the page, if they go into it evenly."""
    own = kind.bytes_per_token * base
    return base * (page // own) if own and page % own == 0 else base


def _group_size(layers: list[int]) -> int:
    """The smallest kind's layers; the largest's if that is less than half as many again."""
    return max(layers) if max(layers) < 1.5 * min(layers) else min(layers)
