"""`benchmark compare`: means, intervals, p-values and the sentence, against SciPy and a true null hypothesis."""

import json
from pathlib import Path

import numpy as np
import pytest
from result_files import N, hits, put
from scipy import stats

import benchmark
from benchmark.cli.main import main
from benchmark.errors import BenchmarkError, UsageError
from benchmark.reports.tables import comparison
from benchmark.reports.tables.comparison import compare, find_pairs, sentence
from benchmark.reports.tables.scores import difference_limits, is_swapped, query_values
from benchmark.results.result_files import group_seeds, load_results

TASK = "recommendation"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def pair(runs: Path, a: str = "a", b: str = "b", task: str = TASK):
    ((_, found),) = find_pairs(load_results(runs), a, b, None, runs, [task])
    return found


def test_means_difference_interval_and_p_are_scipys(runs):
    rng = np.random.default_rng(0)
    base = rng.random(N)
    a, b = np.clip(base + rng.normal(0.02, 0.1, N), 0, 1), base
    put(runs, "a", values=a)
    put(runs, "b", values=b)
    (found,) = compare(*pair(runs), TASK)
    assert (found.a, found.b, found.difference) == pytest.approx((a.mean(), b.mean(), (a - b).mean()))
    interval = stats.bootstrap((a - b,), np.mean, method="percentile", rng=0).confidence_interval
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=0.002)
    expected = stats.permutation_test(
        (a, b), lambda x, y, axis: (x - y).mean(axis), permutation_type="samples", vectorized=True, rng=0
    ).pvalue
    assert found.p == pytest.approx(expected, abs=0.02) and found.p_holm == found.p


@pytest.mark.parametrize("share", [0.3, 0.003], ids=["bootstrap", "rare"])
def test_the_order_of_two_rows_decides_nothing(runs, share):
    """Limits of A - B are those of B - A, and those that bold is decided by; seeds of both are resampled."""
    for label, seeds, more in (("a", 3, 0.02), ("b", 2, 0.0)):
        for seed in range(seeds):
            put(runs, label, seed=seed, values=hits(share + more * share + 0.001 * seed, seed))
    (one,), (other,) = (compare(*pair(runs, *labels), TASK) for labels in (("a", "b"), ("b", "a")))
    assert (one.low, one.high) == (-other.high, -other.low) and one.low < one.difference < one.high
    files = [[runs / "demo" / label / "k1" / f"seed-{s}" / "scores.recommendation.tsv" for s in range(n)]
             for label, n in (("b", 2), ("a", 3))]  # fmt: skip
    values = [query_values(paths, ["R@5"])[1] for paths in files]
    ((low, high),) = difference_limits(["R@5"], values[0], values[1:], [is_swapped(*files)])
    assert (low[0], high[0]) == (other.low, other.high)


def test_id_quality_is_compared_on_the_seeds_that_both_have(runs):
    """A has one more seed, a lucky one; B is better wherever both were run."""
    a, b = [0.9, 0.50, 0.51, 0.52, 0.50, 0.51, 0.50], [0.54, 0.55, 0.56, 0.54, 0.56, 0.55]
    for seed, value in enumerate(a):
        put(runs, "a", seed=seed, metrics={"id-quality": {"AMI": value}})
    for seed, value in enumerate(b, 1):
        put(runs, "b", seed=seed, metrics={"id-quality": {"AMI": value}})
    (found,) = compare(*pair(runs, task="id-quality"), "id-quality")
    means = np.mean(a[1:]), np.mean(b)
    assert (found.a, found.b, found.difference) == pytest.approx((*means, means[0] - means[1]))
    assert found.low < found.difference < found.high < 0 and found.winner == "B" and found.units == "6 seeds"


def test_every_query_set_is_compared_for_itself_and_named(runs):
    for queries, share in (("simulated", 0.5), ("category-derived", 0.2)):
        for label, more in (("a", 0.3), ("b", 0.0)):
            put(runs, label, key=queries, values=hits(share + more), task="search", queries=queries)
    compared = benchmark.compare("a", "b", runs=runs)
    found = compared.tasks
    assert [(one.protocol, len(one.metrics)) for one in found] == [
        ("category-derived queries", 1), ("simulated known-item queries", 1),
    ]  # fmt: skip
    assert [one.metrics[0].b for one in found] == pytest.approx([hits(0.2).mean(), hits(0.5).mean()])
    assert "Demo shop, search; category-derived queries: A = a (seed 0)" in str(compared)


