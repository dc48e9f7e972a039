"""Figures from result files: what is plotted is what the files say, and it can be read by everyone."""

import json
import os
import re
import shlex
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ElementTree
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis.strategies import characters, integers, lists, text
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from benchmark.cli import figures as figures_command
from benchmark.cli.main import main
from benchmark.registry import load, registered
from benchmark.reports.figures import Options, figures_svg, style
from benchmark.reports.figures.drawing import draw_all, figure_bytes
from benchmark.reports.figures.mosaic import MOST_BARS, category_level, merged
from benchmark.reports.figures.training import stage_order
from benchmark.reports.tables.standard import RECOMMENDATION, build
from benchmark.results.result_files import load_results

FINGERPRINT = "0123456789abcdef"
PATHS = [["shop", "lamp", "desk"], ["shop", "lamp", "floor"], ["shop", "soap", "hand"], ["shop", "brush", "hair"], []]
HOSTILE = [
    "$\\frac{1}{", "100%_\\%", "_hidden", "中文标签", "日本語標", "😀🎉", "a" * 90, "W" * 60 + "1", "W" * 60 + "2",
    "\n\tx", "\u202eright", "é̂ﬁ ﷽", "x\x00y\ud800z", "<b>&amp;", "",
]  # fmt: skip


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


def put(runs, label, *, codes=None, seed=0, key="k1", log=None, metrics=None, title="Demo shop", **fields):
    """Write one result: IDs of the items i0, i1, .. (and their listing, once), a training log, metrics."""
    path = runs / "demo" / f"{len(list(runs.glob('*/*')))}-{label[:1] if label[:1].isalnum() else 'x'}" / key
    path = path / f"seed-{seed}"
    path.mkdir(parents=True)
    listing = path.parents[2] / f"items-{FINGERPRINT[:12]}.jsonl"
    if codes is not None:
        (path / "ids.tsv").write_text("".join(f"i{i}\t{'-'.join(map(str, code))}\n" for i, code in enumerate(codes)))
        if not listing.exists():
            rows = [{"id": f"i{i}", "title": "t", "categories": PATHS[i % len(PATHS)]} for i in range(len(codes))]
            listing.write_text("".join(json.dumps(row) + "\n" for row in rows))
    if log is not None:
        (path / "log.jsonl").write_text("".join(json.dumps({"in": "ids", **record}) + "\n" for record in log))
    content = {
        "format": 1, "dataset": {"name": "demo", "title": title, "fingerprint": FINGERPRINT, "counts": {}},
        "method": fields.pop("method", label), "label": label, "kind": "indexer", "preset": "small",
        "text_fields": ["title"], "seed": seed, "key": key, "config": {"method": fields.pop("settings", {})},
        "metrics": metrics or {}, "queries": "judged", "notes": [], "versions": {}, "revision": "r",
    }  # fmt: skip
    (path / "result.json").write_text(json.dumps(content | fields))
    return path


def drawn(runs, name, **options):
    (outcome,) = draw_all(load_results(runs), names=[name], options=Options(**options))
    assert not outcome.problem
    return outcome.drawn


def bars(axes):
    """Return the bars of a mosaic as rows {colour and hatching: items}, from the artists alone."""
    steps = [artist for artist in axes.patches if isinstance(artist, StepPatch)]
    edges = steps[0].get_data().edges
    tops = sorted(((step.get_data().values, _look(step)) for step in steps), key=lambda pair: pair[0].sum())
    found = [Counter() for _ in range(len(edges) - 1)]
    below = np.zeros(len(edges) - 1)
    for values, look in tops:
        for bar, items in zip(found, (values - below) * np.diff(edges), strict=True):
            bar[look] += round(items)
        below = values
    return [+bar for bar in found]


def _look(patch):
    return tuple(np.round(patch.get_facecolor(), 3)), patch.get_hatch() or ""


def legend(figure):
    (found,) = figure.legends
    return {text.get_text(): _look(handle) for text, handle in zip(found.get_texts(), found.get_patches(), strict=True)}


def codes_of(n, first, second):
    return [(i * 7 % first, i * 3 % second) for i in range(n)]


