"""docs/metrics.md: every command as it is written, one after the other, on a small demo."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import FAST
from pages import commands, typed

from benchmark.cli.main import main
from benchmark.metrics.beyond_accuracy import OF_RUN, OF_USER
from benchmark.metrics.lookup import find_metric

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
COMMANDS = commands(PAGE)

pytestmark = pytest.mark.usefixtures("small_demo")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where all commands are typed."""
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.mark.parametrize("line", COMMANDS)
def test_the_command_works(line: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = typed(line)
    assert main([*words, *([*FAST, "--device", "cpu"] if words[0] == "run" else [])]) == 0
    printed = capsys.readouterr().out
    assert printed.strip()
    if "--metrics" in words:
        assert "P@5" in printed and "Bpref" in printed
    if words[0] == "verify":
        assert "0 do not follow, 0 missing, 0 not checked" in printed
    if "--tables" in words and "--out" not in words:
        assert len(re.findall(r"^\S.*\(fingerprint", printed, re.M)) >= 1


def test_the_page_explains_every_column_of_beyond_accuracy() -> None:
    headers = [metric.title for name in (*OF_RUN, *OF_USER) if (metric := find_metric(name, "recommendation"))]
    assert len(headers) == 5 and all(f"| `{header}` |" in PAGE for header in headers)
