"""The readers `items` and `sentence` from training to rankings: what can be learned is learned."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from safetensors.torch import load_file

from benchmark.config import EncoderConfig, build_config
from benchmark.conformance import small_corpus
from benchmark.errors import BenchmarkError, ConfigError
from benchmark.generative.config import (
    DecoderConfig,
    GenerativeConfig,
    ItemsConfig,
    RecommendationConfig,
    SearchConfig,
    SentenceConfig,
)
from benchmark.generative.finetune import finetune_recommendation, finetune_search, rank_recommendation, rank_search
from benchmark.generative.items_reader import fitted
from benchmark.generative.start import load_start, save_start
from benchmark.types.arrays import Float32
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus, Histories, QuerySet
from benchmark.types.method import Context
from benchmark.types.rankings import Rankings

CORPUS = small_corpus(30)
CODES = Codes(np.column_stack([np.arange(30) % 5, np.arange(30) // 5]).astype(np.int32), (5, 6)).with_counter()
STARTS = np.random.default_rng(0).integers(0, 25, 100)
WALKS = Histories(
    [f"u{u}" for u in range(100)],
    np.arange(0, 501, 5),
    np.concatenate([np.arange(start, start + 5) for start in STARTS]).astype(np.int32),
)


def vectors_of(texts: Sequence[str], encoder: EncoderConfig | None = None) -> Float32:
    """A random vector of length 1 for every text, always the same, of as many numbers as the default encoder's."""
    rows = [np.random.default_rng([*text.encode(), 0]).normal(size=384) for text in texts]
    return np.array([row / np.linalg.norm(row) for row in rows], np.float32).reshape(-1, 384)


def context_in(folder: Path) -> Context:
    def embedder(corpus: Corpus, encoder: Any, context: Context) -> Float32:
        return vectors_of(corpus.texts())

    (folder / "work").mkdir(parents=True, exist_ok=True)
    return Context(seed=0, work=folder / "work", embedder=embedder)


def settings(
    items: Any = (), sentence: Any = (), training: Any = (), item_texts: bool = False, **more: Any
) -> GenerativeConfig:
    task = {"steps": 120, "batch_size": 50, "learning_rate": 1e-2, "schedule": "cosine"} | dict(training)
    return GenerativeConfig(
        items=ItemsConfig(**{"max_length": 6, "layers": 1, "heads": 2, "dropout": 0.1} | dict(items)),
        sentence=SentenceConfig(**dict(sentence)),
        decoder=DecoderConfig(width=32),
        recommendation=RecommendationConfig(reader="items", **task),
        search=SearchConfig(reader="sentence", item_texts=item_texts, **task),
        **more,
    )


def queries(texts: list[str], items: list[int]) -> QuerySet:
    rows = np.arange(len(texts), dtype=np.int32)
    return QuerySet(
        "made-up", [f"q{row}" for row in rows], texts, rows, np.array(items, np.int32), np.ones(len(texts), np.int32)
    )


def recommended(folder: Path, config: GenerativeConfig, *histories: list[int], k: int = 5) -> Rankings:
    offsets = np.cumsum([0, *map(len, histories)])
    asked = Histories([f"v{v}" for v in range(len(histories))], offsets, np.concatenate(histories).astype(np.int32))
    return rank_recommendation(folder, CODES, CORPUS, asked, k, config, context_in(folder))


@pytest.mark.parametrize("vectors", ["ids", "text", "both", "table"])
def test_recommendation_learns_a_fixed_successor(tmp_path: Path, vectors: str) -> None:
    """Every user walks through the items in row order: the next item is known from the last one."""
    config = settings({"vectors": vectors}, search_error_queries=2)
    facts = finetune_recommendation(tmp_path, CODES, CORPUS, WALKS, config, context_in(tmp_path))
    assert recommended(tmp_path, config, [3, 4], [11, 12], [20]).items[:, 0].tolist() == [5, 13, 21]
    assert facts["examples"] == 100 and facts["targets"] == 400
    weights = load_file(tmp_path / "generator.safetensors")
    assert facts["parameters"] == sum(weight.numel() for weight in weights.values())


@pytest.mark.parametrize("inputs", ["vector", "words", "both"])
def test_search_learns_which_text_belongs_to_which_item(tmp_path: Path, inputs: str) -> None:
    """Two words that belong to one item alone, in an order that nobody reads."""
    kinds, things = ("red", "blue", "green", "soft", "hard", "round"), ("lamp", "brush", "soap", "cable", "shirt")
    texts = [f"{kind} {thing}" for kind in kinds for thing in things]
    config = settings(sentence={"inputs": inputs})
    finetune_search(tmp_path, CODES, CORPUS, queries(texts, list(range(30))), config, context_in(tmp_path))
    found = rank_search(tmp_path, CODES, CORPUS, [*texts, "", "unheard of"], 10, config, context_in(tmp_path))
    assert (found.items[:30, 0] == np.arange(30)).mean() > 0.9
    assert (found.items >= 0).all() and np.isfinite(found.scores).all()