def test_a_mosaic_counts_the_items_of_every_code_and_category(runs):
    codes = codes_of(83, 5, 3)
    put(runs, "rqvae", codes=codes, metrics={"id-quality": {"AMI": 0.1234}})
    (one,) = drawn(runs, "categories")
    named = legend(one.figure)
    assert set(named) == {"lamp", "soap", "brush", "no category"}
    expected = []
    for code in {code[0] for code in codes}:
        rows = [PATHS[i % len(PATHS)] for i in range(len(codes)) if codes[i][0] == code]
        expected.append(Counter(named[row[1] if row else "no category"] for row in rows))
    (axes,) = one.figure.axes
    assert Counter(map(_hashable, bars(axes))) == Counter(map(_hashable, expected))
    assert [axes.get_title("left"), axes.get_title("right")] == ["rqvae", "5 codes, AMI 0.123"]


def _hashable(counter):
    return tuple(sorted(counter.items()))


def test_codes_of_one_most_frequent_category_stand_together(runs):
    put(runs, "rqvae", codes=[(int(c),) for c in np.random.default_rng(0).integers(40, size=400)])
    (one,) = drawn(runs, "categories")
    largest = [bar.most_common(1)[0][0] for bar in bars(one.figure.axes[0]) if len(set(bar.values())) == len(bar)]
    blocks = sum(left != right for left, right in pairwise(largest)) + 1
    assert len(largest) > 10 and blocks <= len(set(largest)) + 2  # ties between categories may stand in between


def test_rare_categories_are_grey_and_the_seven_most_frequent_coloured(runs):
    path = put(runs, "rqvae", codes=[(i % 4,) for i in range(100)])
    names = [f"c{min(i // 8, 11):02}" for i in range(100)]
    rows = [{"id": f"i{i}", "title": "", "categories": [name]} for i, name in enumerate(names)]
    listing = next(path.parents[2].glob("items-*"))
    listing.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (one,) = drawn(runs, "categories")
    coloured = [name for name, _ in sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0]))[:7]]
    assert list(legend(one.figure)) == [*coloured, "other categories"]
    grey = legend(one.figure)["other categories"]
    assert len({round(channel, 2) for channel in grey[0][:3]}) == 1
    assert sum(bar[grey] for bar in bars(one.figure.axes[0])) == sum(name not in coloured for name in names)


