"""Every command of the README and of docs/ works as it is written, in one folder, with a small demo and few steps.

What needs a network, minutes or a server that never ends is parsed. Pages with a test of their own are named here.
"""

import argparse
import importlib
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from conftest import FAST
from pages import commands, typed
from products import orders, products

from benchmark.cli.main import COMMANDS, main
from benchmark.registry import load, registered
from benchmark.types.method import Indexer

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text()
OWN_TEST = {  # page -> the test that runs its commands
    page: test for page, test in {
        "clusters.md": "cli/test_docs_clusters.py", "metrics.md": "cli/test_metrics_page.py",
        "own-ids.md": "cli/test_own_ids_page.py", "own-method.md": "cli/test_plugin.py",
        "own-metric.md": "cli/test_metric_and_table_plugins.py",
        "own-table.md": "cli/test_metric_and_table_plugins.py",
        "run-options.md": "cli/test_run_options_page.py", "site.md": "cli/test_site_page.py",
    }.items() if (DOCS / page).is_file()
}  # fmt: skip
PAGES = [ROOT / "README.md", *(page for page in sorted(DOCS.glob("*.md")) if page.name not in OWN_TEST)]
TEXTS = {str(page.relative_to(ROOT)): page.read_text() for page in [*PAGES, *map(DOCS.joinpath, OWN_TEST)]}
LINES = list(dict.fromkeys(line for page in PAGES for line in commands(page.read_text())))
PARSED = ("benchmark bench", "benchmark data get", "benchmark serve", "benchmark doctor --selftest")  # tests/learning
MADE = [line for line in LINES if not line.startswith(PARSED)]
OF_METHODS = [
    line
    for path in [
        *ROOT.glob("methods/**/README.md"),
        *ROOT.glob("methods/*.py"),
        ROOT / "benchmark/generative/README.md",
    ]
    for line in commands(path.read_text())
]
STAGES = ["warmup", "first.no_code", "first.full", "later.no_code", "later.full"]
LMINDEXER = [word for stage in STAGES for word in ("--set", f"lmindexer.{stage}.epochs=0.01")]
LMINDEXER += ["--set", "lmindexer.study_items=0"]

pytestmark = pytest.mark.usefixtures("small_demo")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all commands are typed, one after the other; the files that pages say somebody has are there."""
    folder, random = tmp_path_factory.mktemp("pages"), np.random.default_rng(0)
    (folder / "products.csv").write_text(products(1, 60, random))
    (folder / "orders.csv").write_text(orders(30, 60, random))
    (folder / "searches.csv").write_text("id,text\nq1,red lamp\n")
    (folder / "judgments.csv").write_text("query,item,grade\nq1,p0015,1\n")
    (folder / "items.csv").write_text("sku,name\n1,Red lamp\n2,Blue lamp\n")
    beauty = folder / "LETTER" / "data" / "Beauty"
    beauty.mkdir(parents=True)
    users = {str(user): [(user + step) % 7 for step in range(5)] for user in range(9)}
    (beauty / "Beauty.inter.json").write_text(json.dumps(users))
    (beauty / "Beauty.index.json").write_text(json.dumps({str(n): [f"<a_{n % 3}>", f"<b_{n}>"] for n in range(7)}))
    return folder


def rankings_of_another_system(folder: Path) -> None:
    """Write the files of own-runs.md: what BM25 has ranked stands for another system."""
    found = next(folder.glob("runs/demo/bm25/*/seed-0/run.search.trec")).read_text()
    (folder / "run.trec").write_text(found)
    (folder / "qrels.txt").write_text(next(folder.glob("runs/demo/bm25/*/seed-0/qrels.search.txt")).read_text())
    rows = [f"{query},{item},{score}" for query, _, item, _, score, _ in map(str.split, found.splitlines())]
    for seed in (0, 1):
        (folder / f"noisy-{seed}.csv").write_text("query,item,score\n" + "\n".join(rows[seed::2]) + "\n")


def has_generative_part(words: list[str]) -> bool:
    """Return whether a row of this run learns to write IDs; where none does, settings of that part are refused."""
    methods = words[words.index("--methods") + 1].split(",") if "--methods" in words else []
    return "--ids" in words or any(issubclass(load("method", name.split("=")[-1]), Indexer) for name in methods)


def parser_of(name: str) -> argparse.ArgumentParser:
    """Return the argument parser of a command."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    importlib.import_module(f"benchmark.cli.{name}").add_arguments(parser)
    return parser


