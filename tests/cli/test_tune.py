"""`benchmark tune`: the same number of trials for each method, no test item read, resumable, and what it proposes."""

import json
import os
import re
import shlex
import shutil
import signal
import time
import tomllib
from pathlib import Path
from typing import Any

import commands
import pytest
from conftest import FAST

import benchmark
from benchmark.cli import tune
from benchmark.cli.main import main
from benchmark.errors import UsageError
from benchmark.methods.sequential.item_knn import ItemKNN
from benchmark.tuning.space import Choices, parse_space

pytestmark = pytest.mark.usefixtures("small_encoder")

SASREC = [
    word
    for setting in ("training.epochs=2", "training.batch_size=16", "embedding_size=16", "inner_size=16", "heads=1")
    for word in ("--set", f"sasrec.{setting}")
]
QRELS = {
    "qrels.dev.txt": "q1 0 i05 1\nq2 0 i10 1\nq3 0 i15 1\n", "qrels.train.txt": "q4 0 i20 1\nq5 0 i25 1\n",
    "qrels.txt": "q6 0 i30 1\nq7 0 i35 1\n",
}  # fmt: skip


def tuned(shop: Path, runs: Path, *more: str, methods: str = "item-knn", trials: int = 4, code: int = 0) -> None:
    words = ["tune", "--methods", methods, "--dataset", str(shop), "--trials", str(trials), "--preset", "tiny"]
    assert main([*words, "--runs", str(runs), "--device", "cpu", *more]) == code


def found(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capsys.readouterr().out)


def tried(content: dict[str, Any]) -> list[Any]:
    """Everything that a search decides, without what it measures."""
    return [
        [method["label"], method["settings"], method["score"], *([t["settings"], t["score"]] for t in method["all"])]
        for method in content["methods"]
    ]


def judged(shop: Path, folder: Path) -> Path:
    """The shop with training, development and test judgments."""
    shutil.copytree(shop, folder)
    for name, text in QRELS.items():
        (folder / name).write_text(text)
    return folder


def test_every_method_has_the_same_number_of_trials_and_the_table_says_what_was_chosen(shop, tmp_path, capsys):
    tuned(shop, tmp_path, *FAST, methods="item-knn,rqkmeans", trials=3)
    table = capsys.readouterr().out
    assert re.search(r"^item-knn +3 +0 +0\.\d{4} +nDCG@10, validation items +[\d.]+ +neighbours=\d+$", table, re.M)
    assert re.search(r"^rqkmeans +3 +0 .* levels=\d, codebook_size=\d+, generative\.recommendation\.", table, re.M)
    tuned(shop, tmp_path, *FAST, "--json", methods="item-knn,rqkmeans", trials=3)
    said = capsys.readouterr()
    methods = json.loads(said.out)["methods"]
    assert [len(method["all"]) for method in methods] == [3, 3] and not re.search("trial|cell", said.err)
    for method in methods:
        assert method["score"] == max(trial["score"] for trial in method["all"])
        listing = (Path(method["folder"]) / "trials.jsonl").read_text().splitlines()
        assert list(map(json.loads, listing)) == method["all"]


def test_the_same_seed_tries_the_same_settings_and_more_trials_extend_a_search(shop, tmp_path, capsys):
    contents = []
    for runs, seed, trials in (("a", 0, 6), ("b", 0, 2), ("b", 0, 6), ("c", 1, 6), ("a", 0, 2)):
        tuned(shop, tmp_path / runs, "--seed", str(seed), "--json", trials=trials)
        contents.append(tried(found(capsys)))
    whole, short, extended, other, first = contents
    assert extended == whole and other != whole and first == short
    assert len(set(map(str, whole[0][3:]))) == 6  # no settings twice


def test_a_search_killed_in_a_trial_ends_as_an_undisturbed_one(shop, tmp_path, capsys):
    space = tmp_path / "space.toml"
    space.write_text(
        "[sasrec]\ndropout = { low = 0.0, high = 0.6 }\ntraining.learning_rate = { low = 1e-3, high = 1e-2 }\n"
    )
    words = ["tune", "--methods", "sasrec", "--dataset", str(shop), "--trials", "5", "--preset", "tiny", *SASREC]
    words += ["--space", str(space), "--device", "cpu", "--json", "--runs"]
    process = commands.start([*words, str(tmp_path / "killed")], tmp_path)
    while process.is_alive() and not any(
        len(path.read_text().splitlines()) >= 2 for path in tmp_path.glob("killed/.tune/*/*/*/trials.jsonl")
    ):
        time.sleep(0.01)
    process.kill()
    process.join()
    (listing,) = tmp_path.glob("killed/.tune/*/*/*/trials.jsonl")
    assert 2 <= len(listing.read_text().splitlines()) < 5
    contents = []
    for runs in ("killed", "undisturbed"):
        contents.append(json.loads(commands.finish([*words, str(tmp_path / runs)], tmp_path)))
    killed, undisturbed = contents
    assert tried(killed) == tried(undisturbed)
    assert [trial["number"] for trial in killed["methods"][0]["all"]] == list(range(5))