def test_the_second_codes_of_the_four_largest_first_codes_are_shown(runs):
    codes = [(min(i // 20, 5), i % 3) for i in range(120)] + [(6, 1)] * 40 + [(7, 0)] * 30
    put(runs, "hc", codes=codes)
    (one,) = drawn(runs, "categories-inside")
    titles = [axes.get_title("left") for axes in one.figure.axes]
    assert titles == [f"first code {code}" for code in (6, 7, 0, 1)]
    named = legend(one.figure)
    assert {"lamp > desk", "lamp > floor", "soap > hand", "brush > hair"} <= set(named)
    inside = [i for i, code in enumerate(codes) if code[0] == 0]
    expected = [
        Counter(named[" > ".join(PATHS[i % 5][1:]) or "no category"] for i in inside if codes[i][1] == code)
        for code in range(3)
    ]
    assert Counter(map(_hashable, bars(one.figure.axes[2]))) == Counter(map(_hashable, expected))


def test_chosen_first_codes_and_levels_are_obeyed_and_refused_where_they_are_not_there(runs, tmp_path, capsys):
    put(runs, "hc", codes=codes_of(60, 4, 3))
    (one,) = drawn(runs, "categories-inside", first_codes=(3, 1), level=2)
    assert [axes.get_title("left") for axes in one.figure.axes] == ["first code 3", "first code 1"]
    assert "level 2 of" in one.caption and "shop > lamp" in legend(one.figure)
    words = ["figures", "--runs", str(runs), "--figures", "categories-inside", "--out", str(tmp_path / "out")]
    assert main([*words, "--first-codes", "99"]) == 1
    assert "no indexer has second codes behind 99" in capsys.readouterr().err
    with pytest.raises(SystemExit, match=r"^2$"):
        main([*words, "--level", "0"])


def test_the_level_is_the_most_general_that_tells_items_apart():
    assert category_level(Counter([("a", "b", "c"), ("a", "d", "e")])) == 2
    assert category_level(Counter([("a",), ("b",)])) == 1
    assert category_level(Counter(("a", str(i % 10 == 0), str(i)) for i in range(100))) == 3  # 90% in one: no picture
    assert category_level(Counter(("a", str(i == 0)) for i in range(100))) == 2  # but better than 100%
    assert category_level(Counter([("a",)] * 3 + [()])) == 1 and category_level(Counter([()])) == 1


@given(lists(integers(1, 9), min_size=1, max_size=3 * MOST_BARS))
def test_bars_that_are_added_up_keep_all_items_in_their_order(counts):
    table = np.array([[count, count % 2] for count in counts], np.int64)
    found = merged(table)
    assert len(found) <= max(MOST_BARS, min(len(table), MOST_BARS))
    assert found.sum(axis=0).tolist() == table.sum(axis=0).tolist()
    assert set(np.cumsum(found.sum(axis=1))) <= set(np.cumsum(table.sum(axis=1)))


def test_equal_ids_of_one_label_are_one_panel(runs):
    for key in ("k1", "k2"):
        put(runs, "rqvae", codes=codes_of(30, 3, 2), key=key)
    put(runs, "rqvae", codes=codes_of(30, 4, 2), key="k3", settings={"levels": 2})
    put(runs, "random", codes=codes_of(30, 5, 2))
    (one,) = drawn(runs, "categories")
    titles = [axes.get_title("left") for axes in one.figure.axes]
    assert titles == ["rqvae [levels=2]", "rqvae [levels=unset]", "random"]  # controls last


def study(label, seed, shift):
    """A log as LMIndexer writes it: measurements at the end of epochs, stages in alphabetical order."""
    stages = [("position1.full", (10,)), ("position1.no-code", (5, 10)), ("position2.full", (4,)), ("warmup", ())]
    records = [{"stage": stage, "step": step, "loss": 1.0} for stage, _ in stages for step in range(1, 11)]
    for stage, steps in stages:
        for step in steps:
            value = {"stage": stage, "step": step, "macro_f1": 0.01 * step + shift, "micro_f1": 0.5}
            records.append(value | ({} if "no-code" in stage else {"perplexity": 100 * (1 + shift), "diff_ratio": 0.5}))
    return records


def test_the_training_study_shows_the_means_over_seeds_at_the_ends_of_epochs(runs):
    shifts = (0.1, 0.3, 0.2)
    for seed, shift in enumerate(shifts):
        put(runs, "lmindexer", seed=seed, log=study("lmindexer", seed, shift))
    put(runs, "plain", log=study("plain", 0, 0.0))
    put(runs, "silent", log=[{"stage": "train", "step": 1, "loss": 0.1}])
    (one,) = drawn(runs, "training")
    assert [axes.get_ylabel() for axes in one.figure.axes] == ["macro-F1", "perplexity", "diff ratio"]
    first = one.figure.axes[0]
    lines = [line for line in first.lines if line.get_marker() in style.MARKERS]
    assert [text.get_text() for text in one.figure.legends[0].get_texts()] == ["lmindexer", "plain"]
    order = [0.05, 0.10, 0.10, 0.04]  # no-code at half and at the end, then position 1, then position 2
    assert lines[0].get_ydata() == pytest.approx([value + np.mean(shifts) for value in order])
    assert lines[1].get_ydata() == pytest.approx(order)
    assert lines[1].get_xdata() == pytest.approx([0.5, 1, 2, 2.4], abs=0.15)
    (segments, *_) = [c.get_segments() for c in first.collections if len(c.get_segments())]
    half = scipy.stats.t.ppf(0.975, 2) * np.std(shifts, ddof=1) / 3**0.5
    assert [segment[:, 1] for segment in segments] == [
        pytest.approx([value + np.mean(shifts) - half, value + np.mean(shifts) + half]) for value in order
    ]
    names = [tick.get_text() for tick in one.figure.axes[-1].get_xticklabels()]
    assert names == ["1\nno-code", "1\nfull", "2\nfull"]
    assert "Bars are 95% t intervals" in one.caption


def test_the_training_study_of_two_seeds_speaks_of_no_bars(runs):
    for seed in (0, 1):
        put(runs, "lmindexer", seed=seed, log=study("lmindexer", seed, 0.1 * seed))
    (one,) = drawn(runs, "training")
    assert "Bars" not in one.caption and "seeds 0, 1" in one.caption


def test_a_training_of_which_more_was_made_later_is_one_line(runs):
    for seed in (0, 1):
        put(runs, "lmindexer", seed=seed, log=study("lmindexer", seed, 0.1 * seed))
    put(runs, "lmindexer", key="k2", log=study("lmindexer", 0, 0.0))
    (one,) = drawn(runs, "training")
    assert [text.get_text() for text in one.figure.legends[0].get_texts()] == ["lmindexer"]


def test_stages_stand_in_the_order_in_which_they_are_trained():
    stages = ["position10.full", "position2.full", "position2.no-code", "position10.no-code", "warmup"]
    expected = ["warmup", "position2.no-code", "position2.full", "position10.no-code", "position10.full"]
    assert sorted(stages, key=stage_order) == expected


def sweep(runs, method, key, values, *, seeds=(0, 1), length=None, **settings):
    """Results that differ in one setting; recommendation R@5 is value / 1000 + seed / 100."""
    for value in values:
        for seed in seeds:
            metrics = {"recommendation": {"R@5": value / 1000 + seed / 100}, "id-quality": {"AMI": 0.5}}
            codes = [(i % 3,) * (length(value) if length else 2) for i in range(9)]
            config = {key: value, "deep": {"on": True, "rate": 0.1}, **settings}
            put(runs, f"{method}-{value}", method=method, key=f"k{value}{settings}"[:30], seed=seed, codes=codes,
                metrics=metrics, settings=config)  # fmt: skip


def lines_of(axes):
    return [line for line in axes.lines if line.get_marker() in style.MARKERS]


def test_a_sweep_draws_the_means_with_their_intervals_against_the_setting(runs):
    sweep(runs, "rqvae", "codebook_size", (64, 8, 256), seeds=(0, 1, 2))
    (one,) = drawn(runs, "codebook-size")
    recall, ami = one.figure.axes
    (line,) = lines_of(recall)
    assert line.get_xdata().tolist() == [8, 64, 256] and recall.get_xscale() == "log"
    assert line.get_ydata() == pytest.approx([0.018, 0.074, 0.266])
    half = scipy.stats.t.ppf(0.975, 2) * np.std([0, 0.01, 0.02], ddof=1) / 3**0.5
    (bars_drawn,) = recall.collections
    assert bars_drawn.get_segments()[0][:, 1] == pytest.approx([0.018 - half, 0.018 + half])
    assert [tick.get_text() for tick in ami.get_xticklabels()] == ["8", "64", "256"]
    assert "differ in method.codebook_size alone" in one.caption and "seeds 0, 1, 2" in one.caption
    assert not drawn(runs, "sweeps") and not drawn(runs, "id-length")


def test_id_lengths_of_all_methods_share_a_figure_whatever_their_setting_is_called(runs):
    sweep(runs, "rqvae", "levels", (1, 2, 3), length=int)
    sweep(runs, "lmindexer", "length", (2, 3), length=int)
    sweep(runs, "first-letter", "letters", (1, 2), length=int)
    (one,) = drawn(runs, "id-length")
    names = [text.get_text() for text in one.figure.legends[0].get_texts()]
    assert names == ["first-letter", "lmindexer", "rqvae"]
    assert [line.get_xdata().tolist() for line in lines_of(one.figure.axes[0])] == [[1, 2], [2, 3], [1, 2, 3]]


def test_a_number_that_is_no_length_and_no_size_has_a_figure_of_its_own(runs):
    sweep(runs, "mine", "depth", (5, 6), length=lambda value: value - 4)
    (one,) = drawn(runs, "sweeps")
    assert one.title == "Scores against depth" and not drawn(runs, "id-length")


def test_results_that_differ_in_two_settings_or_in_no_number_are_not_joined(runs):
    put(runs, "a", method="m", key="k1", metrics={"recommendation": {"R@5": 0.1}}, settings={"levels": 1, "size": 1})
    put(runs, "b", method="m", key="k2", metrics={"recommendation": {"R@5": 0.2}}, settings={"levels": 2, "size": 2})
    put(runs, "c", method="n", key="k3", metrics={"recommendation": {"R@5": 0.1}}, settings={"on": True})
    put(runs, "d", method="n", key="k4", metrics={"recommendation": {"R@5": 0.2}}, settings={"on": False})
    put(runs, "e", method="o", key="k5", metrics={"recommendation": {"R@5": 0.1}}, settings={"size": 1})
    put(runs, "e", method="o", key="k6", metrics={"recommendation": {"R@5": 0.1}}, settings={"size": 2}, preset="tiny")
    assert not drawn(runs, "sweeps") and not drawn(runs, "id-length") and not drawn(runs, "codebook-size")


def test_a_grid_has_a_line_for_every_value_of_the_other_setting(runs):
    for levels in (2, 3):
        sweep(runs, "rqvae", "codebook_size", (8, 16), levels=levels, length=lambda _, n=levels: n)
    (one,) = drawn(runs, "codebook-size")
    assert [text.get_text() for text in one.figure.legends[0].get_texts()] == ["rqvae [levels=2]", "rqvae [levels=3]"]
    (one,) = drawn(runs, "id-length")
    assert len(lines_of(one.figure.axes[0])) == 2


def test_scores_are_the_cells_of_the_table_best_first_and_controls_hollow(runs):
    for label, value in (("good", 0.4), ("poor", 0.2), ("random", 0.3)):
        for seed in (0, 1, 2):
            put(runs, label, seed=seed, metrics={"recommendation": {"R@5": value + 0.01 * seed}})
    (one,) = drawn(runs, "scores")
    (axes,) = one.figure.axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["good", "random (control)", "poor"]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    spans = [line.get_xdata().tolist() for line in axes.lines if line.get_marker() != "o"]
    (table,) = build(RECOMMENDATION, load_results(runs))
    cells = {row.title: row.cells[0] for row in table.rows}
    shown = [cells[tick.get_text()] for tick in axes.get_yticklabels()]
    assert [float(dot.get_xdata()[0]) for dot in dots] == pytest.approx([0.41, 0.31, 0.21])
    assert spans == [[pytest.approx(cell.low), pytest.approx(cell.high)] for cell in shown]
    assert [dot.get_markerfacecolor() == "#FFFFFF" for dot in dots] == [False, True, False]


def everything(runs, labels, **fields):
    """Results that every registered figure has something to draw from."""
    for number, label in enumerate(labels):
        for seed in (0, 1):
            metrics = {task: {"R@5": 0.1 * number, "nDCG@5": 0.2, "AMI": -0.01 * number, "AP@5": 0.1 * seed}
                       for task in ("recommendation", "search", "id-quality")}  # fmt: skip
            for size, rate in ((8, 1), (512, 1), (64, 1), (8, 100)):
                metrics["recommendation"] |= {"R@10": 0.001 * size + 0.1 * number}
                metrics["id-quality"] |= {f"gini@{t}": 1 / (size + rate + t) for t in range(1, 40)}
                put(runs, label, method=f"{label}", key=f"k{size}{rate}", seed=seed, metrics=metrics,
                    codes=codes_of(90, 4 + number, 5), log=study(label, seed, 0.1 * number),
                    settings={"codebook_size": size, "rate": rate, "levels": 2}, **fields)  # fmt: skip
            put(runs, label, method=label, key="k9", seed=seed, metrics=metrics, codes=[(i % 3,) for i in range(90)],
                settings={"codebook_size": 8, "rate": 1, "levels": 1}, **fields)  # fmt: skip


def test_every_figure_has_data_in_these_tests(runs):
    everything(runs, ["rqvae"])
    assert {outcome.name for outcome in draw_all(load_results(runs)) if outcome.drawn} == set(registered("figure"))


@pytest.mark.parametrize("labels", [["rqvae", "hc", "random"], HOSTILE[:7], HOSTILE[7:]], ids=["plain", "a", "b"])
def test_texts_stay_inside_the_figure_apart_from_each_other_and_large_enough(runs, labels):
    everything(runs, labels, title="$x^2$ 数据 \U0001f600 & <b>")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcomes = draw_all(load_results(runs))
        for outcome in outcomes:
            assert outcome.drawn, outcome
            for one in outcome.drawn:
                assert one.figure.get_size_inches()[0] == style.COLUMN
                _check_texts(one.figure, outcome.name)
                ElementTree.fromstring(figure_bytes(one, "svg"))
            assert figure_bytes(outcome.drawn[0], "pdf")


def _check_texts(figure, name):
    canvas = FigureCanvasAgg(figure)
    with style.styled():
        canvas.draw()
    texts = [t for t in figure.findobj(Text) if t.get_text().strip() and _is_shown(t, figure)]
    boxes = [(one, one.get_window_extent(canvas.get_renderer())) for one in texts]
    assert len(boxes) > 3
    for one, box in boxes:
        assert 7 <= one.get_fontsize() <= 8, (name, one)
        assert box.x0 >= -1 and box.y0 >= -1, (name, one)
        assert box.x1 <= figure.bbox.width + 1 and box.y1 <= figure.bbox.height + 1, (name, one)
    for (one, a), (other, b) in combinations(boxes, 2):
        overlap = min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
        assert not overlap, (name, one, other)


def _is_shown(text, figure):
    hidden = [axes for axes in figure.axes if not axes.get_visible()]
    ticks = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    outside = [label for axis in ticks for label in axis.get_ticklabels() if not _in_view(axis, label)]
    return text.get_visible() and text not in outside and not any(text in axes.findobj(Text) for axes in hidden)


def _in_view(axis, label):
    low, high = sorted(axis.get_view_interval())
    place = label.get_position()[0 if axis.axis_name == "x" else 1]
    return low - 1e-9 <= place <= high + 1e-9


@given(lists(text(characters(codec="utf-8"), max_size=30), min_size=1, max_size=6))
def test_different_texts_stay_different_and_fit(texts):
    shown = style.shown(texts, 80)
    assert max(map(style.text_width, shown)) <= 80
    assert len(set(shown)) == len(set(texts))


def test_a_dollar_is_a_dollar():
    with style.styled():
        figure = style.new_figure(1)
        written = figure.text(0, 0, "$\\frac$ 100%")
        FigureCanvasAgg(figure).draw()
        assert written.get_text() == "$\\frac$ 100%" and not written.get_parse_math()


def test_fills_differ_on_a_grey_printer_and_lines_by_mark_or_dashes():
    looks = [(style.fill_style(n)["facecolor"], style.fill_style(n)["hatch"]) for n in range(-2, len(style.FILLS))]
    for (one, hatch), (other, other_hatch) in combinations(looks, 2):
        assert hatch != other_hatch or abs(_luminance(one) - _luminance(other)) > 0.1, (one, other)
    lines = [style.draw_line(None, number, []) for number in range(28)]
    assert len({(line.get_marker(), line.get_linestyle()) for line in lines}) == 28


def _luminance(colour):
    return float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)))


