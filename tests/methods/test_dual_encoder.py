"""The dual encoder's parts against brute force, sentence-transformers' own loss and the encoder used by hand."""

import os
import subprocess
import sys
from math import exp, log
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from benchmark.errors import BenchmarkError
from benchmark.methods.dual_encoder.judged import Judged, judged
from benchmark.methods.dual_encoder.loss import InBatchLoss
from benchmark.methods.dual_encoder.negatives import bm25_negatives, draw_examples
from benchmark.types.data import Corpus, QuerySet
from benchmark.types.method import Context


def corpus_of(texts, ids=None):
    ids = ids or [f"d{row:02d}" for row in range(len(texts))]
    return Corpus(pa.table({"id": ids, "title": pa.array(texts, pa.string())}), fields=("title",))


def queries_of(texts, judgments):
    """Judgments are (query row, item row, grade)."""
    rows, items, grades = (np.array(column, np.int32) for column in zip(*judgments, strict=True))
    return QuerySet("made-up", [f"q{row}" for row in range(len(texts))], texts, rows, items, grades)


def pairs_of(found):
    rows = zip(found.asked.tolist(), found.relevant.tolist(), strict=True)
    return {(found.queries[query], found.documents[document]) for query, document in rows}


def test_pairs_are_the_texts_of_queries_and_items_with_a_grade_above_0():
    texts = ["lamp", "soap", "lamp", "brush"]
    queries = queries_of(["light", "wash", "light", "unused"], [(0, 0, 1), (1, 1, 2), (1, 3, 0), (2, 1, 1), (0, 2, 1)])
    found = judged(queries, texts)
    assert pairs_of(found) == {("light", "lamp"), ("light", "soap"), ("wash", "soap")}
    assert found.documents == ["lamp", "soap", "brush"] and found.document_of.tolist() == [0, 1, 0, 2]
    assert sorted(found.queries) == ["light", "wash"]
    assert (np.diff(found.keys) > 0).all()


@pytest.mark.parametrize("queries", [None, queries_of(["q"], [(0, 0, 0)])])
def test_without_relevant_documents_the_message_names_the_zero_shot_setting(queries):
    with pytest.raises(BenchmarkError, match=r"no training queries.*dual-encoder\.fine_tune=false"):
        judged(queries, ["lamp"])


def test_weak_judgments_are_no_positives_and_no_negatives():
    texts = ["lamp", "soap", "lamp", "brush", "wool"]
    queries = queries_of(["light", "wash"], [(0, 0, 1), (0, 2, 2), (0, 1, 1), (1, 1, 3), (1, 3, 1), (1, 4, 0)])
    found = judged(queries, texts, positive_grade=2)
    learned = {(found.asked[at], found.relevant[at]) for at in found.positives}
    names = {(found.queries[query], found.documents[document]) for query, document in learned}
    assert names == {("light", "lamp"), ("wash", "soap")}  # the better judged copy of the lamp counts
    examples = draw_examples(found, np.empty((2, 0), np.int64), 20, 0, seed=0)
    assert {tuple(row) for row in examples.tolist()} == learned
    assert found.known(np.array([0]), np.array([1])) and not found.known(np.array([1]), np.array([3]))
    with pytest.raises(BenchmarkError, match=r"grade 4 or above; the highest is 3: lower dual-encoder\.positive_grade"):
        judged(queries, texts, positive_grade=4)


def bm25_by_formula(documents, query):
    """Lucene's BM25 with k1 = 1.2 and b = 0.75, of lists of words."""
    average = sum(map(len, documents)) / len(documents)
    scores = []
    for document in documents:
        score = 0.0
        for word in query:
            df, tf = sum(word in other for other in documents), document.count(word)
            idf = log(1 + (len(documents) - df + 0.5) / (df + 0.5))
            score += idf * tf / (tf + 1.2 * (0.25 + 0.75 * len(document) / average)) if tf else 0.0
        scores.append(score)
    return scores


