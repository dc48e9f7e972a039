"""IDs read as a matrix are those that the reader of lines finds, and a damaged file is named with the same words."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis.strategies import characters, dictionaries, integers, lists, permutations, text

from benchmark.errors import DataError
from benchmark.results.id_table import codes_of_items
from benchmark.results.result_files import read_id_lines

NAMES = text(characters(codec="utf-8", exclude_characters="\t\n\r"), min_size=1, max_size=8)
IDS = dictionaries(NAMES, lists(integers(0, 2**40), min_size=1, max_size=4), min_size=1, max_size=8)


def written(folder: Path, content: str) -> Path:
    """A file of its own name each time: what was read once is not read again."""
    path = folder / f"{len(os.listdir(folder))}.tsv"
    path.write_text(content, "utf-8", newline="\n")
    return path


@example(({"\ufeffa": [1], "b": [2, 3]}, ["b", "\ufeffa"]))  # no byte order mark, but a name
@given(IDS.flatmap(lambda ids: permutations(list(ids)).map(lambda order: (ids, order))))
def test_codes_are_those_of_the_lines_in_the_order_that_was_asked_for(tmp_path_factory, drawn):
    ids, order = drawn
    path = written(tmp_path_factory.getbasetemp(), "".join(f"{i}\t{'-'.join(map(str, c))}\n" for i, c in ids.items()))
    codes = codes_of_items(path, [*order, "\tno item"])
    assert [tuple(row[row >= 0].tolist()) for row in codes[:-1]] == [read_id_lines(path)[item] for item in order]
    assert np.all(codes[-1] == -1)


@pytest.mark.parametrize(
    "content",
    ["", "\na\t1\n", "a\n", "a\t\n", "a\tx\n", "a\t1--2\n", "a\t-1\n", "a\t0x1F\n", "a\t1\tb\n", "a\t1\na\t2\n"],
)
def test_a_damaged_file_is_named_with_its_line(tmp_path, content):
    path = written(tmp_path, "z\t1-2\n" + content if content else "")
    messages = []
    for read in (lambda: codes_of_items(path, ["z", "a"]), lambda: read_id_lines(path)):
        with pytest.raises(DataError) as error:
            read()
        messages.append(str(error.value))
    assert messages[0] == messages[1] and str(path) in messages[0]


def test_an_id_of_another_item_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"the item 'b' has an ID and is not among the items"):
        codes_of_items(written(tmp_path, "a\t1\nb\t2\n"), ["a", "c"])


@pytest.mark.parametrize("line", ["a\t 1", "a\t+1", "a\t01", "a\t1\n\n"])
def test_what_the_reader_of_lines_takes_is_taken(tmp_path, line):
    assert codes_of_items(written(tmp_path, line), ["a"]).tolist() == [[1]]


def test_a_code_that_no_codebook_has_is_named(tmp_path):
    with pytest.raises(DataError, match=r"larger than any codebook, 9{20}"):
        codes_of_items(written(tmp_path, f"a\t1-{'9' * 20}\n"), ["a"])
