"""`benchmark data write --without-test`: nothing of the test part is left, the validation part is tested on."""

import pytest
from without_test import QRELS, copied, made

from benchmark.cli.main import main
from benchmark.data.dataset import Dataset, open_dataset
from benchmark.data.splits import leave_one_out
from benchmark.data.without_test import EVERY


def pairs(data: Dataset, name: str, split: str) -> set[tuple[str, str, int]]:
    queries = data.queries(name, split)
    assert queries is not None
    triples = zip(queries.query_rows, queries.item_rows, queries.grades, strict=True)
    return {(queries.ids[query], "abc"[item], int(grade)) for query, item, grade in triples}


def test_each_user_is_tested_on_the_validation_item(shop, tmp_path):
    whole, copy = open_dataset(str(shop), cache=tmp_path), copied(shop, tmp_path / "copy", tmp_path)
    theirs, ours = leave_one_out(whole.histories()), leave_one_out(copy.histories())
    assert ours.test_targets.tolist() == theirs.validation.tolist()
    lines = [line.split() for line in (shop / "sequences.txt").read_text().splitlines()]
    assert [line.split() for line in (tmp_path / "copy" / "sequences.txt").read_text().splitlines()] == [
        line[:-1] for line in lines
    ]
    assert copy.fingerprint != whole.fingerprint and copy.counts()["interactions"] == sum(map(len, lines)) - 60


@pytest.mark.parametrize("option", [("--split", "time"), ("--ties", "shuffled")])
def test_protocols_whose_test_events_the_copy_holds_are_refused(shop, tmp_path, option, capsys):
    copied(shop, tmp_path / "copy", tmp_path)
    words = ["--methods", "item-knn", "--dataset", str(tmp_path / "copy"), "--runs", str(tmp_path / "runs")]
    assert main(["run", *words, *option]) == 2
    assert "holds test events of other splits and orders" in " ".join(capsys.readouterr().err.split())


def test_the_times_of_the_test_events_are_left_out_with_them(tmp_path):
    times = "u 1 1 2.5\nv 3\nw\nx 4 5\n"
    source = made(tmp_path / "data", sequences__txt="u a b c\nv b\nw\nx c a\n", times__txt=times)
    copy = copied(source, tmp_path / "copy", tmp_path)
    assert copy.times().tolist() == [1, 1, 4] and copy.histories().items.tolist() == [0, 1, 2]


def test_users_without_another_event_are_left_out_and_counted(tmp_path):
    source = made(tmp_path / "data", sequences__txt="u a b c\nv b\nw\nx c a\n")
    copy = copied(source, tmp_path / "copy", tmp_path)
    assert (tmp_path / "copy" / "sequences.txt").read_text() == "u a b\nx c\n"
    assert copy.about["notes"] == ["2 users with fewer than two events; left out"]


def test_development_judgments_take_the_place_of_the_test_judgments(tmp_path):
    other = {"queries__other__tsv": "o\tx\n", "qrels__other__txt": "o 0 a 1\n"}
    source = made(tmp_path / "data", "test", "dev", "train", **other)
    copy = copied(source, tmp_path / "copy", tmp_path)
    assert copy.query_sets == ("judged-dev", "simulated")
    assert pairs(copy, "judged-dev", "test") == {("d1", "b", 2)}
    whole = open_dataset(str(source), cache=tmp_path)
    assert pairs(copy, "judged-dev", "train") == pairs(whole, "judged", "train")
    assert copy.about["notes"] == ["left out, as they have test queries alone: other"]


@pytest.mark.parametrize("splits", [("test", "train"), ("dev", "train")])
def test_without_development_judgments_training_queries_are_held_out(tmp_path, splits):
    source = made(tmp_path / "data", *splits)
    copy = copied(source, tmp_path / "copy", tmp_path)
    held_out, left = pairs(copy, "judged-dev", "test"), pairs(copy, "judged-dev", "train")
    training = {tuple(line.split()) for line in QRELS["train"].splitlines()}
    assert {(query, "0", item, str(grade)) for query, item, grade in held_out | left} == training
    assert not {query for query, *_ in held_out} & {query for query, *_ in left}
    assert len(held_out) == -(-25 // EVERY)


def test_a_single_training_query_stays_one(tmp_path):
    source = made(tmp_path / "data", "test", qrels__train__txt="t0 0 a 1\n")
    copy = copied(source, tmp_path / "copy", tmp_path)
    assert copy.query_sets == ("simulated",) and (tmp_path / "copy" / "qrels.train.txt").is_file()


def test_simulated_queries_are_others_than_those_of_the_whole_set(shop, tmp_path):
    source = made(tmp_path / "data")
    (source / "items.jsonl").write_text((shop / "items.jsonl").read_text())
    whole, copy = open_dataset(str(source), cache=tmp_path), copied(source, tmp_path / "copy", tmp_path)
    tested, developed, ours = (
        data.queries("simulated", split).texts for data, split in ((whole, "test"), (whole, "dev"), (copy, "test"))
    )
    assert ours == developed and ours != tested
    assert copy.queries("simulated", "dev") is None  # they are scored, so that they must not choose weights
    assert whole.fingerprint != copy.fingerprint  # or one would be taken for the other in a cache


def test_settings_are_compared_on_the_copy(shop, tmp_path, capsys):
    copied(shop, tmp_path / "copy", tmp_path / "runs")
    words = ["--tasks", "recommendation", "--device", "cpu", "--runs", str(tmp_path / "runs")]
    grid = ["--methods", "item-knn", "--over", "neighbours=1,2", "--dataset", str(tmp_path / "copy")]
    assert main(["sweep", *grid, *words]) == 0
    out = capsys.readouterr().out
    assert "A small shop, without its test part" in out and "item-knn-neighbours-2" in out


def test_misuse_is_one_message_and_leaves_nothing(shop, tmp_path, capsys):
    copied(shop, tmp_path / "copy", tmp_path)
    assert main(["data", "write", str(tmp_path / "copy"), str(tmp_path / "again"), "--without-test"]) == 2
    assert "its test part was left out before" in capsys.readouterr().err
    assert main(["data", "check", str(shop), "--without-test"]) == 2
    assert "--without-test goes with: benchmark data write" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != ".cache") == ["copy"]
