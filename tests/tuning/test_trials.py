"""Trials: what the next one tries follows from the seed and those before it, whatever interrupts them."""

import json
from pathlib import Path

import pytest

from benchmark.errors import BenchmarkError
from benchmark.tuning.space import Choices, Range
from benchmark.tuning.trials import STUDY, TrialStore

SPACE = {
    "rate": Range(1e-4, 1e-1, log=True),
    "size": Choices((8, 16, 32)),
    "levels": Range(1, 4),
    "kind": Choices(("a", "b")),
}


def store(folder: Path, seed: int = 0, **first: object) -> TrialStore:
    return TrialStore(folder, SPACE, first, True, seed)


def score(settings: dict) -> float | None:
    """A planted objective: best at a rate of 0.01 with 32; levels of 4 fail."""
    return None if settings["levels"] == 4 else settings["size"] - abs(settings["rate"] - 0.01)


def search(folder: Path, n_trials: int, seed: int = 0, reopen: bool = False) -> list:
    trials = store(folder, seed, size=16, levels=2, rate=0.5)
    for _ in range(n_trials):
        settings = trials.proposed()
        trials.add(settings, found := score(settings), 1.0, "" if found is not None else "too deep")
        trials = store(folder, seed, size=16, levels=2, rate=0.5) if reopen else trials
    return trials.finished()


def test_the_first_trial_is_the_preset_as_far_as_the_space_holds_it(tmp_path: Path) -> None:
    first = store(tmp_path, size=16, levels=2, rate=0.5, other=3).proposed()
    assert (first["size"], first["levels"]) == (16, 2) and 1e-4 <= first["rate"] <= 1e-1 and set(first) == set(SPACE)


def test_the_same_seed_tries_the_same_settings_also_when_each_trial_is_a_process_of_its_own(tmp_path: Path) -> None:
    once, again = search(tmp_path / "a", 14), search(tmp_path / "b", 14, reopen=True)
    assert once == again and [trial.number for trial in once] == list(range(14))
    other = search(tmp_path / "c", 3, seed=1)
    assert [trial.settings for trial in other[1:]] != [trial.settings for trial in once[1:3]]


def test_a_trial_that_was_not_finished_is_proposed_again(tmp_path: Path) -> None:
    search(tmp_path, 3)
    assert store(tmp_path).proposed() == store(tmp_path).proposed() == search(tmp_path, 1)[-1].settings


def test_failed_trials_count_and_are_told_with_their_reason(tmp_path: Path) -> None:
    trials = search(tmp_path, 16)
    failed = [trial for trial in trials if trial.score is None]
    assert failed and {trial.reason for trial in failed} == {"too deep"} and len(trials) == 16
    assert all(trial.settings["levels"] == 4 for trial in failed)


def test_the_sampler_learns_from_what_was_scored(tmp_path: Path) -> None:
    trials = search(tmp_path, 40)
    late = [trial.settings["size"] for trial in trials[20:]]
    assert late.count(32) > len(late) / 2


def test_no_settings_are_tried_twice_while_there_are_others(tmp_path: Path) -> None:
    trials = TrialStore(tmp_path, {"a": Choices((1, 2, 3)), "b": Choices((1, 2))}, {}, True, 0)
    for _ in range(8):
        trials.add(trials.proposed(), 1.0, 0.0)
    tried = [tuple(trial.settings.values()) for trial in trials.finished()]
    assert len(set(tried[:5])) == 5 and len(tried) == 8


def test_numbers_that_are_drawn_can_be_typed_again(tmp_path: Path) -> None:
    for trial in search(tmp_path, 12):
        rate = trial.settings["rate"]
        assert float(f"{rate:.4g}") == rate and 1e-4 <= rate <= 1e-1


def test_steps_are_kept_to_the_last_digit_and_so_is_the_preset(tmp_path: Path) -> None:
    space = {"share": Range(0.0, 1.0, step=0.03125), "rate": Range(1e-6, 1e-1, log=True)}
    trials = TrialStore(tmp_path, space, {"rate": 0.000123456, "share": 0.53125}, True, 0)
    for _ in range(30):
        trials.add(trials.proposed(), 1.0, 0.0)
    found = [trial.settings for trial in trials.finished()]
    assert found[0] == {"rate": 0.000123456, "share": 0.53125} and len(found) == 30
    assert all(settings["share"] * 32 == int(settings["share"] * 32) for settings in found)


def test_the_listing_holds_every_trial(tmp_path: Path) -> None:
    trials = search(tmp_path, 5)
    lines = [json.loads(line) for line in (tmp_path / "trials.jsonl").read_text().splitlines()]
    assert [(line["number"], line["settings"], line["score"]) for line in lines] == [
        (trial.number, trial.settings, trial.score) for trial in trials
    ]


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "a b?c#d%20 'ü'"
    assert len(search(folder, 2)) == 2 and (folder / STUDY).is_file()
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    search(tmp_path, 1)
    (tmp_path / STUDY).write_text("not a data base")
    with pytest.raises(BenchmarkError, match=r"study\.db: the trials cannot be read or written: .*; delete the file"):
        store(tmp_path).finished()
