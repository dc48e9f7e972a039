"""The ID decoder of the readers that are no T5: a few residual layers over a state and the codes so far.

For a reader's state s of a history or query, and the tokens c^1 .. c^{t-1} of an ID that are already there:

    z = s + E[c^1] + .. + E[c^{t-1}] + q_t,    z <- z + MLP(LN(z)) per block,    logits = H LN(z)

Every position's codes have tokens of their own, so the sum forgets no order. Reading one more token is one addition:
there is no attention cache, and all positions of all targets are decoded in one pass. Relatives: the depth Transformer
of MARIUS (arXiv 2508.14910) and of the RQ-Transformer (Lee et al., CVPR 2022, section 3.2).

A step is normalised over the codes that the trie allows after the same prefix, in training as in search: then the
probabilities of all items sum to 1, and nothing is learned about prefixes that do not exist. Where one item alone is
left, its remaining tokens are certain and are not decoded.

Shapes: n targets, B queries, R beams, D width, V tokens (0 ends an ID).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmark.generative.config import DecoderConfig
from benchmark.generative.dropout import Dropout
from benchmark.generative.scoring import TrieTensors
from benchmark.generative.softmax import allowed_softmax

EOS = 0


@dataclass(frozen=True)
class Prefix:
    """The sum of the token vectors that each beam has read [B * R, D]."""

    sums: Tensor
    length: int

    @property
    def rows(self) -> int:
        """Beams of all queries."""
        return len(self.sums)


class IdDecoder(nn.Module):
    """Decodes IDs of at most `depth` tokens from a vocabulary of V, the end of an ID among them."""

    start_token = EOS  # its vector is never read

    def __init__(self, vocabulary: int, depth: int, config: DecoderConfig) -> None:
        super().__init__()
        width = config.width
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.zeros(depth, width))
        self.blocks = nn.ModuleList(_Block(width, config.inner * width, config.dropout) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, vocabulary, bias=False)
        nn.init.normal_(self.tokens.weight, 0.0, 0.05)

    @property
    def head(self) -> Tensor:
        """Weights of the output [V, D]."""
        return self.output.weight

    def source(self, encoded: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return the states [B, D] of encoded [B, 1, D]."""
        return encoded[:, 0]

    def step(
        self, tokens: Tensor, source: Tensor, past: Prefix | None = None, parents: Tensor | None = None
    ) -> tuple[Tensor, Prefix]:
        """Read one more token per beam: tokens [B, R] -> hidden states for the head [B, R, D], and the new prefixes.

        parents [B * R] are rows of `past`, the beam that each beam continues (None: the same row).
        """
        batch, beams = tokens.shape
        if past is None:
            prefix = Prefix(source.new_zeros(batch * beams, source.shape[1]), 0)
        else:
            before = past.sums if parents is None else past.sums[parents]
            prefix = Prefix(before + self.tokens(tokens.flatten()), past.length + 1)
        z = source[:, None] + prefix.sums.view(batch, beams, -1) + self.positions[prefix.length]
        return self.decode(z), prefix

    def decode(self, z: Tensor) -> Tensor:
        """Return the hidden states for the head, of any shape [.., D]."""
        for block in self.blocks:
            z = block(z)
        hidden: Tensor = self.norm(z)
        return hidden

    def loss(self, states: Tensor, items: Tensor, tensors: TrieTensors, smoothing: float = 0.0) -> Tensor:
        """Return -log P(item | state), the mean over n targets; states [n, D], items int64 [n].

        With `smoothing` each step's target gives this share to all codes that its prefix allows, evenly.
        """
        paths = tensors.paths[items]  # [n, depth + 1]
        prefix = torch.zeros_like(states)
        rows, inputs = [], []
        for depth in range(tensors.depth):
            nodes = paths[:, depth]
            open_rows = torch.nonzero((nodes >= 0) & (tensors.items_below[nodes] > 1))[:, 0]
            rows.append(open_rows)
            inputs.append((states + prefix).index_select(0, open_rows) + self.positions[depth])
            read = tensors.tokens_into(paths[:, depth + 1])
            prefix = prefix + nn.functional.embedding(read, self.tokens.weight)
        hidden = torch.split(self.decode(torch.cat(inputs)), [len(part) for part in rows])
        total = 0.0 * states.sum()  # a loss also where no step of any target is open
        for depth, (part, chosen) in enumerate(zip(hidden, rows, strict=True)):
            if len(chosen):
                nodes, following = paths[chosen, depth], paths[chosen, depth + 1]
                total = total + self._step_loss(part, nodes, following, depth, tensors, smoothing)
        return total / max(len(items), 1)

    def _step_loss(
        self, hidden: Tensor, nodes: Tensor, following: Tensor, depth: int, tensors: TrieTensors, smoothing: float
    ) -> Tensor:
        """Return the summed loss of one step from nodes [m] of one depth to the nodes that follow."""
        low, high = tensors.code_columns[depth]
        distinct, row = torch.unique(nodes, return_inverse=True)  # at the first depth all are the root
        children = tensors.columns(tensors.children(distinct).tokens, depth)
        allowed = torch.zeros((len(distinct), high - low + 1), dtype=torch.bool, device=nodes.device)
        allowed = allowed.scatter_(1, children, True).index_select(0, row)
        target = tensors.columns(tensors.tokens_into(following), depth)
        columns = torch.cat([self.head[low:high], self.head[EOS : EOS + 1]])
        return allowed_softmax(hidden, columns, allowed, target, smoothing)


class _Block(nn.Module):
    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, inner), nn.Linear(inner, width)
        self.dropout = Dropout(dropout)

    def forward(self, z: Tensor) -> Tensor:
        out: Tensor = z + self.dropout(self.outer(nn.functional.gelu(self.inner(self.norm(z)))))
        return out
