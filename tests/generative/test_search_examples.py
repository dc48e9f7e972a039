"""What search learns from and what its weights are chosen by, for every kind of data set."""

from pathlib import Path

import pytest
from without_test import copied, made

from benchmark.data.dataset import Dataset, open_dataset
from benchmark.generative.config import SearchConfig
from benchmark.generative.search_examples import search_examples
from benchmark.types.data import QuerySet


def asked(queries: QuerySet | None) -> set[tuple[int, str]]:
    """The (item, text) pairs of a query set."""
    assert queries is not None
    items = dict(zip(queries.query_rows.tolist(), queries.item_rows.tolist(), strict=True))
    return {(items[row], text) for row, text in enumerate(queries.texts) if row in items}


def words(queries: QuerySet | None) -> set[tuple[int, frozenset[str]]]:
    """The (item, set of words) pairs of a query set."""
    return {(item, frozenset(text.split())) for item, text in asked(queries)}


def examples(data: Dataset, **settings: int) -> tuple[QuerySet, QuerySet | None]:
    name = data.training_queries(data.query_sets[0])
    return search_examples(data, name, SearchConfig(reader="sentence", **settings))


@pytest.fixture
def simulated(shop: Path, tmp_path: Path) -> Path:
    """A data set without judgments: its queries are simulated."""
    folder = made(tmp_path / "data")
    (folder / "items.jsonl").write_text((shop / "items.jsonl").read_text())
    return folder


def test_simulated_queries_are_the_data_sets_own_or_so_many_per_item(simulated: Path, tmp_path: Path) -> None:
    data = open_dataset(str(simulated), cache=tmp_path)
    plain, development = examples(data)
    assert development is None and asked(plain) == asked(data.queries("simulated", "train"))
    more, development = examples(data, simulated_per_item=20, evaluations=2)
    assert asked(development) == asked(data.queries("simulated", "dev"))
    held_out = words(data.queries("simulated", "dev")) | words(data.queries("simulated", "test"))
    assert held_out and not held_out & words(more)
    assert len(more) > 3 * len(plain)


def test_on_a_copy_without_test_part_no_scored_query_chooses_weights(simulated: Path, tmp_path: Path) -> None:
    copy = copied(simulated, tmp_path / "copy", tmp_path)
    scored = copy.queries("simulated", "test")
    for per_item in (0, 20):
        queries, development = examples(copy, simulated_per_item=per_item, evaluations=2)
        assert scored is not None and development is not None and len(development)
        assert not set(development.ids) & {*scored.ids, *queries.ids}
        assert not words(scored) & words(development)


def test_judged_queries_choose_weights_from_their_development_part_or_from_a_part_held_out(tmp_path: Path) -> None:
    full = open_dataset(str(made(tmp_path / "full", "test", "train", "dev")), cache=tmp_path)
    queries, development = examples(full, evaluations=2)
    assert development is not None and development.ids == ("d1",) and len(queries) == 25
    without = open_dataset(str(made(tmp_path / "without", "test", "train")), cache=tmp_path)
    queries, development = examples(without, evaluations=2)
    assert development is not None and len(development) == 1 and len(queries) == 24
    assert not set(development.ids) & set(queries.ids)
    assert examples(without)[1] is None  # nothing is held out where no weights are chosen


def test_queries_with_negative_grades_choose_no_weights(tmp_path: Path) -> None:
    """A development set without a relevant item counts as none: a part of the training queries is held out."""
    folder = made(tmp_path / "data", "test", "train", "dev")
    (folder / "qrels.dev.txt").write_text("d1 0 a -1\nd1 0 b -2\nq1 0 a 0\n")
    queries, development = examples(open_dataset(str(folder), cache=tmp_path), evaluations=2)
    assert development is not None and not {"d1", "q1"} & set(development.ids)
    assert (len(queries), len(development)) == (24, 1)


def test_simulated_queries_stand_beside_judged_ones(tmp_path: Path) -> None:
    """Only judged queries choose weights: simulated ones are no sample of what users ask."""
    data = open_dataset(str(made(tmp_path / "data", "test", "train")), cache=tmp_path)
    queries, development = examples(data, simulated_per_item=4, evaluations=2)
    assert development is not None and all(name.startswith("t") and "-" not in name for name in development.ids)
    judged = [name for name in queries.ids if "-" not in name]
    assert len(judged) == 24 and len(queries) > len(judged)
