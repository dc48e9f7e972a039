"""Plain tables: aligned, whole in a pipe, folded on a terminal, no markup and no control characters."""

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.terminal import print_table, table_lines


def test_numbers_stand_to_the_right_below_a_rule() -> None:
    rows = [["a", "1.5 ", "10"], ["long", "20.5*", "9"]]
    lines = table_lines(rows, header=["", "AMI ", "n"], numbers=True, rule=True)
    assert lines == ["       AMI    n", "---------------", "a      1.5   10", "long  20.5*   9"]
    assert table_lines(rows, header=["", "AMI ", "n"], numbers=True) == [lines[0], *lines[2:]]


def test_wide_and_combining_characters_take_what_a_terminal_gives_them() -> None:
    lines = table_lines([["日本", "1"], ["abcd", "2"], ["e\u0301fgh", "3"]], numbers=True)
    assert lines == ["日本  1", "abcd  2", "e\u0301fgh  3"]


SKIN_TONES = "".join(map(chr, range(0x1F3FB, 0x1F400)))  # no words: rich drops one that follows no emoji
TEXTS = st.text(st.characters(exclude_characters=SKIN_TONES, exclude_categories=("Cs",)), max_size=9)


@given(st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=1, max_size=5))
def test_every_row_is_one_line_that_holds_its_words(rows: list[list[str]]) -> None:
    lines = table_lines(rows, numbers=True)
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        assert line.isprintable()
        assert line.split() == " ".join("".join(c if c.isprintable() else " " for c in cell) for cell in row).split()


def test_nothing_is_cut_off_or_coloured_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([["name", "word " * 100 + "[bold]end[/bold] :smile: 12"]])
    (line,) = capsys.readouterr().out.splitlines()
    assert line == "name  " + "word " * 100 + "[bold]end[/bold] :smile: 12"


def test_a_terminal_gets_words_folded_to_its_width() -> None:
    lines = table_lines([["name", "word " * 20], ["other", "short"]], columns=40)
    assert len(lines) > 2 and max(map(len, lines)) <= 40
    assert re.sub(r"\s+", " ", " ".join(lines)).split() == ["name", *["word"] * 20, "other", "short"]


def test_no_rows_are_no_lines() -> None:
    assert table_lines([]) == []


def test_help_loads_no_table_printer() -> None:
    code = "import sys\nfrom benchmark.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "sys.exit('rich' in sys.modules or 'jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