def test_what_was_finished_is_kept_when_ctrl_c_comes(shop, tmp_path, capsys, monkeypatch, interruptible):
    fit, calls = ItemKNN.fit, []

    def interrupted(self, *arguments):
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return fit(self, *arguments)

    monkeypatch.setattr(ItemKNN, "fit", interrupted)
    tuned(shop, tmp_path / "runs", code=130)
    assert "interrupted; what was finished is kept" in capsys.readouterr().err
    (listing,) = tmp_path.glob("runs/.tune/*/*/*/trials.jsonl")
    assert len(listing.read_text().splitlines()) == 2
    tuned(shop, tmp_path / "runs", "--json")
    again = tried(found(capsys))
    assert len(calls) == 5  # the third trial once more, and the fourth
    tuned(shop, tmp_path / "whole", "--json")
    assert tried(found(capsys)) == again


def test_a_trial_that_fails_counts_and_does_not_end_the_search(shop, tmp_path, capsys, monkeypatch):
    fit = ItemKNN.fit

    def short_of_memory(self, *arguments):
        if self.config.neighbours > 60:
            raise MemoryError("no memory for the neighbours")
        return fit(self, *arguments)

    monkeypatch.setattr(ItemKNN, "fit", short_of_memory)
    tuned(shop, tmp_path, "--json", trials=8)
    said = capsys.readouterr()
    (method,) = json.loads(said.out)["methods"]
    failed = [trial for trial in method["all"] if trial["score"] is None]
    assert len(method["all"]) == 8 and method["failed"] == len(failed) > 0 and method["settings"]["neighbours"] <= 60
    assert all(trial["settings"]["neighbours"] > 60 and "no memory" in trial["reason"] for trial in failed)
    assert "benchmark: failed: trial 1 of item-knn: MemoryError: no memory for the neighbours" in said.err


def test_a_method_whose_trials_all_fail_costs_no_other_its_settings(shop, tmp_path, capsys):
    space = tmp_path / "space.toml"
    space.write_text("[sasrec]\nheads = [3, 5, 7]\n")  # none divides 16
    tuned(shop, tmp_path / "runs", *SASREC[:-2], "--space", str(space), methods="sasrec,item-knn", trials=2, code=1)
    said = capsys.readouterr()
    assert re.search(r"^sasrec +2 +2 +- .*every trial failed$", said.out, re.M)
    (command,) = re.findall(r"benchmark run .*--methods item-knn ", said.out)
    assert "failed: trial 2 of sasrec" in said.err and command


@pytest.mark.parametrize("task", ["recommendation", "search"])
def test_the_proposed_preset_reproduces_its_score_and_brings_its_number_of_trials(shop, tmp_path, capsys, task):
    method = {"recommendation": "item-knn", "search": "bm25"}[task]
    data, out = judged(shop, tmp_path / "data"), tmp_path / "tuned.toml"
    tuned(data, tmp_path / "runs", "--out", str(out), "--json", methods=f"mine={method}", trials=5)
    (chosen,) = found(capsys)["methods"]
    assert chosen["scored_on"] == {"recommendation": "validation items", "search": "development judgments"}[task]
    words = ["run", "--preset", str(out), "--methods", f"mine={method},{method}", "--tasks", task, "--device", "cpu"]
    assert main(["data", "write", str(data), str(tmp_path / "copy"), "--without-test"]) == 0
    capsys.readouterr()
    assert main([*words, "--dataset", str(tmp_path / "copy"), "--runs", str(tmp_path / "anew"), "--json"]) == 0
    mine, plain = found(capsys)["results"]
    assert mine["metrics"][task]["nDCG@10"] == chosen["score"]
    assert mine["preset"] == "tiny" and chosen["settings"].items() >= mine["changed"].items()
    assert plain["config"]["method"] != mine["config"]["method"] or chosen["all"][0]["settings"] == chosen["settings"]
    assert main([*words, "--dataset", str(data), "--runs", str(tmp_path / "runs"), "--json"]) == 0
    capsys.readouterr()
    (cost,) = (tmp_path / "runs").glob("shop/mine/*/seed-0/cost.json")
    assert json.loads(cost.read_text())["trials"] == 5