def test_where_all_targets_are_neighbours_a_text_finds_the_item_that_is_like_it(tmp_path: Path) -> None:
    """The judgments name item 0 alone; the texts are those of other items, and their nearest neighbours."""
    texts = CORPUS.texts()[10:20]
    sentence = {"inputs": "words", "neighbours": {"share": 1.0, "count": 1}}
    config = settings(sentence=sentence, training={"batch_size": 10})
    asked = queries(texts, [0] * 10)
    finetune_search(tmp_path, CODES, CORPUS, asked, config, context_in(tmp_path), embed_texts=vectors_of)
    found = rank_search(tmp_path, CODES, CORPUS, texts, 5, config, context_in(tmp_path))
    assert found.items[:, 0].tolist() == list(range(10, 20))


def test_general_queries_are_learned_beside_the_judged_ones(tmp_path: Path) -> None:
    """One text is judged; general queries of every item teach which words belong to which kind of item."""
    sorts = [f"{kind} {thing}" for kind in ("red", "blue", "green") for thing in ("lamp", "soap")]
    titles = [f"{sorts[row // 5]} {row}{row}" for row in range(30)]
    table = pa.table({"id": CORPUS.ids, "title": titles})
    corpus = Corpus(table, ("title",), fingerprint="sorts")
    general = {"per_item": 4, "shared": 3, "mean_length": 2.0}
    sentence = {"inputs": "words", "neighbours": {"share": 1.0, "count": 8, "words": 1.0}, "general_queries": general}
    config, context = settings(sentence=sentence), context_in(tmp_path)
    facts = finetune_search(tmp_path, CODES, corpus, queries(["00"], [0]), config, context, embed_texts=vectors_of)
    assert facts["examples"] == 1 + 4 * len(corpus)
    found = rank_search(tmp_path, CODES, corpus, sorts, 5, config, context)
    assert (found.items // 5 == np.arange(6)[:, None]).mean() > 0.85  # by chance 1/6


@pytest.mark.parametrize("layers", [1, -1])
def test_a_learning_encoder_is_trained_saved_and_opened_again(
    tmp_path: Path, small_encoder_folder: Path, layers: int
) -> None:
    """Every text is read by the encoder alone; what it learned ranks after loading."""
    texts = [f"{kind} {thing}" for kind in ("red", "blue", "soft") for thing in ("lamp", "brush", "soap", "shirt")]
    asked = queries(texts, list(range(12)))
    encoder = EncoderConfig(name=str(small_encoder_folder))
    sentence = {"inputs": "vector", "learning_layers": layers, "encoder_rate": 0.3, "encoder": encoder}
    config = settings(sentence=sentence, training={"steps": 60, "batch_size": 12})
    facts = finetune_search(tmp_path, CODES, CORPUS, asked, config, context_in(tmp_path))
    found = rank_search(tmp_path, CODES, CORPUS, texts, 10, config, context_in(tmp_path))
    assert (found.items[:, 0] == np.arange(12)).mean() > 0.9
    weights = load_file(tmp_path / "generator.safetensors")
    assert facts["parameters"] == sum(weight.numel() for weight in weights.values())
    learned = [weight.numel() for name, weight in weights.items() if name.startswith("reader.encoder.")]
    norm, attention, feed_forward = 2 * 32, 4 * (32 * 32 + 32), 32 * 64 + 64 + 64 * 32 + 32
    layer, embeddings = attention + feed_forward + 2 * norm, (260 + 128 + 2) * 32 + norm  # bytes, places, segments
    assert sum(learned) == (layer if layers == 1 else embeddings + 2 * layer)  # of two, without the pooler


def test_items_own_texts_are_learned_where_asked_for(tmp_path: Path) -> None:
    """Two judged queries say nothing about the other items; their own texts do."""
    right = {}
    for item_texts in (False, True):
        folder = tmp_path / str(item_texts)
        config = settings(sentence={"inputs": "words"}, item_texts=item_texts)
        asked = queries(["first", "second"], [0, 1])
        facts = finetune_search(folder, CODES, CORPUS, asked, config, context_in(folder))
        assert facts["examples"] == 2 + 30 * item_texts
        found = rank_search(folder, CODES, CORPUS, CORPUS.texts(), 5, config, context_in(folder))
        right[item_texts] = (found.items[:, 0] == np.arange(30)).mean()
    assert right[True] > 0.9 and right[False] < 0.2


def test_a_user_without_history_gets_the_most_popular_items(tmp_path: Path) -> None:
    """Counted over the training histories; of equally popular items the greater id comes first, as in trec_eval."""
    config = settings(training={"steps": 2})
    finetune_recommendation(tmp_path, CODES, CORPUS, WALKS, config, context_in(tmp_path))
    found = recommended(tmp_path, config, [3, 4], [], [7], k=30)
    counts = np.bincount(WALKS.items, minlength=30)
    expected = sorted(range(30), key=lambda item: (counts[item], CORPUS.ids[item]), reverse=True)
    assert found.items[1].tolist() == expected and (np.diff(found.scores[1]) < 0).all()
    others = recommended(tmp_path, config, [3, 4], [7], k=30)
    np.testing.assert_array_equal(others.items, found.items[[0, 2]])
    np.testing.assert_allclose(others.scores, found.scores[[0, 2]], atol=1e-5)


def test_the_same_seed_leaves_the_same_bytes(tmp_path: Path) -> None:
    config = settings({"vectors": "both"}, training={"steps": 12, "label_smoothing": 0.1})
    for name in ("once", "again"):
        folder = tmp_path / name
        finetune_recommendation(folder, CODES, CORPUS, WALKS, config, context_in(folder))
    once, again = ((tmp_path / name / "generator.safetensors").read_bytes() for name in ("once", "again"))
    assert once == again


@pytest.mark.parametrize(("start", "origin"), [("learned", "learned code vectors"), ("fresh", "fresh")])
def test_training_starts_from_the_code_vectors_that_were_handed_over(tmp_path: Path, start: Any, origin: str) -> None:
    rng = np.random.default_rng(0)
    save_start(tmp_path / "start", [rng.normal(size=(size, 20)).astype(np.float32) for size in (5, 6)])
    still = settings(training={"steps": 1, "learning_rate": 1e-30}, start=start)
    facts = finetune_recommendation(tmp_path, CODES, CORPUS, WALKS, still, context_in(tmp_path), tmp_path / "start")
    assert facts["start"] == origin
    learned = load_start(tmp_path / "start", (5, 6))
    table = load_file(tmp_path / "generator.safetensors")["reader.codes.table"][:11]
    same = learned is not None and torch.allclose(table, fitted(torch.from_numpy(learned.rows), 32), atol=1e-9)
    assert same == (start == "learned")


def test_vectors_of_other_codebooks_are_refused(tmp_path: Path) -> None:
    save_start(tmp_path / "start", [np.ones((5, 8), np.float32), np.eye(7, 8, dtype=np.float32)])
    with pytest.raises(BenchmarkError, match=r"sizes \(5, 7\) do not fit IDs of sizes \(5, 6\)"):
        finetune_recommendation(tmp_path, CODES, CORPUS, WALKS, settings(), context_in(tmp_path), tmp_path / "start")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"scorer": "full", "search.reader": "sentence"}, "'full' is the softmax of a T5.*the reader 'sentence'"),
        ({"scorer": "full", "recommendation.reader": "items"}, "'full' is the softmax of a T5.*the reader 'items'"),
        ({"items.heads": "3"}, "3 heads do not divide decoder.width 128"),
        ({"ids.heads": "3"}, "3 heads do not divide d_model 128; set d_kv"),
        ({"sentence.encoder.simcse_epochs": "1"}, "this reader takes the encoder as it is"),
        ({"sentence.learning_layers": "1", "sentence.inputs": "words"}, "with inputs 'words' the encoder is not read"),
        ({"sentence.learning_layers": "-2"}, "learning_layers"),
    ],
)
def test_settings_that_do_not_go_together_are_refused_before_anything_runs(
    overrides: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        build_config(GenerativeConfig, overrides=overrides, owner="generative")


def test_nothing_to_learn_from_is_one_message(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    lonely = Histories(["u"], np.array([0, 1]), np.array([3], np.int32))
    with pytest.raises(BenchmarkError, match="no user has two training events"):
        finetune_recommendation(tmp_path, CODES, CORPUS, lonely, settings(), context)
    irrelevant = QuerySet("made-up", ["q"], ["a"], *np.zeros((3, 1), np.int32))
    with pytest.raises(BenchmarkError, match="no query of the training set 'made-up' has a relevant item"):
        finetune_search(tmp_path, CODES, CORPUS, irrelevant, settings(), context)
    with pytest.raises(BenchmarkError, match="the texts to learn from hold no word"):
        finetune_search(tmp_path, CODES, CORPUS, queries([""], [0]), settings(), context)
