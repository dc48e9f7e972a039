"""Tensors that are -inf but for a few entries, written anew every step without touching the rest.

A step of decoding under a trie allows some hundred tokens of a row, out of tens of thousands. To fill a new tensor of
-inf for the others costs far more than all that is done for the allowed ones. So a canvas is kept between steps: what
the last step wrote is set back to -inf, and the new entries are written.

It is used again only when nobody can notice: no other tensor may share its memory (generate keeps the scores of every
step where `output_scores` asks for it, and a caller may keep any of them), and nobody may have changed it in place.
Otherwise a new one is made. Two are kept, because generate still holds the last step's when it asks for the next one.
"""

from __future__ import annotations

import torch
from torch import Tensor

KEPT = 2


class Canvas:
    """One tensor of -inf, and what was written on it last."""

    def __init__(self, like: Tensor) -> None:
        self._base = torch.full_like(like, -torch.inf, memory_format=torch.contiguous_format)
        self._alone = _owners(self._base)
        self._columns: Tensor | None = None
        self._version = 0

    def is_free(self, like: Tensor) -> bool:
        """Tell whether it has the shape, type and device of a tensor, and can be written on unnoticed."""
        same = (self._base.shape, self._base.dtype, self._base.device) == (like.shape, like.dtype, like.device)
        return (
            same
            and self._alone is not None
            and _owners(self._base) == self._alone
            and not self._base.is_inference()
            and self._base._version == self._version
        )

    def draw(self, columns: Tensor, values: Tensor) -> Tensor:
        """Return -inf everywhere but for `values` [N, F] in the columns [N, F] of each row."""
        if self._columns is not None:
            self._base.scatter_(1, self._columns, -torch.inf)
        self._base.scatter_(1, columns, values)
        self._columns = columns
        if not self._base.is_inference():
            self._version = self._base._version
        return self._base.detach()


class Canvases:
    """The canvases of one processor; threads may share it, as each takes one out while it draws."""

    def __init__(self) -> None:
        self._kept: list[Canvas] = []

    def draw(self, like: Tensor, columns: Tensor, values: Tensor) -> Tensor:
        """Return a tensor like `like` [N, V] that is -inf but for `values` in the columns of each row."""
        canvas = self._take(like)
        drawn = canvas.draw(columns, values)
        self._kept.append(canvas)
        del self._kept[:-KEPT]
        return drawn

    def _take(self, like: Tensor) -> Canvas:
        for canvas in tuple(self._kept):
            try:
                self._kept.remove(canvas)  # from here on no other thread sees it
            except ValueError:
                continue
            if canvas.is_free(like):
                return canvas
            self._kept.append(canvas)
        return Canvas(like)


def _owners(tensor: Tensor) -> int | None:
    """Return how many tensors share the memory; None where this version of PyTorch does not tell."""
    count = getattr(torch._C, "_storage_Use_Count", None)
    return None if count is None else int(count(tensor.untyped_storage()._cdata))
