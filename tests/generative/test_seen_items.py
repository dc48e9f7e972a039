"""`generative.history=exclude`: the same ranking without what a user already has, from the same trained model."""

import json
from pathlib import Path

import numpy as np
from conftest import FAST
from hypothesis import given
from hypothesis.strategies import integers, lists, tuples

from benchmark.cli.main import main
from benchmark.generative.config import GenerativeConfig
from benchmark.generative.seen_items import without_seen
from benchmark.ids.asking import Answerer
from benchmark.types.data import Histories
from benchmark.types.rankings import Rankings
from benchmark.types.trec import read_run

ROWS = lists(tuples(lists(integers(0, 9), max_size=6), lists(integers(0, 9), max_size=5, unique=True)), min_size=1)


@given(ROWS)
def test_what_is_left_is_what_a_loop_over_users_leaves(rows: list[tuple[list[int], list[int]]]) -> None:
    offsets = np.cumsum([0, *(len(history) for history, _ in rows)]).astype(np.int64)
    events = np.array([item for history, _ in rows for item in history], np.int32)
    histories = Histories(tuple(f"u{n}" for n in range(len(rows))), offsets, events)
    items = np.array([ranked + [-1] * (5 - len(ranked)) for _, ranked in rows], np.int32)
    scores = np.where(items >= 0, -np.arange(5, dtype=np.float32), -np.inf).astype(np.float32)
    found = without_seen(Rankings(items, scores), histories)
    for row, (history, ranked) in enumerate(rows):
        left = [(item, -float(place)) for place, item in enumerate(ranked) if item not in history]
        n = len(left)
        assert list(zip(found.items[row, :n].tolist(), found.scores[row, :n].tolist(), strict=True)) == left
        assert (found.items[row, n:] == -1).all()
        assert np.isneginf(found.scores[row, n:]).all()


def test_a_run_with_it_is_the_run_without_it_less_the_items_of_each_history(shop: Path, tmp_path: Path) -> None:
    words = ["run", "--methods", "rqkmeans,new=rqkmeans", "--dataset", str(shop), "--runs", str(tmp_path / "runs")]
    words += ["--set", "rqkmeans.codebook_size=6", "--set", "new.codebook_size=6", *FAST, "--device", "cpu"]
    words += ["--set", "new.generative.history=exclude", "--tasks", "recommendation", "--preset", "tiny"]
    assert main(words) == 0
    cells = {label: next((tmp_path / "runs").glob(f"shop/{label}/*/seed-0")) for label in ("rqkmeans", "new")}
    kept, new = (read_run(cell / "run.recommendation.trec") for cell in cells.values())
    histories = {line.split()[0]: line.split()[1:-1] for line in (shop / "sequences.txt").read_text().splitlines()}
    due = {user: [item for item in items if item not in histories[user]] for user, items in kept.items()}
    assert {user: list(items) for user, items in new.items()} == {user: items for user, items in due.items() if items}
    assert due != {user: list(items) for user, items in kept.items()}
    contents = {label: json.loads((cell / "result.json").read_text()) for label, cell in cells.items()}
    assert contents["new"]["stages"]["train.recommendation"] == contents["rqkmeans"]["stages"]["train.recommendation"]
    assert contents["new"]["changed"]["generative.history"] == "exclude"
    user = next(user for user in due if len(due[user]) > 3)
    _, answers = Answerer.open(cells["new"]).answer(" ".join(histories[user]), task="recommendation")
    assert [answer.item for answer in answers] == due[user][: len(answers)]
    assert len(answers) == min(10, len(due[user]))


def test_a_result_without_the_setting_has_the_settings_that_it_had_before_there_was_one() -> None:
    assert "history" not in GenerativeConfig().model_dump(mode="json")
    assert GenerativeConfig(history="exclude").model_dump(mode="json")["history"] == "exclude"
