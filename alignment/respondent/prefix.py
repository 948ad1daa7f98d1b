"""Forwards with a shared prefix: each prompt's beginning is encoded once, its ends are scored against it in batches.

Prefixes are padded on the left and ends on the right, so that real tokens stand next to one another: then sliding
windows, which count places, reach as far as they would in the plain forward.

Where no layer has a window, the ends of one prefix are packed: they are one sequence, and a mask keeps them from seeing
one another. Then nothing is padded, and the keys and values of the prefix are not copied for each end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, DynamicLayer

from alignment.respondent.chat import Tokens


class PrefixLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """Keys and values of the prefixes, given to every forward for the rows of its batch; new ones are not kept."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.lazy_initialization(keys, values)
        self.prefix_keys, self.prefix_values = keys, values
        self.choose(torch.arange(len(keys)))

    def choose(self, rows: Tensor) -> None:
        """Set whose prefix each row of the next forward has."""
        self.rows = rows.to(self.prefix_keys.device)

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Keys and values of the prefix of each row, then the new ones."""
        keys, values = (part.index_select(0, self.rows) for part in (self.prefix_keys, self.prefix_values))
        return torch.cat([keys, key_states], dim=-2), torch.cat([values, value_states], dim=-2)

    def get_seq_length(self) -> int:
        """The length of the prefixes, padding included."""
        return int(self.prefix_keys.shape[-2])


@dataclass(frozen=True, eq=False)
class Prefixes:
    """Encoded prefixes: the cache with its layers, and the mask (prefixes, longest), 1 where there is a token."""

    cache: DynamicCache
    layers: tuple[PrefixLayer, ...]
    mask: Tensor

    def choose(self, rows: Tensor) -> DynamicCache:
        """The cache, set to give these prefixes for the rows of the next forward."""
        for layer in self.layers:
            layer.choose(rows)
        return self.cache


def encode_prefixes(model: Any, prefixes: Sequence[Tokens], device: torch.device) -> Prefixes | None:
    """One forward over some prefixes; None where all are empty. Steering hooks, if any, act on it."""
    if not any(prefixes):
        return None
    ids, mask, places = left_padded(prefixes, device)
    cache: Any = DynamicCache()  # without the configuration: with it, sliding windows would drop keys
    model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=places,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    layers = tuple(PrefixLayer(layer.keys, layer.values) for layer in cache.layers)
    kept = DynamicCache()
    kept.layers = list(layers)
    return Prefixes(kept, layers, mask)


def left_padded(texts: Sequence[Tokens], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, mask (1 where there is a token) and places of some texts, (texts, longest), that all end together."""
    longest = max(map(len, texts))
    ids = torch.tensor([[0] * (longest - len(tokens)) + list(tokens) for tokens in texts], device=device)
    mask = torch.tensor([[0] * (longest - len(tokens)) + [1] * len(tokens) for tokens in texts], device=device)
    return ids, mask, (mask.cumsum(1) - 1).clamp(min=0)


def shares_prefixes(model: Any) -> bool:
    """Whether all layers keep keys and values; the state of linear attention is no prefix that could be shared."""
    kinds = set(getattr(model.config.get_text_config(), "layer_types", None) or ())
    return kinds <= {"full_attention", "sliding_attention", "chunked_attention"}


def can_pack(model: Any) -> bool:
    """Whether a mask of our own says all about who sees whom: sdpa takes it, and no layer has a window."""
    config = model.config.get_text_config()
    kinds, window = getattr(config, "layer_types", None), getattr(config, "sliding_window", None)
    whole = set(kinds) == {"full_attention"} if kinds else window is None
    return whole and config._attn_implementation == "sdpa"


def packed_logits(
    model: Any, prefixes: Prefixes | None, row: int, ends: Sequence[Tokens], device: torch.device
) -> Tensor:
    """The logits after the last token of each end, (ends, vocabulary), all following the prefix `row`; packed."""
    packing = _Packing.of(ends, device)
    places, mask = packing.places, packing.same.tril()
    cache = None
    if prefixes is not None:
        before = prefixes.mask[row].bool()
        places = places + before.sum()
        mask = torch.cat([before.expand(len(mask), -1), mask], dim=1)
        cache = prefixes.choose(torch.tensor([row], device=device))
    output = model(
        input_ids=packing.ids,
        attention_mask=mask[None, None],
        position_ids=places[None],
        past_key_values=cache,
        use_cache=cache is not None,
        logits_to_keep=packing.last,
    )
    logits: Tensor = output.logits[0]
    return logits


def shared_logits(model: Any, prefix: Tokens, ends: Sequence[Tokens], device: torch.device) -> Tensor:
    """As `packed_logits`, but the prefix is part of the same forward, so that gradients go through it."""
    packing = _Packing.of([prefix, *ends], device)
    opening = packing.owner == 0
    places = torch.where(opening, packing.places, packing.places + len(prefix))
    output = model(
        input_ids=packing.ids,
        attention_mask=(packing.same | opening).tril()[None, None],
        position_ids=places[None],
        use_cache=False,
        logits_to_keep=packing.last[1:],
    )
    logits: Tensor = output.logits[0]
    return logits


@dataclass(frozen=True, eq=False)
class _Packing:
    """Texts in one sequence of n tokens: `ids` (1, n), the text that owns each token, its place in that text, which
    tokens are of the same text (n, n), and where each text's last token is (a list: the last layers may be on another
    device)."""

    ids: Tensor
    owner: Tensor
    places: Tensor
    same: Tensor
    last: list[int]

    @classmethod
    def of(cls, texts: Sequence[Tokens], device: torch.device) -> _Packing:
        lengths = torch.tensor([len(tokens) for tokens in texts], device=device)
        ids = torch.tensor([[token for tokens in texts for token in tokens]], device=device)
        owner = torch.repeat_interleave(torch.arange(len(texts), device=device), lengths)
        after = lengths.cumsum(0)
        places = torch.arange(len(owner), device=device) - (after - lengths)[owner]
        return cls(ids, owner, places, owner[:, None] == owner, (after - 1).tolist())


def last_logits(
    model: Any, prefixes: Prefixes | None, rows: Sequence[int], ends: Sequence[Tokens], device: torch.device
) -> Tensor:
    """The logits after the last token of each end, (ends, vocabulary); `rows` names the prefix of each."""
    longest = max(map(len, ends))
    ids = torch.tensor([list(tokens) + [0] * (longest - len(tokens)) for tokens in ends], device=device)
    mask = torch.tensor([[1] * len(tokens) + [0] * (longest - len(tokens)) for tokens in ends], device=device)
    places = torch.arange(longest, device=device).expand(len(ends), -1)
    chosen = torch.tensor(rows, device=device)
    cache = None
    if prefixes is not None:
        before = prefixes.mask.index_select(0, chosen)
        places = places + before.sum(1, keepdim=True)
        mask = torch.cat([before, mask], dim=1)
        cache = prefixes.choose(chosen)
    last = torch.tensor([len(tokens) - 1 for tokens in ends], device=device)
    kept, where = torch.unique(last, return_inverse=True)
    output = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=places,
        past_key_values=cache,
        use_cache=cache is not None,
        logits_to_keep=kept.tolist(),
    )
    logits: Tensor = output.logits
    return logits[torch.arange(len(ends), device=logits.device), where.to(logits.device)]