WORDS = st.lists(st.sampled_from([f"w{i}" for i in range(8)]), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(st.lists(WORDS, min_size=2, max_size=14), st.lists(WORDS, min_size=1, max_size=3), st.integers(1, 6), st.data())
def test_negatives_are_the_first_bm25_ranks_less_the_relevant_documents(documents, queries, ranks, data):
    row = st.tuples(st.integers(0, len(queries) - 1), st.integers(0, len(documents) - 1), st.integers(0, 2))
    judgments = data.draw(st.lists(row, min_size=1, max_size=10))
    judgments = [*judgments, (0, 0, 1)]
    texts = [" ".join(words) for words in documents]
    corpus = corpus_of(texts)
    query_set = queries_of([" ".join(words) for words in queries], judgments)
    found = judged(query_set, texts)
    negatives = bm25_negatives(found, corpus, ranks, Context(seed=0, work=Path()))
    assert negatives.shape == (len(found.queries), ranks)
    for text, row in zip(found.queries, negatives, strict=True):
        scores = bm25_by_formula(documents, text.split())
        order = sorted(range(len(texts)), key=lambda item: (round(scores[item], 5), item), reverse=True)
        top = {texts[item] for item in order[:ranks] if scores[item] > 0}
        relevant = {texts[item] for q, item, grade in judgments if grade and query_set.texts[q] == text}
        assert {found.documents[number] for number in row if number >= 0} == top - relevant
        assert len(set(row[row >= 0])) == (row >= 0).sum() == np.argmin(np.append(row, -1))


def made_up_pairs(n_queries=5, n_documents=12, n_pairs=20, seed=0):
    random = np.random.default_rng(seed)
    keys = np.sort(random.choice(n_queries * n_documents, n_pairs, replace=False))
    names = [f"q{i}" for i in range(n_queries)], [f"d{i}" for i in range(n_documents)]
    return Judged(*names, np.arange(n_documents), keys // n_documents, keys % n_documents, np.arange(n_pairs))


def test_each_pass_reads_every_pair_once_with_negatives_of_its_query():
    pairs = made_up_pairs()
    negatives = np.array([[10 * q + 1, 10 * q + 2, 10 * q + 3, -1, -1] for q in range(5)])
    negatives[4] = [41, -1, -1, -1, -1]
    examples = draw_examples(pairs, negatives, 50, 2, seed=3)
    assert examples.shape == (50, 4)
    for start in (0, 20):
        drawn = sorted(map(tuple, examples[start : start + 20, :2].tolist()))
        assert drawn == list(zip(pairs.asked.tolist(), pairs.relevant.tolist(), strict=True))
    for query, _, *chosen in examples.tolist():
        kept = [document for document in chosen if document >= 0]
        assert set(kept) <= set(negatives[query].tolist()) and len(set(kept)) == len(kept)
        assert len(kept) == (1 if query == 4 else 2)
    assert not np.array_equal(examples[:20], examples[20:40])
    np.testing.assert_array_equal(draw_examples(pairs, negatives, 30, 2, seed=3), examples[:30])
    assert not np.array_equal(draw_examples(pairs, negatives, 50, 2, seed=4), examples)
    assert draw_examples(pairs, negatives[:, :0], 10, 0, seed=3).shape == (10, 2)
    assert (draw_examples(pairs, negatives[:, :1], 10, 2, seed=3)[:, 3] == -1).all()


class Given(nn.Module):
    """A model whose embeddings are the features themselves."""

    def forward(self, features):
        return {"sentence_embedding": features["vectors"]}


def batch_of(n, n_columns, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [{"vectors": torch.randn(n, 7, generator=generator)} for _ in range(n_columns)]


def by_hand(features, labels, known, temperature, normalize):
    """Equation 2 of the DPR paper with plain numbers, document by document."""
    columns = [feature["vectors"].double().numpy() for feature in features]
    if normalize:
        columns = [column / np.linalg.norm(column, axis=1, keepdims=True) for column in columns]
    losses = []
    for i, query in enumerate(columns[0]):
        terms = {}
        for c, column in enumerate(columns[1:], 1):
            for j, document in enumerate(column):
                number = int(labels[j, c])
                mine = c == 1 and j == i
                if mine or (number >= 0 and (int(labels[i, 0]), number) not in known):
                    terms[c, j] = exp(float(query @ document) / temperature)
        losses.append(-log(terms[1, i] / sum(terms.values())))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("normalize", [True, False])
def test_the_loss_is_the_softmax_over_the_batch_less_what_is_relevant(normalize):
    pairs = made_up_pairs()
    negatives = np.tile(np.arange(-1, 7), (5, 1))
    labels = torch.from_numpy(draw_examples(pairs, negatives, 16, 3, seed=1))
    features = batch_of(16, 5)
    known = set(zip(pairs.asked.tolist(), pairs.relevant.tolist(), strict=True))
    loss = InBatchLoss(Given(), pairs, temperature=0.5, normalize=normalize)(features, labels)
    assert float(loss) == pytest.approx(by_hand(features, labels, known, 0.5, normalize), rel=1e-5)
    assert float(loss) < by_hand(features, labels.clamp(min=0), set(), 0.5, normalize)


def test_with_nothing_to_leave_out_it_is_the_loss_of_sentence_transformers():
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    numbers = torch.arange(8)
    labels = torch.stack([numbers, numbers, numbers + 8], dim=1)
    pairs = Judged(["q"] * 8, ["d"] * 16, np.arange(16), np.arange(8), np.arange(8), np.arange(8))
    features = batch_of(8, 3)
    ours = InBatchLoss(Given(), pairs, temperature=0.05, normalize=True)(features, labels)
    theirs = MultipleNegativesRankingLoss(Given(), scale=20)(features, labels)
    assert float(ours) == pytest.approx(float(theirs), rel=1e-6)


def test_hugging_face_datasets_is_found_from_the_repository_root():
    """The folder `datasets` of the checkout must not hide the package that the trainer needs."""
    root = Path(__file__).parents[2]
    code = "import datasets, benchmark.data.layout; print(datasets.Dataset.from_dict({'a': [1]}).num_rows)"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, env={**os.environ})
    assert done.stdout.strip() == "1", done.stderr