SCRIPT = """
import hashlib, json, sys
from pathlib import Path
from benchmark.reports.figures.drawing import draw_all, figure_bytes
from benchmark.results.result_files import load_results
results = load_results(Path(sys.argv[1]))
for outcome in draw_all(results):
    for name, drawn in zip(outcome.file_names(), outcome.drawn):
        print(name, json.dumps([hashlib.sha256(figure_bytes(drawn, form)).hexdigest() for form in sys.argv[2:]]))
"""


def test_the_same_results_give_the_same_bytes_in_every_process_and_order(runs, tmp_path):
    everything(runs, ["rqvae"])
    (tmp_path / "matplotlibrc").write_text("font.size: 20\nsavefig.bbox: tight\nsvg.fonttype: none\n")

    def lines(seed, *forms, **environment):
        command = [sys.executable, "-c", SCRIPT, str(runs), *forms]
        done = subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed, **environment}, capture_output=True,
                              text=True)  # fmt: skip
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return done.stdout

    first = lines("1", "svg", "pdf", "png")
    settings = str(tmp_path / "matplotlibrc")
    backwards = lines("2", "png", "pdf", "svg", MATPLOTLIBRC=settings, TZ="Asia/Tokyo", SOURCE_DATE_EPOCH="1")
    hashes = [json.loads(line.partition(" ")[2]) for line in first.splitlines()]
    assert hashes and [json.loads(line.partition(" ")[2])[::-1] for line in backwards.splitlines()] == hashes


