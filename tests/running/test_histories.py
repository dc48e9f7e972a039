"""`--ties` and `--split` through whole runs: the control `alphabet`, keys of their own, tables side by side."""

from pathlib import Path

import numpy as np
import pytest

from benchmark.api.results import load_results
from benchmark.cli.main import main
from benchmark.data.dataset import open_dataset
from benchmark.data.protocols import split_histories
from benchmark.methods.alphabet import Alphabet
from benchmark.results.result_files import Result
from benchmark.types.data import Histories
from benchmark.types.trec import read_qrels

DAYS = "planted:items=2000,users=2000,queries=5,train_queries=20,departments=2,days=10,seed=5"
NO_DAYS = DAYS.replace("days=10", "days=0")


def run(runs: Path, *words: str, methods: str = "alphabet,popularity", dataset: str = DAYS) -> int:
    return main([
        "run", "--methods", methods, "--dataset", dataset, "--preset", "small", "--runs", str(runs), "--device", "cpu",
        *words,
    ])  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both orders of ties, and a cut in time."""
    folder = tmp_path_factory.mktemp("runs")
    assert run(folder, "--tasks", "recommendation") == 0
    assert run(folder, "--ties", "shuffled") == 0
    assert run(folder, "--split", "time") == 0
    return folder


def results(runs: Path, method: str) -> dict[str, Result]:
    return {result.history_protocol: result for result in load_results(runs) if result.method == method}


def test_the_control_is_above_chance_in_the_order_of_the_file_and_at_chance_with_shuffled_ties(runs: Path) -> None:
    """Chance is popularity: the order of ids adds nothing to it."""
    alphabet, popularity = results(runs, "alphabet"), results(runs, "popularity")
    for order, above, share in (("", (1.6, 3.0), (0.7, 0.8)), ("ties shuffled", (0.85, 1.15), (0.48, 0.52))):
        ours, chance = (found[order].metrics["recommendation"]["R@10"] for found in (alphabet, popularity))
        assert above[0] < ours / chance < above[1]
        counts = alphabet[order].counts["recommendation"]
        dataset = open_dataset(DAYS, cache=runs / ".cache")
        inputs = split_histories(dataset, "leave-one-out", order.removeprefix("ties ") or "file")[0].test_inputs
        last = {user: dataset.corpus().ids[inputs[row][-1]] for row, user in enumerate(inputs.users)}
        targets = read_qrels(alphabet[order].folder / "qrels.recommendation.txt")
        greater = sum(item > last[user] for user, item, _ in targets)
        assert counts["targets_with_greater_id"] == greater and share[0] < greater / counts["users"] < share[1]
        histories, times = dataset.histories(), dataset.times()
        ends = (histories.offsets[1:] - 1).tolist()  # before the last event stands the only neighbour
        assert counts["targets_tied"] == sum(times[end] == times[end - 1] for end in ends)
        assert counts["targets_compared"] == sum(item != last[user] for user, item, _ in targets)


def test_only_the_order_of_the_file_is_warned_of(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--runs", str(runs), "--tables", "recommendation"]) == 0
    tables = " ".join(capsys.readouterr().out.split()).split("Next-item recommendation Planted")[1:]
    assert len(tables) == 3
    signs = ("Order of ids", "ties shuffled;", "split time:0.9 (from 2010-")
    assert [[sign in table for sign in signs] for table in tables] == [
        [True, False, False], [True, False, True], [False, True, False],
    ]  # fmt: skip


def test_a_set_without_ties_gives_the_same_numbers_in_both_orders(tmp_path: Path) -> None:
    assert main(["data", "write", NO_DAYS, str(tmp_path / "set"), "--runs", str(tmp_path / "runs")]) == 0
    lines = [line.split() for line in (tmp_path / "set" / "sequences.txt").read_text().splitlines()]
    times = "".join(" ".join([user, *map(str, range(len(items)))]) + "\n" for user, *items in lines)
    (tmp_path / "set" / "times.txt").write_text(times)
    for order in ("file", "shuffled"):
        words = ("--ties", order, "--tasks", "recommendation")
        assert run(tmp_path / "runs", *words, dataset=str(tmp_path / "set"), methods="alphabet,item-knn") == 0
    for method in ("alphabet", "item-knn"):
        found = results(tmp_path / "runs", method)
        assert len(found) == 2 and found[""].metrics == found["ties shuffled"].metrics


def test_another_seed_shuffles_otherwise(tmp_path: Path) -> None:
    for order in ("shuffled", "shuffled:0", "shuffled:1"):
        assert run(tmp_path, "--ties", order, methods="popularity") == 0
    found = results(tmp_path, "popularity")
    assert set(found) == {"ties shuffled", "ties shuffled:1"}
    assert found["ties shuffled"].metrics != found["ties shuffled:1"].metrics


def test_nothing_from_behind_the_cut_is_learned_or_read(runs: Path) -> None:
    result = results(runs, "popularity")["split time:0.9"]
    dataset = open_dataset(DAYS, cache=runs / ".cache")
    histories, times = dataset.histories(), dataset.times()
    cut = sorted(times.tolist())[int(0.9 * len(times))]
    ids = dataset.corpus().ids
    learned = [line.split() for line in result.histories_file.read_text().splitlines()]
    for row, (user, *items) in enumerate(learned):
        own = times[histories.offsets[row] : histories.offsets[row + 1]]
        assert user == histories.users[row] and (own[: len(items)] < cut).all()
        assert items == [ids[item] for item in histories[row][: len(items)]]
    counts = result.counts["recommendation"]
    trained = {item for _, *items in learned for item in items}
    targets = [item for _, item, _ in read_qrels(result.folder / "qrels.recommendation.txt")]
    assert counts["targets_unseen"] == sum(item not in trained for item in targets) and counts["users"] == len(targets)
    assert counts["training_events"] == sum(len(items) for _, *items in learned)
    before = sorted(times.tolist())[len(times) - 2 * sum(time >= cut for time in times)]
    own = [times[a:b].tolist() for a, b in zip(histories.offsets, histories.offsets[1:], strict=False)]
    validated = [any(before <= time < cut for time in user) and user[0] < before for user in own]
    assert counts["validation_targets"] == sum(validated)


def test_both_ways_stand_side_by_side(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["report", "--runs", str(runs), "--tables", "recommendation-ties,recommendation-splits", "--format", "md"]
    assert main(words) == 0
    out = capsys.readouterr().out
    found = {method: results(runs, method) for method in ("alphabet", "popularity")}
    for header, orders in (
        ("| Method | R@10 (file) | nDCG@10 (file) | R@10 (shuffled) | nDCG@10 (shuffled) |", ("", "ties shuffled")),
        ("| Method | R@10 (leave-one-out) | nDCG@10 (leave-one-out) | R@10 (time:0.9) | nDCG@10 (time:0.9) |",
         ("", "split time:0.9")),
    ):  # fmt: skip
        table = out[out.index(header) :].split("\n\n")[0]
        for method, of_orders in found.items():
            (line,) = (line for line in table.splitlines() if line.startswith(f"| {method}"))
            values = [of_orders[o].metrics["recommendation"][m] for o in orders for m in ("R@10", "nDCG@10")]
            assert [cell.split()[0].strip("*") for cell in line.split("|")[2:6]] == [f"{value:.4f}" for value in values]
    unseen = found["popularity"]["split time:0.9"].counts["recommendation"]
    assert f"time:0.9: {unseen['users']:,} users, cut at 2010-" in out
    assert f"{unseen['training_events']:,} training events, {unseen['validation_targets']:,} validation targets" in out


def test_changed_histories_are_for_recommendation_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--ties", "shuffled", "--tasks", "search", methods="bm25") == 2
    assert "only the task recommendation" in capsys.readouterr().err
    assert run(tmp_path, "--split", "time", dataset=NO_DAYS) == 2
    assert "has no times.txt" in capsys.readouterr().err
    assert run(tmp_path, "--split", "time:2030-01-01") == 2
    assert "0 of" in capsys.readouterr().err


def test_the_command_of_a_result_names_split_and_ties(runs: Path) -> None:
    from benchmark.reports.html.command import command

    assert "--ties shuffled" in command([results(runs, "popularity")["ties shuffled"]])
    assert "--split time:0.9" in command([results(runs, "popularity")["split time:0.9"]])


def test_alphabet_ranks_by_hand() -> None:
    from benchmark.conformance import small_corpus

    corpus = small_corpus()
    n = len(corpus)
    order = sorted(range(n), key=lambda row: corpus.ids[row])
    taken = Histories(("u",), np.array([0, 6]), np.array([order[0]] * 3 + [order[-1]] + [order[2]] * 2, np.int32))
    method = Alphabet(Alphabet.Config())
    method.fit(corpus, taken, np.array([-1], np.int32))
    asked = Histories(("u", "v", "w"), np.array([0, 1, 2, 2]), np.array([order[1], order[-1]], np.int32))
    first = [row[:2].tolist() for row in method.recommend(asked, n).items]
    assert first == [[order[2], order[-1]], [order[0], order[2]], [order[0], order[2]]]


def test_the_table_of_data_sets_names_the_order_of_ids_and_ties(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--runs", str(runs), "--tables", "data-sets"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    counts = results(runs, "popularity")[""].counts["recommendation"]
    share = counts["targets_with_greater_id"] / counts["targets_compared"]
    assert f"{share:.1%} of the next items have a greater item id" in said
    assert f"{counts['targets_tied'] / counts['users']:.1%} of all next items share their time stamp" in said


def test_rows_meet_their_own_configuration_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row of other settings in one order of ties is no pair with the preset's row in the other."""
    small = DAYS.replace("items=2000,users=2000", "items=200,users=200")
    words = ("--tasks", "recommendation")
    assert run(tmp_path, *words, "--set", "item-knn.neighbours=20", methods="item-knn", dataset=small) == 0
    assert run(tmp_path, *words, "--ties", "shuffled", methods="item-knn", dataset=small) == 0
    assert main(["report", "--runs", str(tmp_path), "--tables", "recommendation-ties", "--format", "md"]) == 0
    out = capsys.readouterr().out
    rows = [line.split("|")[1:6] for line in out.splitlines() if line.startswith("| item-knn")]
    assert sorted([cell.strip() == "–" for cell in row[1:]] for row in rows) == [[False] * 2 + [True] * 2,
                                                                                [True] * 2 + [False] * 2]  # fmt: skip
    assert "changed: item-knn.neighbours=20" in out