def test_other_settings_beside_a_proposed_preset_take_its_trials_away(shop, tmp_path, capsys):
    out = tmp_path / "tuned.toml"
    tuned(shop, tmp_path / "runs", "--out", str(out), trials=2)
    words = ["run", "--preset", str(out), "--dataset", str(shop), "--device", "cpu", "--tasks", "recommendation"]
    words += ["--runs", str(tmp_path / "runs"), "--methods"]
    assert main([*words, "item-knn,popularity", "--set", "item-knn.neighbours=7"]) == 0
    for name in ("item-knn", "popularity"):
        (cost,) = (tmp_path / "runs").glob(f"shop/{name}/*/seed-0/cost.json")
        assert "trials" not in json.loads(cost.read_text())
    capsys.readouterr()
    assert main([*words, "popularity"]) == 2
    assert "it has settings of item-knn, and of no method of this run" in capsys.readouterr().err


def test_the_test_part_decides_nothing(shop, tmp_path, capsys):
    """Other test items and other test judgments: every trial, every score and the choice stay the same."""
    contents, fingerprints = [], set()
    for name in ("one", "other"):
        data = judged(shop, tmp_path / name)
        if name == "other":
            lines = [line.split() for line in (data / "sequences.txt").read_text().splitlines()]
            last = [[*words[:-1], next(f"i{n:02}" for n in range(60) if f"i{n:02}" not in words)] for words in lines]
            (data / "sequences.txt").write_text("".join(" ".join(words) + "\n" for words in last))
            (data / "qrels.txt").write_text("q6 0 i31 1\nq7 0 i36 1\n")
        fingerprints.add(benchmark.open_dataset(data, runs=tmp_path / "cache").fingerprint)
        tuned(data, tmp_path / f"runs-{name}", "--json", methods="item-knn,bm25", trials=5)
        contents.append(tried(found(capsys)))
    assert len(fingerprints) == 2 and contents[0] == contents[1]


def test_the_objective_may_be_another_metric_of_the_task(shop, tmp_path, capsys):
    tuned(shop, tmp_path, "--objective", "RR@20", "--json", trials=2)
    (method,) = found(capsys)["methods"]
    assert method["objective"] == "RR@20" and method["score"] > 0