def test_a_query_set_is_named_where_only_one_of_the_two_rows_has_another(runs):
    put(runs, "a", key="simulated", values=hits(0.5), task="search", queries="simulated")
    for label in ("a", "b"):
        put(runs, label, key="own", values=hits(0.3), task="search", queries="category-derived")
    (found,) = benchmark.compare("a", "b", runs=runs).tasks
    assert found.protocol == "category-derived queries"


def test_results_of_two_query_sets_are_one_where_the_task_has_no_queries(runs):
    for queries in ("simulated", "category-derived"):
        for label in ("a", "b"):
            put(runs, label, key=queries, values=hits(0.5), task="search", queries=queries,
                metrics={"id-quality": {"AMI": 0.4}})  # fmt: skip
    assert [one.task for one in benchmark.compare("a", "b", runs=runs).tasks] == ["id-quality", "search", "search"]


def test_the_papers_split_and_whole_runs_are_taken_for_each_data_set_that_has_them(runs):
    timed, limited = (
        {"method": {}, "protocol": {name: value}} for name, value in (("split", "time"), ("first_look", 9))
    )
    for label in ("a", "b"):
        put(runs, label, values=hits(0.5))
        put(runs, label, key="limited", values=hits(0.4, n=9), config=limited)
        put(runs, label, values=hits(0.3), dataset={"name": "other", "title": "Other"}, config=timed)
    found = benchmark.compare("a", "b", runs=runs).tasks
    assert [(one.dataset, one.metrics[0].a) for one in found] == [
        ("Demo shop", pytest.approx(hits(0.5).mean())), ("Other, split time", pytest.approx(hits(0.3).mean())),
    ]  # fmt: skip


def test_a_pair_that_cannot_be_compared_does_not_hide_the_others(runs):
    for label in ("a", "b"):
        put(runs, label, values=hits(0.5))
        put(runs, label, values=hits(0.5, n=N - (label == "b")), dataset={"name": "other", "title": "Other"})
    printed = " ".join(str(benchmark.compare("a", "b", runs=runs)).split())  # whatever the terminal's width
    assert "Demo shop, recommendation: A = a" in printed and "Other, recommendation: A = a" in printed
    assert "recommendation: not compared: a and b were scored on different queries of recommendation." in printed
    with pytest.raises(BenchmarkError, match="scored on different queries"):
        benchmark.compare("a", "b", dataset="other", runs=runs)


def test_rows_without_a_preset_in_common_are_compared_and_the_sentence_says_so(runs):
    put(runs, "a", values=hits(0.5))
    put(runs, "b", values=hits(0.2), preset="tuned")
    (found,) = benchmark.compare("a", "b", runs=runs).tasks
    assert found.protocol == "" and found.metrics[0].winner == "A"
    assert found.sentence.endswith("The rows also differ in preset (small, tuned): that may be the cause.")
    put(runs, "b", key="same", values=hits(0.4))
    (found,) = benchmark.compare("a", "b", runs=runs).tasks
    assert found.protocol == "preset small" and found.metrics[0].b == pytest.approx(hits(0.4).mean())


def test_a_folder_with_several_labels_names_the_one_that_was_compared(runs):
    for label, preset in (("a", "small"), ("c", "base")):
        put(runs, label, values=hits(0.5), preset=preset)
        put(runs, "b", key=preset, values=hits(0.2), preset=preset)
    found = benchmark.compare(str(runs / "demo"), "b", runs=runs).tasks
    assert [(one.a, one.protocol) for one in found] == [("a", "preset small"), ("c", "preset base")]
    assert all(one.sentence.startswith(f"{TASK}: {one.a} is better than b") for one in found)


@pytest.mark.parametrize("names", [("", "b"), ("a", " ")])
def test_an_empty_name_is_no_row(runs, names):
    put(runs, "a", values=hits(0.5))
    with pytest.raises(UsageError, match="an empty name"):
        benchmark.compare(*names, runs=runs)


def test_two_configurations_of_a_label_are_named_with_their_folders(runs):
    for key, levels in (("k1", 3), ("k2", 4)):
        config = {"method": {"levels": levels}, "generative": None, "protocol": {}}
        put(runs, "a", key=key, values=hits(0.5), config=config)
    path = put(runs, "b", values=hits(0.2))
    with pytest.raises(UsageError, match=r"several pairs of results for recommendation") as raised:
        pair(runs)
    assert "a [levels=3]: " in str(raised.value) and "a [levels=4]: " in str(raised.value)
    ((_, (one, other)),) = find_pairs(load_results(runs), str(runs / "demo" / "a" / "k2"), "b", None, runs, [TASK])
    assert one[0].config["method"] == {"levels": 4} and other[0].folder == path


