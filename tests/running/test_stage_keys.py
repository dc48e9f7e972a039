"""The key of a stage follows the code that the stage runs: seen by running it, and by changing one module at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import FAST

from benchmark import code_version as versions
from benchmark import config
from benchmark.api.run_request import RunRequest
from benchmark.cli.parsing import parse_settings
from benchmark.learning import encoders
from benchmark.running.runner import Runner
from benchmark.running.stages import Stages
from benchmark.running.store import Store

pytestmark = pytest.mark.usefixtures("small_encoder")

# What finds, locks, times and names stages, or looks on: none of it touches a number of a stage's result.
AROUND = {
    "benchmark.running.runner", "benchmark.running.stages", "benchmark.running.store", "benchmark.code_version",
    "benchmark.running.memory", "benchmark.running.cells", "benchmark.api.run", "benchmark.files", "benchmark.errors",
    "benchmark.types.facts", "benchmark.learning.processes", "benchmark.learning.devices", "benchmark.version",
    "benchmark", "benchmark.methods", "benchmark.registry", "benchmark.running.progress", "benchmark.durations",
    "benchmark.streams", "benchmark.locks", "benchmark.sealing", "benchmark.running.failures",
}  # fmt: skip
METHODS = ("rqkmeans", "hc", "rqvae", "lmindexer", "tiger", "random", "category", "bm25", "item-knn", "popularity",
           "sasrec", "dual-encoder", "text=rqkmeans")  # fmt: skip
SETTINGS = {
    **parse_settings(FAST[1::2]),
    "rqkmeans.codebook_size": 8, "text.codebook_size": 8, "rqkmeans.levels": 2, "text.levels": 2,
    "text.generative.recommendation.reader": "text", "text.generative.search.reader": "text",
    "rqvae.training.steps": 5, "rqvae.training.epochs": 0, "sasrec.training.epochs": 1, "sasrec.max_length": 5,
    "tiger.generative.ids.d_model": 32, "tiger.generative.ids.heads": 2, "tiger.training.steps": 5,
    "lmindexer.frozen_layers": 1,
}  # fmt: skip


def request(shop: Path, runs: Path) -> RunRequest:
    return RunRequest(
        str(shop), methods=METHODS, preset="tiny", settings=SETTINGS, runs=runs, device="cpu", queries="judged"
    )


@pytest.fixture(scope="module")
def ran(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunRequest, dict[str, set[str]]]:
    """Everything run once, and the suite's modules that each stage's making ran, by the stage's key."""
    asked = request(shop, tmp_path_factory.mktemp("runs"))
    seen: dict[str, set[str]] = {}
    write = Store._write

    def traced(store: Store, stage: Any, make: Callable[..., Any], device: str) -> Any:
        def watched(folder: Path, work: Path) -> Any:
            with watching(seen.setdefault(stage.key, set())):
                return make(folder, work)

        return write(store, stage, watched, device)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "_write", traced)
        failures = Runner(asked.plan(), asked.store).run()
    assert not failures, [failure.reason for failure in failures]
    return asked, seen


@contextmanager
def watching(modules: set[str]) -> Iterator[None]:
    """Collect the names of the suite's modules whose functions are called."""
    before = sys.getprofile()

    def look(frame: Any, event: str, _: Any) -> None:
        name = frame.f_globals.get("__name__", "")
        if event == "call" and name.partition(".")[0] == "benchmark" and frame.f_code.co_name != "<module>":
            modules.add(name)

    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(before)


def keys(asked: RunRequest) -> dict[str, str]:
    """Return the key of every stage, by a name that does not depend on code."""
    plan = asked.plan()
    found = Stages(plan, asked.store)
    return {
        f"{cell.variant.label}/{cell.task}/{number}/{stage.name}": stage.key
        for cell in plan.cells
        for number, stage in enumerate(found.of(cell))
    }