def test_fixed_settings_are_in_every_trial_and_in_the_proposal(shop, tmp_path, capsys):
    tuned(shop, tmp_path, "--set", "item-knn.history=exclude", "--json", trials=2)
    (method,) = found(capsys)["methods"]
    assert method["settings"]["history"] == "exclude" and "history" not in method["all"][0]["settings"]
    tuned(shop, tmp_path, "--set", "item-knn.neighbours=5", code=2)
    assert "nothing is left to choose for 'item-knn': --set fixes all" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--methods", "popularity"], "'popularity' has no search space, so there is nothing to choose; leave it out"),
        (["--methods", "item-nn"], "Did you mean 'item-knn'?"),
        (["--task", "id-quality"], "--task id-quality: no validation part"),
        (["--task", "serch"], "unknown task 'serch'. Did you mean 'search'?"),
        (["--task", "search"], "--task search: item-knn is a recommender, which has no search"),
        (["--out", "tuned"], "--out tuned: the name of a preset file ends in .toml"),
        (["--objective", "nDCG@11"], "--objective 'nDCG@11': not a metric of recommendation. Did you mean 'nDCG@10'?"),
        (["--objective", "AMI"], "--objective 'AMI': not a metric of recommendation"),
        (["--preset", "tuned.toml"], "tune starts from a preset's name"),
        (["--preset", "tinny"], "unknown preset 'tinny'. Did you mean 'tiny'?"),
        (["--set", "item-knn.neighbors=3"], "item-knn.neighbors: unknown key. Did you mean 'neighbours'?"),
        (["--space", "none.toml"], "--space none.toml: cannot be read"),
        (["--device", "tpu"], "--device tpu: auto, cpu or cuda"),
    ],
)
def test_misuse_is_refused_before_the_first_trial(shop, tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    tuned(shop, tmp_path / "runs", *words, code=2)
    said = capsys.readouterr()
    assert message in said.err and not said.out and not list(tmp_path.glob("runs/.tune/*/*/*/study.db"))


def test_an_unknown_key_of_a_space_is_refused_with_the_nearest_one(shop, tmp_path, capsys):
    space = tmp_path / "space.toml"
    space.write_text("[item-knn]\nneighbors = [3, 4]\n")
    tuned(shop, tmp_path / "runs", "--space", str(space), code=2)
    assert "item-knn.neighbors: unknown key. Did you mean 'neighbours'?" in capsys.readouterr().err


def test_a_data_set_without_users_has_no_recommendation_to_tune(shop, tmp_path, capsys):
    data = judged(shop, tmp_path / "data")
    (data / "sequences.txt").unlink()
    (data / "dataset.toml").unlink()
    tuned(data, tmp_path / "runs", code=2)
    assert "the data set has no recommendation, so 'item-knn' cannot be tuned on it" in capsys.readouterr().err


def test_a_copy_without_a_test_part_is_searched_as_it_is(shop, tmp_path, capsys):
    assert main(["data", "write", str(shop), str(tmp_path / "copy"), "--without-test"]) == 0
    capsys.readouterr()
    contents = []
    for data in (shop, tmp_path / "copy"):
        tuned(data, tmp_path / "runs", "--json", trials=3)
        contents.append(tried(found(capsys)))
    assert contents[0] == contents[1]


PLUGIN = """
import numpy as np
from benchmark.types.method import Recommender
from benchmark.types.rankings import Rankings
from benchmark.config import MethodConfig

class BestConfig(MethodConfig):
    item: int = 0

class Best(Recommender[BestConfig]):
    def fit(self, corpus, histories, validation, context): ...

    def recommend(self, histories, k):
        items = np.tile(np.arange(k, dtype=np.int32) + self.config.item, (len(histories), 1))
        return Rankings(items, np.tile(np.arange(k, 0, -1, dtype=np.float32), (len(histories), 1)))
"""


def test_a_plugin_offers_a_space_in_the_same_way(shop, tmp_path):
    site = tmp_path / "site"
    (site / "best-1.dist-info").mkdir(parents=True)
    (site / "best-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: best\nVersion: 1\n")
    (site / "best-1.dist-info" / "entry_points.txt").write_text("[benchmark.methods]\nbest = best:Best\n")
    (site / "best.py").write_text(PLUGIN)
    (site / "best.toml").write_text("[tune]\nitem = { low = 0, high = 30 }\n")
    words = ["tune", "--methods", "best", "--dataset", str(shop), "--trials", "3", "--runs", str(tmp_path / "runs")]
    printed = commands.finish([*words, "--device", "cpu"], tmp_path, site)
    assert re.search(r"^best +3 +0 .* item=\d+$", printed, re.M)


def test_python_finds_what_the_command_line_finds(shop, tmp_path, capsys):
    tuned(shop, tmp_path, "--json", trials=3)
    content = found(capsys)
    tuning = benchmark.tune("item-knn", shop, trials=3, preset="tiny", runs=tmp_path, device="cpu", quiet=True)
    assert tuning.to_dict() == content and tuning["item-knn"].best.score == content["methods"][0]["score"]
    frame = tuning.to_frame()
    assert list(frame.trial) == [0, 1, 2] and frame.score.max() == tuning["item-knn"].best.score
    again = benchmark.run("item-knn", shop, preset=tuning.preset, runs=tmp_path, device="cpu", quiet=True)
    assert [dict(result.config["method"]).items() >= tuning["item-knn"].settings.items() for result in again] == [True]
    space = {"item-knn": {"neighbours": [3, 4]}}
    tuning = benchmark.tune("item-knn", shop, trials=2, space=space, runs=tmp_path, device="cpu", quiet=True)
    assert {trial.settings["neighbours"] for trial in tuning["item-knn"].trials} == {3, 4}
    with pytest.raises(UsageError, match="no method 'hc' is tuned here"):
        benchmark.tune("item-knn", shop, space={"hc": {}}, runs=tmp_path)
    with pytest.raises(ValueError, match="a whole number from 1"):
        benchmark.tune("item-knn", shop, trials=0, runs=tmp_path)


def test_trials_stand_in_no_report(shop, tmp_path, capsys):
    tuned(shop, tmp_path, trials=2)
    capsys.readouterr()
    assert main(["report", "--runs", str(tmp_path)]) == 2
    assert "no results below" in capsys.readouterr().err


@pytest.mark.parametrize("line", re.findall(r"^  (benchmark tune .*)$", tune.__doc__ or "", re.M))
def test_every_documented_command_works(line, shop, tmp_path, capsys):
    """With one trial, on a small shop."""
    words = shlex.split(line)[1:]
    words[words.index("--trials") + 1], words[words.index("--dataset") + 1] = "1", str(shop)
    words += [*(FAST if "rqkmeans" in line else []), *(SASREC if "sasrec" in line else []), "--device", "cpu"]
    assert main([*words, "--preset", "tiny", "--runs", str(tmp_path)]) == 0
    assert "to use them: benchmark run --preset" in capsys.readouterr().out


def test_the_space_in_the_help_is_one():
    text = re.search(r"^  \[sasrec\]\n((?:  .+\n)+)", tune.__doc__ or "", re.M)
    assert text is not None
    space = parse_space(tomllib.loads(text[1].replace("\n  ", "\n").strip()), "help")
    assert space["dropout"] == Choices((0.2, 0.5)) and "training.learning_rate" in space
