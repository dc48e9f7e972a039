"""What captions say of changed settings, and which rows of a table are tested against each other."""

import json

import pytest
from result_files import at_preset, hits, put

from benchmark.cli.main import main
from benchmark.reports.renderers import json_tables, terminal
from benchmark.reports.tables.standard import COST, ID_QUALITY, RECOMMENDATION, SEARCH, build
from benchmark.results.result_files import load_results

GENERATIVE = at_preset("rqvae", preset="small")["generative"]
STRONG, WEAK, WEAKER = hits(0.9), hits(0.4, 1), hits(0.1, 2)


def config(**method):
    return {"method": method, "generative": GENERATIVE, "protocol": {}}


def filled(runs, table=RECOMMENDATION):
    (found,) = build(table, load_results(runs))
    return found


def bold(found):
    return [row.label for row in found.rows if any(cell.bold for cell in row.cells)]


def test_the_caption_names_what_was_changed_in_the_preset(tmp_path):
    """A change that every generative row shares is said once, one of a single row with its label."""
    shared = {"generative.search.epochs": 8.0}
    put(tmp_path, "rqvae", task="search", values=STRONG, config=config(), changed={"levels": 2, **shared})
    put(tmp_path, "hc", task="search", values=WEAK, config=config(), changed=shared)
    put(tmp_path, "bm25", task="search", values=WEAKER, changed={})
    assert (
        "; preset small, changed: rqvae.levels=2, generative.search.epochs=8; text" in filled(tmp_path, SEARCH).caption
    )


def test_rows_at_the_preset_and_older_results_say_nothing(tmp_path):
    put(tmp_path, "rqvae", values=STRONG, config=config(), changed={})
    put(tmp_path, "hc", values=WEAK, config=config())
    found = filled(tmp_path)
    assert "; preset small; text" in found.caption and not any("changed" in note.lower() for note in found.footnotes)


def test_many_changes_are_cut_in_the_caption_and_all_of_them_are_in_a_note(tmp_path):
    changed = {f"key{number}": number for number in range(7)}
    put(tmp_path, "rqvae", values=STRONG, config=config(), changed=changed)
    found = filled(tmp_path)
    assert "changed: rqvae.key0=0, rqvae.key1=1, rqvae.key2=2, rqvae.key3=3, .. (7 in all); text" in found.caption
    (note,) = [note for note in found.footnotes if note.startswith("Changed in the preset: ")]
    assert note.count("rqvae.key") == 7


@pytest.mark.parametrize(
    "key",
    ["generative.search.epochs", "generative.sentence.max_words", "generative.ids.layers", "generative.beam_batch"],
)
def test_changes_that_do_not_decide_the_tables_task_are_not_named(tmp_path, key):
    both = {"recommendation": {"R@5": 0.1}, "id-quality": {"AMI": 0.1}}
    put(tmp_path, "rqvae", metrics=both, config=config(), changed={key: 3})
    for table in (RECOMMENDATION, ID_QUALITY):
        assert "changed" not in filled(tmp_path, table).caption


def test_a_table_of_costs_names_every_change(tmp_path):
    cost = {"stages": {"ids": {"seconds": 3, "device": "cpu"}}, "facts": {}}
    metrics = {"recommendation": {"R@5": 0.1}}
    put(tmp_path, "hc", metrics=metrics, config=config(), changed={"generative.beam_batch": 3}, cost=cost)
    assert "changed: generative.beam_batch=3;" in filled(tmp_path, COST).caption


@pytest.mark.parametrize(
    ("of_strong", "of_others", "words"),
    [
        ({"config": config(), "changed": {"generative.recommendation.epochs": 50}}, {"config": config(), "changed": {}},
         ("generative settings recommendation.epochs=50", "generative settings of the preset")),
        ({"config": config(history="exclude")}, {"config": config(history="keep")},
         ("history rule exclude", "history rule keep")),
        ({"config": {"method": {"history": "zero"}}}, {"config": config()}, ("history rule zero", "history rule keep")),
        ({"cost": {"stages": {"ids": {"device": "NVIDIA H200"}}, "facts": {}}},
         {"cost": {"stages": {"ids": {"device": "cpu (2 cores)"}}, "facts": {}}}, ("device GPU", "device CPU")),
        ({"code": "1234567890"}, {"code": "abcdefabcd"}, ("code 12345678", "code abcdefab")),
        ({"code": "1234567890"}, {}, ("code 12345678", "code an older version")),
    ],
)  # fmt: skip
def test_rows_of_other_conditions_are_marked_and_not_tested_against_each_other(tmp_path, of_strong, of_others, words):
    """The strongest row has nothing to be compared with; of the two others the better one is bold in its group."""
    put(tmp_path, "strong", values=STRONG, **of_strong)
    put(tmp_path, "weak", values=WEAK, **of_others)
    put(tmp_path, "weaker", values=WEAKER, **of_others)
    found = filled(tmp_path)
    assert bold(found) == ["weak"]
    assert [row.title for row in found.rows] == ["strong (group A)", "weak (group B)", "weaker (group B)"]
    (note,) = [note for note in found.footnotes if note.startswith("Rows of different groups")]
    assert note.endswith(f": A ({words[0]}): strong; B ({words[1]}): weak, weaker.")
    assert "strong (group A)" in terminal.render([found])
    assert [row["group"] for row in json.loads(json_tables.render([found]))[0]["rows"]] == ["A", "B", "B"]


def test_rows_of_the_same_conditions_are_all_tested(tmp_path):
    """The same change for all generative rows is no difference, and a row without a generative part goes with them."""
    changed = {"generative.recommendation.epochs": 50}
    cost = {"stages": {"ids": {"device": "cpu (2 cores)"}}, "facts": {}}
    put(tmp_path, "rqvae", values=WEAK, config=config(), changed=changed, cost=cost)
    put(tmp_path, "hc", values=WEAKER, config=config(), changed=changed)
    put(tmp_path, "sasrec", values=STRONG, config={"method": {"history": "keep"}}, changed={"layers": 1})
    found = filled(tmp_path)
    assert bold(found) == ["sasrec"] and not any(row.group for row in found.rows)
    assert not any("different groups" in note for note in found.footnotes)


def test_the_history_rule_and_the_other_tasks_settings_do_not_divide_search(tmp_path):
    for label, values, rule in (("rqvae", STRONG, "zero"), ("hc", WEAK, "keep")):
        changed = {"generative.recommendation.epochs": len(label)}
        put(tmp_path, label, task="search", values=values, config=config(history=rule), changed=changed)
    assert bold(filled(tmp_path, SEARCH)) == ["rqvae"]


def test_seeds_of_several_versions_are_a_group_of_their_own(tmp_path):
    for seed, code in enumerate(("1234567890", "abcdefabcd")):
        put(tmp_path, "mixed", seed=seed, values=STRONG, code=code)
        put(tmp_path, "one", seed=seed, values=WEAK, code="abcdefabcd")
    (note,) = [note for note in filled(tmp_path).footnotes if note.startswith("Rows of different groups")]
    assert "A (code 12345678 and abcdefab): mixed; B (code abcdefab): one" in note


def test_compare_says_what_else_differs(tmp_path, capsys):
    put(tmp_path, "sasrec", values=STRONG, config={"method": {"history": "exclude"}})
    put(tmp_path, "hc", values=WEAK, config=config())
    assert main(["compare", "sasrec", "hc", "--runs", str(tmp_path)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "The rows also differ in history rule (exclude, keep): that may be the cause." in said
