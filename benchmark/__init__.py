"""A benchmark and baselines suite for semantic indexers.

    import benchmark
    results = benchmark.run(methods=["lmindexer", "rqvae"], dataset="demo", seeds=[0, 1])
    results.to_frame(); results.table("search"); results.compare("lmindexer", "rqvae")

What `__all__` names is the public interface; each name is imported on its first use, so that `import benchmark` is
fast and needs no torch. The rooms `methods/`, `datasets/` and `reports/` lie beside this folder in a checkout, and
links lead to them from here: `benchmark` is the one import package.
"""

import importlib
from typing import TYPE_CHECKING, Any

from benchmark.threads import limit_threads
from benchmark.version import __version__

if TYPE_CHECKING:
    from benchmark.api.compare import compare
    from benchmark.api.datasets import open_dataset
    from benchmark.api.reproduce import reproduce
    from benchmark.api.results import Results, load_results
    from benchmark.api.run import run
    from benchmark.api.score import score
    from benchmark.api.tune import tune
    from benchmark.types.codes import Codes
    from benchmark.types.data import Corpus, Histories, QuerySet
    from benchmark.types.method import Context, Indexer, Recommender, Retriever
    from benchmark.types.rankings import Rankings

limit_threads()  # libraries read it once, when they are loaded

_HOMES = {
    "run": "api.run", "compare": "api.compare", "reproduce": "api.reproduce",
    "score": "api.score", "tune": "api.tune",
    "load_results": "api.results", "Results": "api.results", "open_dataset": "api.datasets",
    "Indexer": "types.method", "Retriever": "types.method", "Recommender": "types.method", "Context": "types.method",
    "Codes": "types.codes", "Corpus": "types.data", "Histories": "types.data", "QuerySet": "types.data",
    "Rankings": "types.rankings",
}  # fmt: skip
_MODULES = ("methods", "datasets", "reports", "hf")  # `benchmark.hf` is IDs for Hugging Face generate

__all__ = [
    "Codes", "Context", "Corpus", "Histories", "Indexer", "QuerySet", "Rankings", "Recommender", "Results",
    "Retriever", "__version__", "compare", "load_results", "open_dataset", "reproduce", "run", "score", "tune",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"benchmark.{_HOMES[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"benchmark.{name}")
    raise AttributeError(f"module 'benchmark' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
