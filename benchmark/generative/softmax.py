"""Cross entropy over the codes that a trie allows, with its gradient taken in the same pass.

    -sum_k y_k log softmax(h C^T)_k  over the allowed k,   y = (1 - e) [target] + e / (number allowed)

Shapes: hidden h [n, D], columns C [K, D] (the head's rows of one position), allowed bool [n, K], target int64 [n].
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _AllowedSoftmax(torch.autograd.Function):
    """Holds the logits once: the plain way writes and reads [n, K] about eight times.

    Matrix products follow the precision of autocast, everything else is float32.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, columns: Tensor, allowed: Tensor, target: Tensor, smoothing: float) -> Tensor:
        device = hidden.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else columns.dtype
        with torch.autocast(device, enabled=False):
            low, low_columns = hidden.to(dtype), columns.to(dtype)
            logits = (low @ low_columns.T).to(columns.dtype).masked_fill_(~allowed, -torch.inf)
            logits.sub_(logits.amax(1, keepdim=True))
            at_target = logits.gather(1, target[:, None])
            if smoothing:
                share = smoothing / allowed.sum(1, keepdim=True)
                at_allowed = logits.masked_fill(~allowed, 0.0).sum(1, keepdim=True)
            gradient = logits.exp_()
            total = gradient.sum(1, keepdim=True)
            log_total = total.log()
            loss = (log_total - at_target).sum() * (1 - smoothing)
            if smoothing:
                loss = loss + (smoothing * log_total - share * at_allowed).sum()
            gradient.div_(total)
            gradient.scatter_add_(1, target[:, None], torch.full_like(log_total, smoothing - 1.0))
            if smoothing:
                gradient -= share * allowed
            low_gradient = gradient.to(dtype)
            ctx.save_for_backward(low_gradient @ low_columns, low_gradient.T @ low)
            ctx.dtypes = hidden.dtype, columns.dtype
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        hidden_grad, columns_grad = ctx.saved_tensors
        hidden_dtype, columns_dtype = ctx.dtypes
        return hidden_grad.to(hidden_dtype) * grads[0], columns_grad.to(columns_dtype) * grads[0], None, None, None


def allowed_softmax(hidden: Tensor, columns: Tensor, allowed: Tensor, target: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the cross entropy, summed over the n rows; every row must allow its target."""
    loss: Tensor = _AllowedSoftmax.apply(hidden, columns, allowed, target, smoothing)  # type: ignore[no-untyped-call]
    return loss
