"""A benchmark and baselines suite for semantic indexers.

The rooms `methods/`, `datasets/` and `reports/` lie beside this folder in a checkout, and links lead to them from here:
`benchmark` is the one import package.
"""

import os

# OpenMP threads that wait for work must not spin: beside other processes, spinning makes a small training step up to
# eight times slower. Read once, when torch loads OpenMP, so it is set before anything else; the user's choice counts.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
