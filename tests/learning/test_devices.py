"""Which device `auto` is: the GPU that PyTorch sees; a build without CUDA is not even loaded to be asked."""

import subprocess
import sys
from importlib.metadata import version

import pytest

from benchmark.learning import devices


@pytest.mark.parametrize(("build", "seen", "due"), [
    ("2.13.0+cpu", True, "cpu"), ("2.13.0+cu130", True, "cuda:0"), ("2.13.0", True, "cuda:0"), ("2.13.0", False, "cpu"),
])  # fmt: skip
def test_auto_is_the_gpu_where_there_is_one(monkeypatch, build, seen, due):
    monkeypatch.setattr(devices, "version", lambda name: {"torch": build}[name])
    monkeypatch.setattr("torch.cuda.is_available", lambda: seen)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert devices.choose_device("auto") == due


@pytest.mark.skipif(not version("torch").endswith("+cpu"), reason="this build of PyTorch may see a GPU")
def test_a_build_without_cuda_is_not_loaded():
    code = (
        "import sys; from benchmark.learning.devices import choose_device\n"
        "print(choose_device('auto'), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["cpu", "False"]
