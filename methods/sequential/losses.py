"""Softmax losses over the item table: all items, or sampled ones with the logQ correction.

    full      -s(p) + log sum_j exp s(j)                                                      s(j) = h . w_j + b_j
    sampled   -s(p) + log( exp s(p) + sum_{negatives j != p} exp( s(j) - log(K q_j) ) )       j ~ q, K times

The sampled sum is an unbiased estimate of the full one over all items but the target p: a negative that is drawn K q_j
times on average is weighed down by that (importance sampling: Bengio and Senecal, IEEE TNN 2008; "logQ" since Yi et
al., RecSys 2019). The target itself is always there, not drawn, so that it is not corrected.

Shapes: h [n, dim], the table w [n_items, dim], b [n_items], targets [n]. Both return the mean over the n positions.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

CELLS = {"cpu": 2**21, "cuda": 2**27}  # logits held at once; on a CPU they stay in its cache
ROWS = 64  # positions at once at least, or the table would be read too often


class _FullSoftmax(torch.autograd.Function):
    """Cross entropy that never holds all logits: each chunk's gradient is taken while the chunk is there.

    The plain way writes and reads [n, n_items] about eight times. Matrix products follow the precision of autocast,
    everything else is float32.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, table: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
        device, n = states.device.type, len(states)
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else table.dtype
        with torch.autocast(device, enabled=False):
            low, low_table = states.to(dtype), table.to(dtype)
            exact = table.dtype
            states_grad, table_grad = states.new_empty(states.shape, dtype=exact), torch.zeros_like(table)
            bias_grad, loss = torch.zeros_like(bias), torch.zeros((), dtype=exact, device=states.device)
            size = max(ROWS, CELLS.get(device, 2**27) // len(table))
            for rows in (slice(start, start + size) for start in range(0, n, size)):
                logits = (low[rows] @ low_table.T).to(exact).add_(bias)
                target = targets[rows, None]
                largest = logits.amax(1, keepdim=True)
                loss -= (logits.gather(1, target) - largest).sum()
                share = logits.sub_(largest).exp_()
                total = share.sum(1, keepdim=True)
                loss += total.log().sum()
                share.div_(total).scatter_add_(1, target, -torch.ones_like(total))
                bias_grad += share.sum(0)
                low_share = share.to(dtype)
                states_grad[rows] = (low_share @ low_table).to(exact)
                table_grad += low_share.T @ low[rows]
        ctx.save_for_backward(states_grad.to(states.dtype), table_grad, bias_grad)
        ctx.n = n
        return loss / n

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        states_grad, table_grad, bias_grad = ctx.saved_tensors
        scale = grads[0] / ctx.n
        return states_grad * scale, table_grad * scale, bias_grad * scale, None


def full_softmax(states: Tensor, table: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
    """Return the cross entropy of the targets among all items."""
    loss: Tensor = _FullSoftmax.apply(states, table, bias, targets)  # type: ignore[no-untyped-call]
    return loss


def sampled_softmax(
    states: Tensor, table: Tensor, bias: Tensor, targets: Tensor, negatives: Tensor, expected: Tensor
) -> Tensor:
    """Return the cross entropy of the targets among themselves and the negatives [K].

    `expected` [K] is how often each negative is drawn on average, K q_j. A negative that is the target of a position
    does not count there.
    """
    positive = (states * functional.embedding(targets, table)).sum(1) + bias.index_select(0, targets)
    logits = states @ functional.embedding(negatives, table).T + (bias.index_select(0, negatives) - expected.log())
    logits = logits.masked_fill(targets[:, None] == negatives, -torch.inf)
    logits = torch.cat([positive[:, None], logits], dim=1).float()
    return functional.cross_entropy(logits, torch.zeros_like(targets))
