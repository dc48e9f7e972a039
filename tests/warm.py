"""Imports what the commands import and reads the suite's code, so that what is forked from here starts at once."""

import gc
import importlib
import warnings

from benchmark.code_version import code_version

MODULES = (
    "accelerate", "pyarrow.pandas_compat", "pyarrow.parquet", "rich.console", "scipy.stats", "sentence_transformers",
    "sklearn.metrics", "benchmark.api.run", "benchmark.cli.run", "benchmark.datasets.planted",
    "benchmark.running.record", "benchmark.tuning.space",
)  # fmt: skip

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    for name in MODULES:
        importlib.import_module(name)
code_version(importlib.import_module("benchmark.running.runner"))
gc.freeze()  # what is imported lives for good: the garbage collector need not look at it again
