"""A benchmark and baselines suite for semantic indexers.

The rooms `methods/`, `datasets/` and `reports/` lie beside this folder in a checkout and install as
`benchmark.methods`, `benchmark.datasets` and `benchmark.reports`.
"""

from pathlib import Path

__version__ = "0.1.0"

_checkout = Path(__file__).resolve().parent.parent
if (_checkout / "pyproject.toml").is_file():  # an editable install or the repository root itself
    __path__.append(str(_checkout))
