"""What an indexer hands over to fine-tuning: the vectors of its codes and, where it has learned one, its T5.

    FOLDER/codes.npz    position0, position1, ..: float32 [K_t, D], row c is the vector of code c at position t
    FOLDER/t5/          model and tokenizer in Hugging Face's layout; without code tokens, d_model = D

Source: LMIndexer, section 3.4: the semantic encoder, its codebooks written into the vocabulary, is fine-tuned on the
downstream tasks. An indexer calls `save_start` in its `hand_over`; `benchmark.generative.backbone` reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.contracts import Float32
from benchmark.errors import BenchmarkError


@dataclass(frozen=True)
class Start:
    """Code vectors of all learned positions, one below the other, and the folder of the learned T5 (None: no T5)."""

    rows: Float32  # [K_0 + K_1 + .., D]
    t5: Path | None


def save_start(folder: Path, rows: Sequence[Float32], model: Any = None, tokenizer: Any = None) -> None:
    """Write the code vectors of the first positions (rows[t]: [K_t, D]) and, if there is one, a T5 with its tokenizer.

    A T5 takes the place of the fine-tuning's own backbone; its vocabulary must have no code tokens yet. Without one
    the vectors are fitted to the backbone (see `fitted`). Raises BenchmarkError when the shapes do not go together.
    """
    widths = {array.shape[1] if array.ndim == 2 else None for array in rows}
    if len(widths) != 1 or None in widths:
        shapes = ", ".join(str(array.shape) for array in rows)
        raise BenchmarkError(f"hand-over: one array [codes, width] per position is needed, not {shapes or 'none'}")
    if not all(np.isfinite(array).all() for array in rows):
        raise BenchmarkError("hand-over: a code vector is not finite")
    if (model is None) != (tokenizer is None):
        raise BenchmarkError("hand-over: a T5 and its tokenizer go together")
    if model is not None and model.config.d_model not in widths:
        raise BenchmarkError(f"hand-over: the T5 has d_model {model.config.d_model}, the code vectors {widths.pop()}")
    folder.mkdir(parents=True)
    arrays: dict[str, Any] = {f"position{t}": np.asarray(array, np.float32) for t, array in enumerate(rows)}
    np.savez(folder / "codes.npz", **arrays)
    if model is not None:
        from benchmark.generative.backbone import save  # needs torch, which this module does not

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


def fitted(rows: Float32, width: int, deviation: float) -> Float32:
    """Return code vectors [n, D] of another model as rows [n, width] of a table with this standard deviation.

    Another width is reached along the principal directions, the strongest first, with zeros where `rows` have fewer;
    the largest entry of a direction is positive, so that the signs are no accident. The scale is the table's: how long
    another model's vectors are says nothing here.
    """
    values = rows.astype(np.float64)
    if values.shape[1] != width:
        centred = values - values.mean(axis=0)
        directions = np.linalg.svd(centred, full_matrices=False)[2][:width]
        largest = np.abs(directions).argmax(axis=1, keepdims=True)
        directions = directions * np.sign(np.take_along_axis(directions, largest, axis=1))
        values = np.zeros((len(rows), width))
        values[:, : len(directions)] = centred @ directions.T
    spread = max(float(values.std()), float(np.finfo(np.float32).tiny))  # equal rows have no scale
    return (values * (deviation / spread)).astype(np.float32)
