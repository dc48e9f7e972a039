"""Initial weights that an indexer has learned: the vectors of its codes and, where it has one, the T5 around them.

    FOLDER/codes.npz    position0, position1, ..: float32 [K_t, d_model], row c is the vector of code c at position t
    FOLDER/t5/          model and tokenizer in Hugging Face's layout, without code tokens; only where it is a T5

Source: LMIndexer, section 3.4: the semantic encoder, its codebooks written into the vocabulary, is fine-tuned on the
downstream tasks. An indexer calls `save_start` in its `save_initial_weights`.

A T5 takes vectors only together with the T5 that they were learned in: in another model they are not where its own
words are. The reader `items` has no words and can take them alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.types.arrays import Float32


@dataclass(frozen=True)
class Start:
    """Code vectors of all learned positions, one below the other, and the folder of the learned T5."""

    rows: Float32  # [K_0 + K_1 + .., width]
    t5: Path | None


def save_start(folder: Path, rows: Sequence[Float32], model: Any = None, tokenizer: Any = None) -> None:
    """Write the code vectors of the first positions (rows[t]: [K_t, width]) and, if any, a T5 with its tokenizer.

    The T5 takes the place of the fine-tuning's own backbone; its vocabulary must have no code tokens yet, and its
    d_model is the vectors' width.
    Raises BenchmarkError when the shapes do not go together.
    """
    widths = {array.shape[1] if array.ndim == 2 else None for array in rows}
    if len(widths) != 1 or None in widths:
        shapes = ", ".join(str(array.shape) for array in rows)
        raise BenchmarkError(f"hand-over: one array [codes, width] per position is needed, not {shapes or 'none'}")
    if not all(np.isfinite(array).all() for array in rows):
        raise BenchmarkError("hand-over: a code vector is not finite")
    if model is not None and model.config.d_model not in widths:
        raise BenchmarkError(f"hand-over: the T5 has d_model {model.config.d_model}, the code vectors {widths.pop()}")
    folder.mkdir(parents=True)
    arrays: dict[str, Any] = {f"position{t}": np.asarray(array, np.float32) for t, array in enumerate(rows)}
    np.savez(folder / "codes.npz", **arrays)
    if model is not None:
        from benchmark.generative.t5 import save

        save(folder / "t5", model, tokenizer)


def load_start(folder: Path, sizes: tuple[int, ...]) -> Start | None:
    """Return what was handed over in the folder; None where there is no folder.

    `sizes` are the codebook sizes of the IDs before the dedup counter; the vectors may cover the first positions only.
    Raises BenchmarkError when they belong to other codebooks.
    """
    if not folder.is_dir():
        return None
    try:
        with np.load(folder / "codes.npz") as saved:
            rows = [saved[f"position{t}"] for t in range(len(saved.files))]
    except (OSError, KeyError) as error:
        raise BenchmarkError(
            f"hand-over: {folder} has no codes.npz that `benchmark.generative.start.save_start` wrote ({error})"
        ) from error
    found = tuple(len(array) for array in rows)
    if found != sizes[: len(found)]:
        raise BenchmarkError(f"hand-over: vectors for codebooks of sizes {found} do not fit IDs of sizes {sizes}")
    t5 = folder / "t5"
    return Start(np.concatenate(rows), t5 if t5.is_dir() else None)
