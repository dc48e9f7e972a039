"""The public Python interface: what docs/python.md and the notebook show, and the same numbers as the command line."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FAST

import benchmark
from benchmark.cli.main import main
from benchmark.cli.parsing import parse_settings
from benchmark.errors import BenchmarkError
from benchmark.registry import load
from benchmark.results.result_files import load_results

pytestmark = pytest.mark.usefixtures("small_encoder")

ROOT = Path(__file__).parents[2]
SETTINGS = {"rqkmeans.codebook_size": 8, "rqkmeans.levels": 2, **parse_settings(FAST[1::2])}


@pytest.fixture(scope="module")
def results(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    runs = tmp_path_factory.mktemp("runs")
    return benchmark.run("rqkmeans,popularity", shop, seeds=[0, 1], settings=SETTINGS, runs=runs, quiet=True)


def test_python_and_the_command_line_make_the_same_cells(shop, results, capsys):
    settings = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]
    words = ["run", "--methods", "rqkmeans,popularity", "--dataset", str(shop), "--seeds", "0,1", *settings]
    assert main([*words, "--runs", str(results.runs), "--dry-run"]) == 0
    assert "0 of 8 cells to compute" in capsys.readouterr().out


def test_seeds_may_be_numbers_of_numpy(shop, results):
    again = benchmark.run(
        "rqkmeans,popularity", shop, seeds=np.arange(2), settings=SETTINGS, runs=results.runs, quiet=True
    )
    assert [result.folder for result in again] == [result.folder for result in results]


def test_the_frame_holds_every_number_of_the_result_files(results):
    frame = results.to_frame()
    for result in load_results(results.runs):
        for task, values in result.metrics.items():
            chosen = frame[(frame.label == result.label) & (frame.seed == result.seed) & (frame.task == task)]
            assert dict(zip(chosen.metric, chosen.value, strict=True)) == dict(values)
    assert len(frame) == sum(len(values) for result in results for values in result.metrics.values())


def test_tables_print_and_render_and_say_the_same(results, capsys):
    table = results.table("recommendation")
    assert main(["report", "--runs", str(results.runs), "--tables", "recommendation"]) == 0
    assert capsys.readouterr().out == f"{table}\n"
    html = table._repr_html_()
    numbers = set(re.findall(r"\d\.\d{4}", str(table)))
    assert numbers and numbers <= set(re.findall(r"\d\.\d{4}", html)) and html.count("<table>") == 1
    with pytest.raises(ValueError, match="Did you mean 'search'"):
        results.table("serch")


def test_a_comparison_prints_what_the_command_prints(shop, results, capsys):
    compared = results.compare("rqkmeans", "popularity", task="recommendation")
    assert main(["compare", "rqkmeans", "popularity", "--runs", str(results.runs), "--task", "recommendation"]) == 0
    assert capsys.readouterr().out == f"{compared}\n"
    assert set(compared.to_frame().measure) >= {"R@5", "nDCG@10"}


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"methods": "rqkmean"}, "Did you mean 'rqkmeans'"),
        ({"methods": "rqkmeans", "settings": {"rqkmeans.level": 2}}, "Did you mean 'levels'"),
        ({"methods": "rqkmeans", "settings": {"rqkmeans.levels": -1}}, "rqkmeans.levels"),
        ({"methods": "rqkmeans", "tasks": ["ranking"]}, "unknown task 'ranking'"),
        ({"methods": "rqkmeans", "device": "tpu"}, "auto, cpu or cuda"),
        ({"methods": []}, "name methods"),
        ({"methods": "rqkmeans", "seeds": [0.5]}, "whole numbers"),
    ],
)
def test_a_wrong_argument_is_a_value_error_of_ours(shop, tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        benchmark.run(dataset=shop, runs=tmp_path, quiet=True, **arguments)
    assert isinstance(caught.value, BenchmarkError)


def test_a_cell_that_fails_is_warned_about_and_the_others_are_kept(shop, tmp_path, monkeypatch):
    def fail(self, corpus, context):
        raise BenchmarkError("no category is like another")

    monkeypatch.setattr(load("method", "category"), "fit", fail)
    with pytest.warns(UserWarning, match="failed: category.*no category is like another"):
        found = benchmark.run(
            ["rqkmeans", "category"], shop, tasks="id-quality", settings=SETTINGS, runs=tmp_path, quiet=True
        )
    assert [result.label for result in found] == ["rqkmeans"]
    assert list(found.failures) == ["category, id-quality, seed 0"]


def test_importing_the_package_is_light_and_every_public_name_is_there():
    code = "import benchmark, sys; assert not {'torch', 'numpy', 'pandas'} & set(sys.modules)\n"
    code += "assert all(getattr(benchmark, name) for name in benchmark.__all__); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_there_is_one_import_path():
    for name in ("benchmark.benchmark", "benchmark.tests"):
        done = subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True, text=True)
        assert "ModuleNotFoundError" in done.stderr


def test_an_editor_follows_a_method_in_a_plain_checkout(tmp_path):
    jedi = pytest.importorskip("jedi")
    for module, file in (("methods.rqkmeans", "rqkmeans.py"), ("datasets.amazon", "amazon.py")):
        source = f"import benchmark.{module} as found\nfound"
        project = jedi.Project(ROOT, sys_path=[str(ROOT)])
        (place,) = jedi.Script(source, path=tmp_path / "x.py", project=project).goto(2, 2, follow_imports=True)
        assert place.module_path.name == file and place.module_path.is_file()


def test_the_notebook_and_the_page_on_python_run(tmp_path, monkeypatch, small_demo):
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((ROOT / "tests" / "first_steps.ipynb").read_text())
    space: dict[str, Any] = {}
    shown = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            tree = ast.parse("".join(cell["source"]))
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, "cell", "exec"), space)
            shown.append(eval(compile(ast.Expression(last.value), "cell", "eval"), space) if last else None)
    run, frame, table, compared, (title, code) = shown
    assert len(run) == 4 and set(frame.label) == {"rqkmeans", "random"} and (frame.metric == "AMI").all()
    assert "<table>" in table._repr_html_() and "AMI" in str(compared) and title and code.shape == (4,)
    page = (ROOT / "docs" / "python.md").read_text()
    first, second = re.findall(r"```python\n(.*?)```", page, re.S)
    for block in (first, second):
        exec(compile(block, "python.md", "exec"), space)
    readme = (ROOT / "README.md").read_text()
    assert "\n".join(f"    {line}".rstrip() for line in first.rstrip().splitlines()) in readme