@pytest.mark.parametrize("line", MADE)
def test_the_command_works(
    line: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    if "--run-file" in line or line.startswith("benchmark score"):
        rankings_of_another_system(folder)
    words = typed(line)
    if words[0] == "run":
        words += [*(FAST if has_generative_part(words) else ()), "--device", "cpu"]
        words += ["--set", "rqvae.training.steps=20"] if "rqvae" in line else []
        words += LMINDEXER if "lmindexer" in line else []
        words += ["--dry-run"] if "--text-fields" in line else []  # to encode all texts once more takes long
    assert main(words) == 0
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("line", [*(line for line in LINES if line not in MADE), *OF_METHODS])
def test_the_command_is_one_that_the_suite_has(line: str) -> None:
    """What needs a network, minutes, or runs until Ctrl-C: its words are those that the parser takes."""
    name, *words = shlex.split(line)[1:]
    parser_of(name).parse_args(words)


@pytest.mark.parametrize("page", TEXTS)
def test_commands_in_the_text_exist_with_their_options(page: str) -> None:
    text = re.sub(r"```.*?```", "", TEXTS[page], flags=re.S)
    for command in re.findall(r"`benchmark\s([^`]*)`", text):
        name, *words = command.split()
        if name == "COMMAND":
            continue
        assert name in COMMANDS, command
        parsers = [parser_of(name)]
        for action in parsers[0]._actions:
            if isinstance(action, argparse._SubParsersAction):
                parsers += action.choices.values()
        known = {option for parser in parsers for option in parser._option_string_actions} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= known, command


@pytest.mark.parametrize("page", TEXTS)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: str) -> None:
    """Also on a site that shows Markdown as it stands; pages that the build makes are checked by `make docs`."""
    for link in re.findall(r"\]\(([^)#\s]*)(?:#[^)]*)?\)", TEXTS[page]):
        if not link.startswith(("http", "methods/", "measured/")):
            assert not link or (ROOT / page).parent.joinpath(link).is_file(), link
    for link, heading in re.findall(r"\]\(([^)#\s]*)#([^)]*)\)", TEXTS[page]):
        target = (ROOT / page).parent.joinpath(link) if link else ROOT / page
        titles = re.findall(r"^#+ (.*)$", target.read_text(), re.M)
        slugs = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
        assert heading in slugs, f"{link}#{heading}"


def test_the_commands_of_every_page_are_tested() -> None:
    for page, test in OWN_TEST.items():
        assert page in (ROOT / "tests" / test).read_text(), f"{test} does not read {page}"


def test_the_readme_leads_to_every_page() -> None:
    pages = {page.name for page in DOCS.glob("*.md")} - {"index.md", "reference.md"}  # the site's own
    assert {page for page in pages if f"](docs/{page}" not in README} == set()


def test_the_readme_names_every_method_and_the_pages_every_data_set_and_importer() -> None:
    for what, text in (
        ("method", README), ("data set", TEXTS["docs/datasets.md"]), ("importer", TEXTS["docs/importers.md"])
    ):  # fmt: skip
        assert [name for name in registered(what) if f"`{name}`" not in text] == []


def test_the_readme_names_every_make_target_and_no_other() -> None:
    named = set(re.findall(r"(?:^    |`)make (\w+)", README, re.M))
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))
    assert {"demo", "test"} <= named <= targets


def test_every_file_that_a_run_leaves_behind_is_in_the_page_on_result_files(folder: Path) -> None:
    page = TEXTS["docs/result-files.md"]
    files = {path.name for path in folder.glob("runs/*/*/*/seed-*/*")} - {".lock"}
    named = {name: re.sub(r"\.(recommendation|search)\.", ".<task>.", name) for name in files}
    assert files and [name for name in files if name not in page and named[name] not in page] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    assert f"benchmark {name}" in capsys.readouterr().out
    assert main(["--help"]) == 0
    assert COMMANDS[name] in capsys.readouterr().out