def test_a_seed_that_was_not_run_on_the_task_does_not_count(runs):
    for label, share in (("a", 0.5), ("b", 0.2)):
        put(runs, label, values=hits(share))
        put(runs, label, seed=1, metrics={"id-quality": {"AMI": 0.5}})
    (found,) = compare(*pair(runs), TASK)
    assert found.a == pytest.approx(hits(0.5).mean()) and found.winner == "A"


def test_p_values_are_corrected_by_holm_over_the_metrics_of_the_task(runs):
    rng = np.random.default_rng(1)
    shifts = {"R@5": 0.05, "R@10": 0.03, "RR@20": 0.0}
    put(runs, "a", values={measure: rng.normal(shift, 0.2, N) for measure, shift in shifts.items()})
    put(runs, "b", values={measure: rng.normal(0.0, 0.2, N) for measure in shifts})
    found = sorted(compare(*pair(runs), TASK), key=lambda c: c.p)
    by_hand = np.maximum.accumulate([min(1.0, c.p * (3 - i)) for i, c in enumerate(found)])
    assert [c.p_holm for c in found] == pytest.approx(by_hand.tolist())


def test_two_identical_methods_are_called_different_in_at_most_five_of_a_hundred_draws(runs, monkeypatch):
    """1,000 draws of two methods with the same distribution, two seeds each and five related metrics."""
    rng = np.random.default_rng(2)
    measures = ("R@5", "R@10", "nDCG@5", "nDCG@10", "RR@20")
    for label in ("a", "b"):
        put(runs, label, values=dict.fromkeys(measures, hits(0.3, 0, 40)))
    sides, ids = pair(runs), [f"q{row}" for row in range(40)]

    def drawn():
        while True:
            easy = rng.random((1, 40, 1))  # queries differ in difficulty, for both methods alike
            for _ in sides:
                yield ids, (rng.random((2, 40, 5)) < easy) * rng.random((2, 40, 1))

    draws = drawn()
    monkeypatch.setattr(comparison, "query_values", lambda paths, measures: next(draws))
    monkeypatch.setattr(
        comparison, "difference_limits", lambda measures, a, others, swapped: [(np.full(5, -1.0), np.full(5, 1.0))]
    )
    called = sum(any(found.differs for found in compare(*sides, TASK)) for _ in range(1000))
    assert called <= 50 + 3.3 * 6.9, "3.3 standard deviations above 5% of 1,000"
    assert called > 5, "a test that never rejects would pass too"


def test_a_real_difference_is_found_and_said_and_the_smaller_is_better_for_collisions(runs):
    for seed in range(8):
        put(runs, "a", seed=seed, values=hits(0.5, seed), metrics={"id-quality": {"collision_rate": 0.1 + seed / 1e3}})
        put(runs, "b", seed=seed, values=hits(0.2, 9 + seed), metrics={"id-quality": {"collision_rate": 0.5}})
    (found,) = compare(*pair(runs), TASK)
    assert found.winner == "A" and found.low > 0.2 and found.high < 0.4
    assert sentence("a", "b", [found]) == f"{TASK}: a is better than b in R@5 (level 0.05 after Holm, over {N} users)."
    (found,) = compare(*pair(runs, task="id-quality"), "id-quality")
    assert found.difference < 0 and found.winner == "A" and found.p == pytest.approx(2 / 2**8), "all signs or none"
    assert "a is better than b in collision_rate" in sentence("a", "b", [found])


def test_few_seeds_without_values_per_query_find_nothing_and_say_why(runs):
    for seed, (a, b) in enumerate([(0.50, 0.30), (0.51, 0.32), (0.52, 0.31)]):
        put(runs, "a", seed=seed, metrics={"id-quality": {"AMI": a}})
        put(runs, "b", seed=seed, metrics={"id-quality": {"AMI": b}})
    (found,) = compare(*pair(runs, task="id-quality"), "id-quality")
    test = stats.ttest_rel([0.50, 0.51, 0.52], [0.30, 0.32, 0.31]).confidence_interval()
    assert (found.low, found.high) == pytest.approx((test.low, test.high))
    assert found.p == 0.25 and not found.winner
    said = sentence("a", "b", [found])
    assert "no significance test is possible with 3 seeds: it takes at least 6" in said
    assert "The t intervals of AMI exclude 0." in said


