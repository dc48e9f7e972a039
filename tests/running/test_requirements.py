"""Versions in results, and what `benchmark doctor` says: read from the suite's own metadata."""

import json
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from conftest import FAST

from benchmark.cli import doctor
from benchmark.cli.main import main
from benchmark.errors import BenchmarkError
from benchmark.learning import precision
from benchmark.results.result_files import read_result
from benchmark.running import record, requirements

pytestmark = pytest.mark.usefixtures("small_encoder")

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
NEEDED = [name.partition(">")[0] for name in PROJECT["dependencies"]]
OPTIONAL = PROJECT["optional-dependencies"].items()
EXTRAS = {extra: [name.partition(">")[0] for name in names] for extra, names in OPTIONAL}


@pytest.fixture(autouse=True)
def read_anew() -> None:
    requirements.requirements.cache_clear()


def test_the_requirements_are_those_of_pyproject_toml() -> None:
    found = requirements.requirements()
    assert set(NEEDED) <= {required.name for required in found if not required.extra}
    assert {(required.extra, required.name) for required in found if required.extra} == {
        (extra, name) for extra, names in EXTRAS.items() for name in names
    }


def test_versions_are_of_every_installed_requirement_those_of_extras_too() -> None:
    versions = requirements.installed_versions()
    for name in [*NEEDED, *(name for names in EXTRAS.values() for name in names)]:
        try:
            expected = version(name)
        except PackageNotFoundError:
            assert name not in versions
        else:
            assert versions[name] == expected
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))


def test_another_build_of_faiss_stands_in_for_faiss_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"faiss-gpu-cu12": "1.12.0"}

    def version_of(name: str) -> str:
        if name not in installed:
            raise PackageNotFoundError(name)
        return installed[name]

    declared = ["faiss-cpu>=1.10", 'faiss-gpu-cu12>=1.10; extra == "gpu"', "torch[x]>=2.6 ; python_version > '3'"]
    monkeypatch.setattr(requirements, "requires", lambda name: declared)
    monkeypatch.setattr(requirements, "version", version_of)
    monkeypatch.setattr(requirements, "packages_distributions", lambda: {"faiss": ["faiss-gpu-cu12"]})
    cpu, gpu, torch = requirements.requirements()
    assert (cpu.installed, cpu.version) == (gpu.installed, gpu.version) == ("faiss-gpu-cu12", "1.12.0")
    assert (torch.name, torch.extra, torch.installed) == ("torch", "", "")
    assert requirements.installed_versions()["faiss-gpu-cu12"] == "1.12.0"
    requirements.requirements.cache_clear()


def test_each_task_keeps_the_versions_it_was_made_with(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["run", "--methods", "random", "--dataset", str(shop), "--runs", str(tmp_path), "--device", "cpu", *FAST]
    for number, task in enumerate(("id-quality", "recommendation", "search")):
        monkeypatch.setattr(record, "installed_versions", lambda plugins, n=number: {"torch": f"{n}.0"})
        monkeypatch.setattr(record, "revision", lambda n=number: f"r{n}")
        assert main([*words, "--set", "random.codebook_size=8", "--tasks", task]) == 0
    (path,) = tmp_path.glob("*/*/*/*/result.json")
    content = json.loads(path.read_text())
    tasks = list(content["metrics"])
    assert len(tasks) == 3
    assert content["versions"] == {task: {"torch": f"{n}.0"} for n, task in enumerate(tasks)}
    assert content["revisions"] == {task: f"r{n}" for n, task in enumerate(tasks)}
    assert read_result(path).versions == content["versions"]
    del content["revisions"]
    path.write_text(json.dumps({**content, "versions": {"torch": "2.0"}, "revision": "r"}))
    older = read_result(path)
    assert older.versions == {task: {"torch": "2.0"} for task in tasks}
    assert older.revisions == dict.fromkeys(tasks, "r")


def test_doctor_lists_every_requirement_and_fails_only_for_a_needed_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = main(["doctor"])
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert {*NEEDED, *(name for names in EXTRAS.values() for name in names)} <= set(lines)
    assert code == 0
    lacking = requirements.Requirement("no-such-package", "", "", "")
    monkeypatch.setattr(doctor, "requirements", lambda: (lacking,))
    assert main(["doctor"]) == 1
    assert "MISSING: pip install no-such-package" in capsys.readouterr().out
    optional = requirements.Requirement("no-such-package", "gpu", "", "")
    monkeypatch.setattr(doctor, "requirements", lambda: (optional,))
    assert main(["doctor"]) == 0
    assert "pip install 'lmindexer-benchmark[gpu]'" in capsys.readouterr().out


@pytest.mark.parametrize(("has", "said"), [(True, "cpu yes"), (False, "cpu no: trains in float32 instead")])
def test_doctor_says_whether_the_cpu_has_bfloat16(
    has: bool, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: has)
    main(["doctor"])
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("bfloat16"))
    assert line.split(maxsplit=1)[1].startswith(said)


def test_doctor_names_a_method_that_cannot_be_imported(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(what: str, name: str) -> None:
        raise BenchmarkError(f"the {what} '{name}' cannot be imported: no module")

    monkeypatch.setattr(doctor, "load", load)
    assert main(["doctor"]) == 1
    assert "the method 'rqvae' cannot be imported: no module" in capsys.readouterr().out


def test_reading_the_versions_imports_none_of_the_packages() -> None:
    code = (
        "import sys; from benchmark.running.requirements import installed_versions; installed_versions()\n"
        "sys.exit(', '.join({'torch', 'faiss', 'numpy'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
