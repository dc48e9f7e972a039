"""Stages are whole or absent; their keys follow what decides them and nothing else."""

import errno
import importlib
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from benchmark.code_version import _read_code, code_of, code_version, folder_version
from benchmark.errors import BenchmarkError
from benchmark.files import digest
from benchmark.running.store import Store


def _make(folder: Path, work: Path) -> dict[str, Any]:
    (folder / "x.txt").write_text("whole")
    return {"parameters": 3}


def test_a_stage_is_built_once(tmp_path: Path) -> None:
    store, calls = Store(tmp_path), []

    def make(folder: Path, work: Path) -> dict[str, Any]:
        calls.append(1)
        return _make(folder, work)

    stage = store.stage("ids", {"a": 1})
    assert not stage.done
    store.build(stage, make, device="cpu")
    store.build(store.stage("ids", {"a": 1}), make, device="cpu")
    assert calls == [1]
    assert (stage.final / "x.txt").read_text() == "whole"
    assert stage.cost()["facts"] == {"parameters": 3} and stage.cost()["resumed"] is False
    assert not stage.work.exists()


def test_a_failed_stage_leaves_only_its_work_folder(tmp_path: Path) -> None:
    store = Store(tmp_path)
    stage = store.stage("ids", {"a": 1})

    def fail(folder: Path, work: Path) -> dict[str, Any]:
        (folder / "half.txt").write_text("half")
        (work / "checkpoint").write_text("kept")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.build(stage, fail, device="cpu")
    assert not stage.done
    left = {path.name for path in stage.final.parent.iterdir()}
    assert left == {stage.work.name, f"{stage.key}.lock"}
    assert (stage.work / "checkpoint").read_text() == "kept"
    store.build(stage, _make, device="cpu")
    assert stage.cost()["resumed"] is True


@pytest.mark.parametrize("name", ["x.txt", "cost.json", ".seal.json"])
@pytest.mark.parametrize("content", ["", "whol", "other", "{}"])
def test_a_damaged_stage_counts_as_absent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, content: str
) -> None:
    stage = Store(tmp_path).build(Store(tmp_path).stage("ids", {}), _make, device="cpu")
    (stage.final / name).write_text(content)
    store = Store(tmp_path)
    with caplog.at_level("WARNING"):
        assert not store.has(stage)
        assert store.build(stage, _make, device="cpu").done
    assert (stage.final / "x.txt").read_text() == "whole" and stage.cost()["facts"] == {"parameters": 3}
    assert [str(stage.final) in message for message in caplog.messages] == [True]


def test_a_stage_of_another_key_counts_as_absent(tmp_path: Path) -> None:
    store = Store(tmp_path)
    other = store.build(store.stage("ids", {"a": 1}), lambda folder, work: {}, device="cpu")
    stage = store.stage("ids", {"a": 2})
    shutil.copytree(other.final, stage.final)
    store.build(stage, _make, device="cpu")
    assert (stage.final / "x.txt").read_text() == "whole"


def test_the_work_folder_of_a_process_that_was_killed_after_its_stage_was_whole_goes(tmp_path: Path) -> None:
    stage = Store(tmp_path).build(Store(tmp_path).stage("ids", {}), _make, device="cpu")
    stage.work.mkdir()
    assert Store(tmp_path).build(stage, _make, device="cpu").done and not stage.work.exists()


def test_side_by_side_builders_make_a_stage_once(tmp_path: Path) -> None:
    store, calls = Store(tmp_path), []

    def slow(folder: Path, work: Path) -> dict[str, Any]:
        calls.append(1)
        (work / "checkpoint").write_text("mine")
        time.sleep(0.2)
        assert (work / "checkpoint").read_text() == "mine"
        return _make(folder, work)

    stage = store.stage("ids", {"a": 1})
    with ThreadPoolExecutor(4) as pool:
        built = [pool.submit(store.build, stage, slow, device="cpu") for _ in range(4)]
    assert all(future.result().done for future in built)
    assert calls == [1]


def test_a_model_folder_that_changes_is_another_model(tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("one")
    first = folder_version(str(tmp_path))
    assert folder_version(str(tmp_path)) == first is not None
    (tmp_path / "weights").write_text("other")
    assert folder_version(str(tmp_path)) not in (first, None)
    assert folder_version("bert-base-uncased") is None


def test_a_full_disk_is_one_clear_message(tmp_path: Path) -> None:
    def full(folder: Path, work: Path) -> dict[str, Any]:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(BenchmarkError, match="the disk is full: stage 'ids'"):
        Store(tmp_path).build(Store(tmp_path).stage("ids", {}), full, device="cpu")


def test_keys_ignore_the_order_and_see_every_value() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert len({digest({"a": 1}), digest({"a": 2}), digest({"a": [1]}), digest({"b": 1})}) == 4


def test_code_version_sees_code_and_imports_but_no_comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "sample_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))

    def version(main: str, helper: str) -> str:
        (package / "main.py").write_text(main)
        (package / "helper.py").write_text(helper)
        code_of.cache_clear()
        _read_code.cache_clear()
        importlib.invalidate_caches()
        sys.modules.pop("sample_package.main", None)
        return code_version(importlib.import_module("sample_package.main"))

    main = "from sample_package.helper import f\n\ndef g():\n    return f()\n"
    helper = "def f():\n    return 1\n"
    first = version(main, helper)
    assert version("# a comment\n" + main, '"""Doc."""\n' + helper) == first
    assert version(main.replace("return f()", '"""Doc."""\n    return f()'), helper) == first
    assert version(main, helper.replace("1", "2")) != first
    assert version(main.replace("f()", "f() + 1"), helper) != first


def test_code_that_cannot_be_found_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "lone_module.py").write_text("def f():\n    from lone_module.gone import g\n    return g\n")
    module = importlib.import_module("lone_module")
    with pytest.raises(BenchmarkError, match=r"lone_module\.gone"):
        code_version(module.f)
    with pytest.raises(BenchmarkError, match=r"builtins"):
        code_version(len)