def test_more_metrics_need_more_seeds_before_any_can_be_significant_after_holm(runs):
    """Five metrics: 5 x 2^-6 is .078 with seven seeds and 5 x 2^-7 is .039 with eight."""
    five = ("AMI", "NMI", "AMI@level2", "co_purchase_lift@1", "co_purchase_lift@2")
    for seed in range(8):
        put(runs, "a", seed=seed, metrics={"id-quality": dict.fromkeys(five, 0.9 + seed / 1e4)})
        put(runs, "b", seed=seed, metrics={"id-quality": dict.fromkeys(five, 0.1)})
    a, b = pair(runs, task="id-quality")
    said = sentence("a", "b", compare(a[:7], b[:7], "id-quality"))
    assert "no significance test is possible with 7 seeds: it takes at least 8 for 5 metrics" in said
    assert "a is better than b in" in sentence("a", "b", compare(a, b, "id-quality"))


def test_a_difference_that_other_seeds_may_not_have_makes_no_row_better(runs):
    """A is ahead by .04 on average, but its two seeds are .2 apart: the next two may well be behind."""
    base = hits(0.3, n=2000)
    for seed, share in enumerate((0.0, 0.2)):
        extra = (np.random.default_rng(10 + seed).random(2000) < share) & (base == 0)
        put(runs, "a", seed=seed, values=base + extra)
        put(
            runs,
            "b",
            seed=seed,
            values=np.where(np.random.default_rng(20 + seed).random(2000) < 0.1, hits(0.6, 5, 2000), base),
        )
    (found,) = compare(*pair(runs), TASK)
    assert found.differs and found.low < 0 < found.high and not found.winner
    assert "in R@5 the means of these seeds differ, but the 95% interval over seeds and users includes 0" in sentence(
        "a", "b", [found]
    )


def test_queries_in_another_order_are_paired_by_id(runs):
    base = np.random.default_rng(0).random(N) * 0.9
    put(runs, "a", values=base + 0.05)
    path = put(runs, "b", values=base) / f"scores.{TASK}.tsv"
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, *lines[::-1]]) + "\n")
    (found,) = compare(*pair(runs), TASK)
    assert found.winner == "A" and (found.low, found.high) == pytest.approx((0.05, 0.05), abs=0.02)


def test_the_command_prints_a_table_and_json_and_takes_folders(runs, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    put(runs, "a", values=hits(0.8))
    settings = [{"method": {"size": size}, "generative": None, "protocol": {}} for size in (1, 2)]
    folders = [
        put(runs, "b", values=hits(0.2, seed), key=f"k{seed}", config=config).parent
        for seed, config in enumerate(settings)
    ]
    assert main(["compare", "a", "b", "--dataset", "demo", "--runs", str(runs)]) == 2
    error = capsys.readouterr().err
    assert all(str(folder) in error for folder in folders)
    assert main(["compare", "a", str(folders[1]), "--dataset", "demo", "--runs", str(runs)]) == 0
    assert f"a is better than b in R@5 (level 0.05 after Holm, over {N} users)" in capsys.readouterr().out
    assert main(["compare", "a", str(folders[1]), "--task", TASK, "--runs", str(runs), "--json"]) == 0
    (compared,) = json.loads(capsys.readouterr().out)
    assert compared["a"] == "a" and compared["metrics"][0]["p_holm"] < 0.05


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["a", "bb"], "no results of 'bb' in"), (["a", "b", "--task", "serch"], "Did you mean 'search'?"),
        (["a", "b", "--dataset", "x"], "no results of the data set 'x'"), (["a", "c"], "no results of one task"),
        (["a", "a"], "a and a are one row: name two"),
    ],
)  # fmt: skip
def test_misuse_is_explained(runs, capsys, words, says):
    put(runs, "a", values=hits(0.8))
    put(runs, "b", values=hits(0.8))
    put(runs, "c", values=hits(0.8), text_fields=["title"])
    assert main(["compare", *words, "--runs", str(runs)]) == 2
    assert says in capsys.readouterr().err


def test_results_scored_on_other_queries_cannot_be_compared(runs, capsys):
    put(runs, "a", values=hits(0.8))
    put(runs, "b", values=hits(0.8)[:100])
    assert main(["compare", "a", "b", "--runs", str(runs)]) == 1
    assert "scored on different queries" in capsys.readouterr().err
    assert len(group_seeds(load_results(runs))) == 2
