"""Log-probabilities of a trie node's children, from the decoder's hidden states.

    full    log softmax over the whole vocabulary, then only the trie's children are kept (the paper; Hugging Face
            generate): a child's score also pays for tokens that can never follow
    codes   softmax over the children alone: the probabilities of all items sum to 1

Both read the logits of the children only; `full` adds the log-normaliser of all rows of the head, tile by tile, and
never holds [beams, vocabulary] log-probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from benchmark.errors import BenchmarkError, ConfigError
from benchmark.generative.trie import Trie
from benchmark.generative.vocabulary import CodeVocabulary

Scorer = Literal["full", "codes"]
TILE_ELEMENTS = {"cpu": 1 << 22, "cuda": 1 << 27}  # logits held at once: a processor's cache, a part of a GPU's memory


@dataclass(frozen=True)
class Children:
    """The children of nodes [B, R]: all int64 or bool [B, R, F], F the most children of any of these nodes."""

    edges: Tensor
    tokens: Tensor
    valid: Tensor  # false behind a node's last child, which is repeated there


@dataclass(frozen=True)
class TrieTensors:
    """A trie's arrays on a device (int64)."""

    child_offsets: Tensor
    child_tokens: Tensor
    node_items: Tensor
    items_below: Tensor
    depth: int
    eos: int
    code_columns: tuple[tuple[int, int], ...]
    paths: Tensor  # [n_items, depth + 1], -1 behind an item's leaf
    narrow: int  # a node whose only child ends an ID: where dead beams stand

    def undecided(self, nodes: Tensor, scorer: Scorer) -> Tensor:
        """Tell which nodes' children need the decoder: with `codes`, only where more than one item is left."""
        return self.items_below[nodes] > (1 if scorer == "codes" else 0)

    def tokens_into(self, nodes: Tensor) -> Tensor:
        """Return the token on the edge into each node; the end-of-sequence token where a node is -1."""
        return self.child_tokens[(nodes - 1).clamp(min=0)].masked_fill(nodes < 0, self.eos)

    def columns(self, tokens: Tensor, depth: int) -> Tensor:
        """Return each token's column among the codes of one depth; the end-of-sequence token has the last."""
        low, high = self.code_columns[depth]
        return torch.where(tokens == self.eos, high - low, tokens - low)

    def children(self, nodes: Tensor) -> Children:
        """List the children of nodes [B, R], padded to the largest fan-out among them."""
        starts, stops = self.child_offsets[nodes], self.child_offsets[nodes + 1]
        widest = max(int((stops - starts).max()), 1)
        edges = starts[..., None] + torch.arange(widest, device=nodes.device)
        valid = edges < stops[..., None]
        edges = torch.minimum(edges, stops[..., None] - 1)
        return Children(edges, self.child_tokens[edges], valid)


_on_device: WeakKeyDictionary[Trie, dict[str, TrieTensors]] = WeakKeyDictionary()


def on_device(trie: Trie, device: torch.device) -> TrieTensors:
    """Return the trie's arrays on a device, copied there once per trie."""
    views = _on_device.setdefault(trie, {})
    if str(device) not in views:
        arrays = (trie.child_offsets, trie.child_tokens, trie.node_items, trie.items_below, trie.paths)
        child_offsets, child_tokens, node_items, items_below, paths = (
            torch.from_numpy(array).to(device).long() for array in arrays
        )
        views[str(device)] = TrieTensors(
            child_offsets,
            child_tokens,
            node_items,
            items_below,
            depth=trie.depth,
            eos=trie.eos,
            code_columns=trie.code_columns,
            paths=paths,
            narrow=_above_a_deepest_leaf(trie),
        )
    return views[str(device)]


def _above_a_deepest_leaf(trie: Trie) -> int:
    """Return the parent of a deepest leaf: its only child ends an ID. Other nodes of its level may be leaves."""
    item = trie.node_items[trie.levels[trie.depth]]
    return int(trie.paths[item, trie.depth - 1])


def child_log_probs(
    hidden: Tensor, head: Tensor, children: Children, tensors: TrieTensors, depth: int, scorer: Scorer
) -> Tensor:
    """Return log-probabilities float32 [B, R, F] of the children of nodes at one depth; -inf where there is no child.

    hidden [B, R, D] are the (scaled) decoder states of the nodes, head [vocabulary, D].
    """
    logits = _child_logits(hidden, head, children, tensors, depth).masked_fill_(~children.valid, -torch.inf)
    if scorer == "codes":
        return logits - torch.logsumexp(logits, -1, keepdim=True)
    return logits.sub_(log_normaliser(hidden.flatten(0, 1), head).view(*hidden.shape[:2], 1))


def _child_logits(hidden: Tensor, head: Tensor, children: Children, tensors: TrieTensors, depth: int) -> Tensor:
    """Each child's row of the head times its parent's state [B, R, F], by the cheaper of two ways."""
    batch, beams, fan_out = children.tokens.shape
    low, high = tensors.code_columns[depth]
    if fan_out <= min(8, (high - low) // 8) or high == low:
        rows = head[children.tokens.view(batch * beams, fan_out)]  # [B * R, F, D]
        logits = torch.bmm(rows, hidden.view(batch * beams, -1, 1)).view(batch, beams, fan_out)
        return logits.float()
    columns = torch.cat([head[low:high], head[tensors.eos : tensors.eos + 1]])
    return (hidden @ columns.T).gather(-1, tensors.columns(children.tokens, depth)).float()


def log_normaliser(hidden: Tensor, head: Tensor) -> Tensor:
    """Return log sum exp of the logits over the whole vocabulary, float32 [rows]; hidden [rows, D].

    Tiles of the vocabulary keep the logits small; maximum and sum are carried from tile to tile, so nothing overflows.
    The vocabulary is the first axis: reading the head as it lies in memory makes the product a third faster.
    """
    elements = TILE_ELEMENTS["cuda" if hidden.is_cuda else "cpu"]
    states = hidden.T.contiguous()
    maximum = torch.full((len(hidden),), -torch.inf, device=hidden.device)
    total = torch.zeros(len(hidden), device=hidden.device)
    for rows in torch.split(head, max(elements // len(hidden), 256)):
        logits = (rows @ states).float()
        higher = torch.maximum(maximum, logits.amax(0))
        total = total * (maximum - higher).exp_() + logits.sub_(higher).exp_().sum(0)
        maximum = higher
    return maximum + total.log_()


def check(trie: Trie, vocabulary: CodeVocabulary, head: Tensor, scorer: str) -> None:
    """Refuse a scorer that does not exist, and a trie, a vocabulary and a model that do not belong together."""
    if scorer not in ("full", "codes"):
        raise ConfigError(f"scorer: '{scorer}' is unknown; choose full or codes")
    low = min((start for start, stop in trie.code_columns if stop), default=vocabulary.first)
    high = max(stop for _, stop in trie.code_columns)
    rows = vocabulary.first + vocabulary.size
    if low < vocabulary.first or high > rows:
        raise BenchmarkError(
            f"the trie's tokens {low} .. {high - 1} are not the vocabulary's {vocabulary.first} .. {rows - 1}"
        )
    if rows > len(head):
        raise BenchmarkError(
            f"the model's head has {len(head)} rows but the code tokens end at {rows}; "
            "call model.resize_token_embeddings before training"
        )