def test_drawing_leaves_the_users_settings_alone(runs):
    everything(runs, ["rqvae"])
    with matplotlib.rc_context({"font.size": 21, "text.parse_math": True}):
        draw_all(load_results(runs))
        assert matplotlib.rcParams["font.size"] == 21 and matplotlib.rcParams["text.parse_math"]


def test_svg_elements_live_in_one_page_without_network(runs):
    everything(runs, ["rqvae", "hc"])
    found = figures_svg(load_results(runs))
    page = "".join(svg for _, svg in found)
    ids = re.findall(r'\bid="([^"]+)"', page)
    used = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', page)
    assert len(found) >= len(registered("figure")) and len(ids) == len(set(ids))
    assert used and {one or other for one, other in used} <= set(ids)
    assert not re.search(r'href="(?!#)|<script|@import|<!DOCTYPE', page)
    assert page.count('role="img"><title>') == len(found)
    root = ElementTree.fromstring(f"<div>{page}</div>")
    assert len(root) == len(found) and all("Demo shop (fingerprint 0123456789ab)" in title for title, _ in found)


def test_a_figure_without_data_says_what_it_needs(runs, tmp_path, capsys):
    put(runs, "bm25")
    words = ["figures", "--runs", str(runs), "--out", str(tmp_path / "out")]
    assert main(words) == 0
    said = capsys.readouterr().err
    for name in registered("figure"):
        assert f"no figure '{name}': it needs {load('figure', name).needs}" in said and "benchmark " in said
    assert main([*words, "--figures", "training"]) == 1
    assert capsys.readouterr().err.count("no figure") == 1
    assert main([*words, "--figures", "trainin"]) == 2
    assert "Did you mean 'training'?" in capsys.readouterr().err
    assert main([*words, "--format", "gif"]) == 2
    assert main(["figures", "--runs", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2


def test_the_files_are_written_in_every_format_and_shown_by_a_page(runs, tmp_path, capsys):
    everything(runs, ["数据", "🎉", "🎊"])
    out = tmp_path / "out"
    assert main(["figures", "--runs", str(runs), "--out", str(out)]) == 0
    printed = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert len(printed) == len(set(printed)) and {path.suffix for path in printed} == {".svg", ".pdf", ".png"}
    prefixes = {".svg": b"<?xml", ".pdf": b"%PDF", ".png": b"\x89PNG"}
    assert all(path.read_bytes().startswith(prefixes[path.suffix]) for path in printed)
    page = (out / "figures.md").read_text()
    shown = re.findall(r"!\[.*\]\((.*)\)", page)
    assert len(shown) == len(printed) / 3 and "Demo shop" in page and not list(out.glob(".*"))


def test_a_damaged_file_is_named_and_the_other_figures_are_drawn(runs, tmp_path, capsys):
    everything(runs, ["rqvae"])
    log = next(runs.glob("*/*/*/seed-0/log.jsonl"))
    log.write_text(log.read_text() + "{broken\n")
    out = tmp_path / "out"
    assert main(["figures", "--runs", str(runs), "--format", "svg", "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert f"no figure 'training': {log}:{len(log.read_text().splitlines())}:" in said
    assert list(out.glob("categories-demo*.svg")) and not list(out.glob("training*"))
    (log.parent / "ids.tsv").write_text("i0\tone-two\n")
    assert main(["figures", "--runs", str(runs), "--figures", "categories", "--out", str(out)]) == 1
    assert "ids.tsv:1: expected 'item TAB code-code-..'" in capsys.readouterr().err


def test_an_item_that_is_not_in_the_listing_is_named(runs, tmp_path, capsys):
    path = put(runs, "rqvae", codes=codes_of(20, 3, 2))
    with (path / "ids.tsv").open("a") as file:
        file.write("stranger\t1-1\n")
    assert main(["figures", "--runs", str(runs), "--figures", "categories", "--out", str(tmp_path / "out")]) == 1
    assert "'stranger'" in capsys.readouterr().err


def test_results_without_categories_or_listing_have_no_mosaic(runs):
    path = put(runs, "rqvae", codes=[(0, 1), (1, 1)] * 2)
    listing = next(path.parents[2].glob("items-*"))
    listing.write_text("".join(json.dumps({"id": f"i{i}", "title": "", "categories": []}) + "\n" for i in range(4)))
    assert not drawn(runs, "categories") and not drawn(runs, "categories-inside")
    listing.unlink()
    assert not drawn(runs, "categories")


def test_a_plugins_figure_and_method_appear_without_an_edit(runs, tmp_path):
    everything(runs, ["somebody-elses"])
    site = tmp_path / "site"
    (site / "theirs-1.0.dist-info").mkdir(parents=True)
    (site / "theirs-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (site / "theirs-1.0.dist-info" / "entry_points.txt").write_text("[benchmark.figures]\ntheirs = theirs:FIGURE\n")
    (site / "theirs.py").write_text(
        "from benchmark.reports.figures import Drawn, Figure\n"
        "from benchmark.reports.figures.style import new_figure\n"
        "FIGURE = Figure('theirs', 'Theirs', 'nothing', lambda results, options: [Drawn('T', 'C', new_figure(1))])\n"
    )
    words = ["figures", "--runs", str(runs), "--format", "svg", "--out", str(tmp_path / "out")]
    code = f"import sys; from benchmark.cli.main import main; sys.exit(main({words!r}))"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(site)}, text=True,
                          capture_output=True)  # fmt: skip
    assert done.returncode == 0 and done.stderr == "", done.stderr
    names = {Path(line).stem for line in done.stdout.splitlines()}
    assert names >= {"theirs", "scores-demo-small-recommendation", "codebook-size-demo-small", "training-demo-small"}
    assert any("somebody-elses" in name for name in names)


def test_help_needs_no_matplotlib_and_figures_no_torch(runs, tmp_path):
    everything(runs, ["rqvae"])
    words = ["figures", "--runs", str(runs), "--format", "svg", "--out", str(tmp_path / "out")]
    code = (
        "import sys; from benchmark.cli.main import main\n"
        "main(['--help']); main(['list', 'methods']); assert 'matplotlib' not in sys.modules\n"
        f"assert main({words!r}) == 0 and 'matplotlib' in sys.modules\n"
        "assert not {'torch', 'pandas', 'sklearn'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def documented():
    """The commands of the help text and of what figures say they need."""
    needs = [re.search(r"benchmark (run|sweep) .*", load("figure", name).needs)[0] for name in registered("figure")]
    return needs + re.findall(r"^  (benchmark figures .*)$", figures_command.__doc__, re.M)


@pytest.mark.parametrize("line", documented())
def test_every_documented_command_works(line, runs, tmp_path, capsys):
    """Commands that compute are planned only; a figure that is asked for by name needs data, so there are some."""
    everything(runs, ["rqvae"])
    words = shlex.split(line.replace("--first-codes 3,17", "--first-codes 3,1"))[1:]
    if words[0] == "figures":
        words[words.index("--out") + 1] = str(tmp_path / "out")
        words += [] if "--runs" in words else ["--runs", "runs"]
        words[words.index("--runs") + 1] = str(runs)
    else:
        words += ["--runs", str(tmp_path / "new"), "--dry-run"]
    assert main(words) == 0
    assert capsys.readouterr().out.strip()