def changed(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the code of one module be another."""
    code_of = versions.code_of

    def other(root: str) -> dict[str, str]:
        code = dict(code_of(root))
        return code | {module: "changed"} if module in code else code

    monkeypatch.setattr(versions, "code_of", other)


def test_each_stage_depends_on_every_module_that_it_runs(ran, monkeypatch):
    asked, seen = ran
    monkeypatch.setattr(config, "_read_file", cache(config._read_file))  # the presets, for each of many modules
    before = keys(asked)
    stages_of = {key: [name for name, own in before.items() if own == key] for key in seen}
    kinds = {name.rpartition("/")[2] for names in stages_of.values() for name in names}
    assert kinds >= {"encode", "ids", "train.recommendation", "train.search", "rank.recommendation", "rank.search"}
    run_by: dict[str, set[str]] = {}  # module -> keys of the stages that run it
    for key, modules in seen.items():
        for module in modules - AROUND:
            run_by.setdefault(module, set()).add(key)
    assert len(run_by) > 50
    missed = []
    for module, own in run_by.items():
        with monkeypatch.context() as patch:
            changed(module, patch)
            after = keys(asked)
        missed += [f"{name} runs {module}" for name, key in before.items() if key in own and after[name] == key]
    assert not missed


@pytest.mark.parametrize(
    "module", ["benchmark.cli.run", "benchmark.api.run", "benchmark.reports.tables.filling", "benchmark.fetching.get",
               "benchmark.datasets.amazon", "benchmark.verification.verify", "benchmark.metrics.significance"],
)  # fmt: skip
def test_a_module_of_another_room_changes_no_key(ran, monkeypatch, module):
    asked, _ = ran
    before = keys(asked)
    changed(module, monkeypatch)
    assert keys(asked) == before


def test_one_executable_line_changes_a_key_and_a_comment_or_docstring_does_not(ran, monkeypatch, tmp_path):
    asked, _ = ran
    before = keys(asked)
    source = Path(encoders.__file__)
    copy = tmp_path / source.name
    find = versions._source

    def with_text(text: str) -> dict[str, str]:
        copy.write_text(text)
        versions.code_of.cache_clear()
        versions._read_code.cache_clear()
        try:
            with monkeypatch.context() as patch:
                patch.setattr(versions, "_source", lambda name: copy if name == encoders.__name__ else find(name))
                return keys(asked)
        finally:
            versions.code_of.cache_clear()

    text = source.read_text()
    assert with_text("# another comment\n" + text.replace('"""Text encoders:', '"""Encoders of text:')) == before
    other = with_text(text.replace("BATCH = 64", "BATCH = 65"))
    differ = {name.rpartition("/")[2] for name in before if other[name] != before[name]}
    assert {"encode", "ids", "train.recommendation", "train.search"} <= differ


def test_a_generated_data_set_depends_on_every_file_of_its_package(tmp_path, monkeypatch):
    import shutil

    from benchmark.data import dataset
    from benchmark.datasets import planted

    copy = tmp_path / "planted"
    shutil.copytree(Path(planted.__file__).parent, copy)
    monkeypatch.setattr(dataset.inspect, "getfile", lambda _: str(copy / "__init__.py"))
    before = dataset.make_builder("demo").key()
    files = [path for path in copy.rglob("*") if path.suffix in (".py", ".toml")]
    assert len(files) >= 5
    for file in files:
        text = file.read_text()
        file.write_text(text + "\n")
        assert dataset.make_builder("demo").key() != before, file
        file.write_text(text)
    assert dataset.make_builder("demo").key() == before


def test_helpers_that_were_installed_with_a_plugin_are_part_of_its_code(tmp_path, monkeypatch):
    (tmp_path / "plugin_one.py").write_text("import plugin_helper\n\ndef f():\n    return plugin_helper.g()\n")
    (tmp_path / "plugin_helper.py").write_text("def g():\n    return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    together = {"plugin_one": ["dist"], "plugin_helper": ["dist"], "numpy": ["numpy"]}
    monkeypatch.setattr(versions, "packages_distributions", lambda: together)
    versions._same_distribution.cache_clear()
    assert set(versions.code_of("plugin_one")) == {"plugin_one", "plugin_helper"}


def test_a_folder_that_is_named_like_a_model_changes_no_key(ran, monkeypatch, tmp_path):
    asked, _ = ran
    before = keys(asked)
    monkeypatch.chdir(tmp_path)
    for name in ("scratch", "default"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "notes.txt").write_text("nothing to do with a model")
    assert keys(asked) == before
