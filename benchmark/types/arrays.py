"""Names of the arrays that the suite hands around, and how they are kept from being changed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]


def read_only(record: Any, *, arrays: tuple[str, ...], tuples: tuple[str, ...] = ()) -> None:
    """Make these fields of a frozen dataclass read-only: views that cannot be written to, and tuples.

    Nothing is copied, and the caller's own array can still be written to; a memory-mapped array stays one.
    """
    for name in arrays:
        view = getattr(record, name).view()
        view.setflags(write=False)
        object.__setattr__(record, name, view)
    for name in tuples:
        object.__setattr__(record, name, tuple(getattr(record, name)))