def test_a_frame_and_a_comparison_say_which_histories(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from benchmark.api.results import Results

    frame = Results(tuple(load_results(runs)), {}, runs).to_frame()
    assert set(zip(frame["split"], frame["ties"], strict=True)) == {
        ("leave-one-out", "file"), ("leave-one-out", "shuffled"), ("time:0.9", "file"),
    }  # fmt: skip
    sides = [str(results(runs, method)["ties shuffled"].folder) for method in ("alphabet", "popularity")]
    capsys.readouterr()
    assert main(["compare", *sides, "--runs", str(runs)]) == 0
    assert ", ties shuffled, recommendation: A =" in capsys.readouterr().out


def test_a_cut_in_time_with_ties_in_order_is_warned_of_too(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There the test item is the first of its tie, the one with the smallest id."""
    counts = results(runs, "popularity")["split time:0.9"].counts["recommendation"]
    assert counts["targets_with_greater_id"] < 0.45 * counts["targets_compared"] and counts["targets_tied"] > 0
    assert main(["report", "--runs", str(runs), "--tables", "recommendation"]) == 0
    tables = " ".join(capsys.readouterr().out.split()).split("Next-item recommendation Planted")[1:]
    assert ["Order of ids" in table for table in tables if "split time:0.9" in table] == [True]


def test_tuned_settings_say_where_they_were_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = DAYS.replace("items=2000,users=2000", "items=200,users=200")
    for words, noted in (((), False), (("--ties", "shuffled"), True)):
        command = ["run", "--methods", "item-knn", "--preset", "tuned", "--dataset", small, "--device", "cpu"]
        assert main([*command, "--tasks", "recommendation", "--runs", str(tmp_path / str(noted)), *words]) == 0
        assert ("chosen on the validation items of leave-one-out" in " ".join(capsys.readouterr().out.split())) == noted
