"""BM25 against the formula written out and against rank-bm25; odd text, ties and sizes."""

import re
from math import log
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import BenchmarkError, ConfigError, MissingDependency
from benchmark.methods.bm25 import bench as comparison
from benchmark.methods.bm25.analyser import WORD
from benchmark.methods.bm25.config import BM25Config
from benchmark.methods.bm25.retriever import BM25
from benchmark.types.data import Corpus
from benchmark.types.item_text import document_texts
from benchmark.types.method import Context

PLAIN = BM25Config(stop_words=False, stem=False)


def corpus_of(texts, ids=None):
    ids = ids or [f"d{row:02d}" for row in range(len(texts))]
    return Corpus(pa.table({"id": ids, "title": pa.array(texts, pa.string())}), fields=("title",))


def fitted(texts, config=PLAIN, ids=None):
    method, context = BM25(config), Context(seed=0, work=Path())
    method.fit(corpus_of(texts, ids), None, context)
    assert context.facts["index_bytes"] > 0
    return method


def found(method, query, k=10):
    rankings = method.search([query], k)
    assert rankings.items.shape == rankings.scores.shape == (1, k)
    keep = rankings.items[0] >= 0
    assert (rankings.scores[0][~keep] == 0).all() and not keep[keep.sum() :].any()
    return dict(zip(rankings.items[0][keep].tolist(), rankings.scores[0][keep].tolist(), strict=True))


def by_formula(texts, query, k1, b):
    """Robertson and Zaragoza's formula in Lucene's variant, document by document."""
    documents = [re.findall(r"\w+", text.lower()) for text in texts]
    average = sum(map(len, documents)) / len(documents)
    scores = []
    for document in documents:
        score = 0.0
        for word in re.findall(r"\w+", query.lower()):
            df, tf = sum(word in other for other in documents), document.count(word)
            idf = log(1 + (len(documents) - df + 0.5) / (df + 0.5))
            score += idf * tf / (tf + k1 * (1 - b + b * len(document) / average)) if tf else 0.0
        scores.append(score)
    return scores


WORDS = st.lists(st.sampled_from(["nail", "polish", "red", "hair", "Dryer", "a1"]), max_size=8).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=12), WORDS, st.integers(1, 15), st.randoms())
def test_scores_and_order_are_those_of_the_formula(texts, query, k, random):
    ids = [f"i{row}" for row in range(len(texts))]
    random.shuffle(ids)
    config = BM25Config(k1=0.9, b=0.4, stop_words=False, stem=False)
    result = found(fitted([*texts, "filler"], config, [*ids, "zz"]), query, k)
    expected = by_formula([*texts, "filler"], query, 0.9, 0.4)
    order = sorted(range(len(texts)), key=lambda row: (round(expected[row], 5), ids[row]), reverse=True)
    order = [row for row in order if expected[row] > 0][:k]
    assert list(result.values()) == pytest.approx([expected[row] for row in order], rel=1e-5)
    assert [round(expected[row], 5) for row in result] == [round(expected[row], 5) for row in order]


def test_equal_documents_stand_by_item_id_descending():
    method = fitted(["red nail"] * 5 + ["other"], ids=["b", "d", "a", "e", "c", "x"])
    assert list(found(method, "nail", 3)) == [3, 1, 4]  # e, d, c


def test_items_without_a_common_word_are_not_returned():
    method = fitted(["red nail", "blue hair", ""])
    assert list(found(method, "nail")) == [0]
    assert found(method, "unheard words") == {}
    assert [found(method, query) for query in ("", "   ", "?!", "🙂")] == [{}] * 4


def test_stop_words_and_stems_are_english():
    method = fitted(["The running shoes", "of the and", "a shoe for runners"], BM25Config())
    assert set(found(method, "shoe")) == {0, 2} and set(found(method, "runs")) == {0}
    assert found(method, "the of and") == {}
    assert set(found(fitted(["The running shoes", "of the and"]), "the")) == {0, 1}


@pytest.mark.parametrize("texts", [["nail polish"], ["nail polish", ""]])
def test_tiny_corpora_and_large_k_work(texts):
    assert list(found(fitted(texts), "nail", 1000)) == [0]
    assert list(found(fitted(texts, BM25Config()), "nail", 1)) == [0]


def test_a_corpus_without_any_word_finds_nothing():
    method = BM25()
    method.fit(corpus_of(["", "?!", "the"]), None, Context(seed=0, work=Path()))
    assert (method.search(["the cat", ""], 2).items == -1).all()


def test_other_scripts_and_very_long_documents_work():
    long = "word " * 4000 + "needle"
    method = fitted(["商品 索引 测试", "Crème brûlée 🙂 ünïcode", long, "Straße"], BM25Config())
    assert len(long) > 20_000
    assert list(found(method, "索引")) == [0] and list(found(method, "CRÈME 🙂")) == [1]
    assert list(found(method, "needle")) == [2] and list(found(method, "straße")) == [3]


@given(st.text(st.characters(max_codepoint=0x2FFF, exclude_categories=["Cs"])))
def test_words_of_spaced_scripts_are_runs_of_word_characters(text):
    assert WORD.findall(text) == re.findall(r"\w+", text)


def test_chinese_characters_and_hiragana_are_a_word_each():
    assert WORD.findall("iPhone15手机壳,2個入り") == ["iPhone15", "手", "机", "壳", "2", "個", "入", "り"]
    assert WORD.findall("カメラ を 한국어 々〇𠀋é") == ["カメラ", "を", "한국어", "々", "〇", "𠀋", "é"]


def test_many_queries_in_blocks_are_the_single_searches():
    rng = np.random.default_rng(0)
    words = np.array([f"w{row}" for row in range(40)])
    method = fitted([" ".join(rng.choice(words, 6)) for _ in range(300)])
    queries = [" ".join(rng.choice(words, 3)) for _ in range(700)]
    together = method.search(queries, 20)
    for row in (0, 255, 256, 511, 699):
        alone = method.search([queries[row]], 20)
        assert (together.items[row] == alone.items[0]).all() and (together.scores[row] == alone.scores[0]).all()
    again = fitted([" ".join(words[:3])]).search([], 5)
    assert again.items.shape == (0, 5)


def test_a_document_is_the_values_of_its_fields_without_their_names():
    table = pa.table({
        "id": ["a", "b", "c"],
        "title": ["Red polish", None, ""],
        "brand": ["OPI", "Sally", None],
        "notes": ["n1", "n2", "fallback text"],
        "categories": [["Beauty", "Nails"], [], None],
    })  # fmt: skip
    assert document_texts(table, ("title", "brand", "price")) == ["Red polish OPI", "Sally", "fallback text"]
    assert document_texts(table, ("category", "title")) == ["Beauty Nails Red polish", "Sally", "fallback text"]


def test_wrong_use_is_explained():
    with pytest.raises(BenchmarkError, match="before fit"):
        BM25().search(["nail"], 3)
    with pytest.raises(ConfigError, match="k: at least one"):
        fitted(["nail"]).search(["nail"], 0)


def test_it_ranks_as_rank_bm25_does_and_faster():
    pytest.importorskip("rank_bm25")
    lines = list(comparison.run(small=True))
    assert lines[-1] == "same top 10 in 50 of 50 queries"
    assert float(lines[-2].split()[1].replace(",", "")) > 3


def test_without_rank_bm25_the_comparison_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "rank_bm25", None)
    with pytest.raises(MissingDependency, match=r"pip install 'lmindexer-benchmark\[rank-bm25\]'"):
        next(comparison.run(small=True))
