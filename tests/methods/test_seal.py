"""SEAL: pairs, keys and rankings of a tiny model; odd text; BART and T5 by path."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.config import SIZES, TrainingConfig, build_config, load_presets
from benchmark.conformance import check_method
from benchmark.errors import BenchmarkError, ConfigError
from benchmark.generative.t5 import ScratchConfig
from benchmark.methods.seal import bench as comparison
from benchmark.methods.seal import config as settings_module
from benchmark.methods.seal.config import DecodingConfig, PairsConfig, ScoringConfig, SEALConfig
from benchmark.methods.seal.decoding import generate
from benchmark.methods.seal.documents import Documents
from benchmark.methods.seal.fm_index import FMIndex
from benchmark.methods.seal.keys import query_keys, word_ngrams
from benchmark.methods.seal.model import LanguageModel
from benchmark.methods.seal.pairs import Pairs, span_chances
from benchmark.methods.seal.retriever import SEAL
from benchmark.types.data import Corpus, QuerySet
from benchmark.types.method import Context

SCRATCH = ScratchConfig(d_model=16, layers=1, heads=2, d_ff=32, vocabulary_size=320, dropout=0.0)
TINY = SEALConfig(
    scratch=SCRATCH,
    max_source=32,
    training=TrainingConfig(steps=40, batch_size=8, learning_rate=1e-2),
    decoding=DecodingConfig(beams=5),
    scoring=ScoringConfig(smoothing=0.01),  # five is many among a hundred tokens
)
TITLES = ["red lamp", "blue lamp", "oil paint brush", "", "soap", "red lamp"]
TEXTS = [
    "a lamp that is red and stands on a desk all night long",
    "a blue lamp for the floor",
    "a soft brush for oil paint made of hog hair in the north",
    "words without any title",
    "",
    "a lamp that is red and stands on a desk all night long",
]


def corpus_of(titles, texts, ids=None):
    ids = ids or [f"d{row:02d}" for row in range(len(titles))]
    table = pa.table({"id": ids, "title": pa.array(titles, pa.string()), "description": pa.array(texts, pa.string())})
    return Corpus(table, fields=("title", "description"))


def queries_of(texts, rows, grades=None, query_rows=None):
    query_rows = np.arange(len(texts)) if query_rows is None else np.asarray(query_rows)
    grades = np.ones(len(rows)) if grades is None else np.asarray(grades)
    names = [f"q{row}" for row in range(len(texts))]
    return QuerySet("made", names, texts, *(np.asarray(part, np.int32) for part in (query_rows, rows, grades)))


def fitted(folder, titles=TITLES, texts=TEXTS, queries=None, config=TINY, ids=None):
    folder.mkdir(exist_ok=True)
    method, context = SEAL(config), Context(seed=0, work=folder)
    method.fit(corpus_of(titles, texts, ids), queries, context)
    return method, context


@pytest.fixture(scope="module")
def method(tmp_path_factory):
    queries = queries_of(["red lamp on a desk", "brush"], [0, 2])
    method, context = fitted(tmp_path_factory.mktemp("seal"), queries=queries)
    assert context.facts["parameters"] == sum(weight.numel() for weight in method.model.model.parameters())
    assert context.facts["index_bytes"] == method.index.nbytes > 0
    steps = [json.loads(line)["step"] for line in (context.work / "seal.log.jsonl").read_text().splitlines()]
    assert steps == list(range(1, 41))
    return method


def text_of(index):
    return index.tokens.tolist()


def occurs(text, key):
    return any(tuple(text[at : at + len(key)]) == tuple(key) for at in range(len(text) - len(key) + 1))


# Documents and training pairs


def test_the_title_is_its_own_part_and_the_text_is_the_rest():
    documents = Documents.of(corpus_of(["A  b", None, "title: x", None], ["c\nd", "e", None, None]))
    assert documents.titles == ["A b", "", "title: x", ""]
    assert documents.texts == ["description: c d", "description: e", "", ""]
    table = corpus_of(["A"], ["b"]).table
    assert Documents.of(Corpus(table, ("description",))) == Documents([""], ["description: b"])
    assert Documents.of(Corpus(table, ("description", "title"))) == Documents(["A"], ["description: b"])


def test_pairs_are_those_of_the_recipe():
    texts = ["", *(" ".join(f"w{document}x{place}" for place in range(30)) for document in range(3)), "one two"]
    documents = Documents(["", "t1", "t2", "", "t4"], texts)
    queries = queries_of(["find  t2", "w3x7 w3x8"], [1, 2, 3, 2], grades=[1, 2, 1, 0], query_rows=[0, 0, 1, 1])
    pairs = Pairs(documents, queries, PairsConfig(), seed=3)
    made = [pairs[number] for number in range(len(pairs))]
    # query 0: grade 2 wins; query 1: document 3 has no title; documents 1, 2: all kinds; 3: no title; 4: too short
    assert sum(pair.mark == "+" and pair.part == "title" for pair in made) == 3
    assert sum(pair.mark == "+" and pair.part == "body" for pair in made) == 20
    assert sum(pair.mark == "p" for pair in made) == (3 + 1 + 1) * 2 + 3 + 2
    for pair in made:
        if pair.part == "title":
            assert pair.target in ("t1", "t2", "t4")
        else:
            source = next(text for text in texts if pair.target and pair.target in text)
            assert len(pair.target.split()) == 10 or source.endswith(pair.target)
            assert pair.mark == "+" or pair.source != pair.target
    assert {pair.source for pair in made if pair.mark == "+"} == {"find t2", "w3x7 w3x8"}
    assert {pair.target for pair in made if pair.source == "find t2" and pair.part == "title"} == {"t2"}
    again = Pairs(documents, queries, PairsConfig(), seed=3)
    assert made == [again[number] for number in range(len(again))]
    assert len(Pairs(documents, queries, PairsConfig(positives=0), seed=3)) == len(pairs) + 13


def test_a_document_without_text_lends_its_title():
    pairs = Pairs(Documents(["red lamp"], [""]), queries_of(["lamp"], [0]), PairsConfig(), seed=0)
    assert {(pair.part, pair.target) for pair in map(pairs.__getitem__, range(len(pairs)))} == {
        ("title", "red lamp"), ("body", "red lamp"), ("body", "lamp"),
    }  # fmt: skip


def similarity(first, second):
    """2 x longest common subsequence / both lengths, by dynamic programming."""
    row = [0] * (len(second) + 1)
    for a in first:
        above = 0
        for j, b in enumerate(second, 1):
            above, row[j] = row[j], above + 1 if a == b else max(row[j], row[j - 1])
    return 2 * row[-1] / (len(first) + len(second))


def test_spans_begin_where_the_words_are_like_the_query():
    words = ["the", "Breast", "cancer", "of", "an", "old", "statin", "user", "in", "breast"]
    chances = span_chances("Breast cancer statin", words, temperature=0.5)
    asked = ["breast cancer statin", "cancer statin", "statin"]
    likeness = {
        start: sum(similarity(window, " ".join(words[start : start + 3]).lower()) for window in asked)
        for start in (1, 2, 5, 6, 7, 9)  # the others are stop words
    }
    weights = {start: np.exp(value / 0.5) for start, value in likeness.items()}
    expected = [weights.get(start, 0) / sum(weights.values()) for start in range(len(words))]
    assert chances.tolist() == pytest.approx(expected, rel=1e-4)
    assert span_chances("", ["of", "the"], 1.0).tolist() == [1, 0]


# Keys


def test_word_ngrams_have_every_choice_of_first_letters():
    assert set(word_ngrams("red Lamp?", 2)) == {
        "red", "Red", "Lamp", "?", "red Lamp", "Red Lamp", "Lamp ?",
    }  # fmt: skip
    assert list(word_ngrams("  ", 3)) == [] and list(word_ngrams("a b", 0)) == []


@torch.inference_mode()
def teacher_forced(model, query, part, key):
    """Log-probability by one plain pass of the Hugging Face model over the whole key."""
    ids, mask = model.sources([query], [part], ["+"])
    decoder = torch.tensor([[model.model.config.decoder_start_token_id, *key[:-1]]])
    logits = model.model(input_ids=ids, attention_mask=mask, decoder_input_ids=decoder).logits[0]
    return float(torch.log_softmax(logits.double(), -1)[range(len(key)), key].sum())


def check_keys(model, index, queries, config):
    """Every key occurs in the corpus and has the model's own log-probability."""
    text = text_of(index)
    for query, keys in zip(queries, query_keys(model, index, queries, config), strict=True):
        assert keys.ngrams
        for key, log_prob in keys.ngrams.items():
            assert occurs(text, key), key
            title = key[0] == model.end
            assert (title and key[-1] == model.delimiter) or model.end not in key
            expected = teacher_forced(model, query, *(("title", key[1:]) if title else ("body", key)))
            assert log_prob == pytest.approx(expected, abs=2e-3)
        for token in (model.delimiter, 40, 41):
            expected = teacher_forced(model, query, "body", (token,))
            assert keys.first[token] == pytest.approx(expected, abs=2e-3)


def test_every_key_occurs_in_the_corpus_with_its_own_log_probability(method):
    queries = ["red lamp", "a longer query about paint and soap", "☃ 雪"]
    check_keys(method.model, method.index, queries, DecodingConfig(beams=4, body_length=5))


def test_with_enough_beams_the_keys_are_all_ngrams_and_all_titles(method):
    model, index = method.model, method.index
    with torch.inference_mode():
        keys, _ = generate(model, model.encode(["lamp", "x"], "body"), index, beams=200, length=3)
        titles, _ = generate(
            model, model.encode(["lamp", "x"], "title"), index, beams=200, length=15,
            after=(model.end,), end=model.delimiter,
        )  # fmt: skip
    text = text_of(index)
    ngrams = {tuple(text[at : at + width]) for width in (1, 2, 3) for at in range(len(text) - width + 1)}
    expected = {ngram for ngram in ngrams if model.end not in ngram}
    assert all(set(found) == expected for found in keys)
    whole = {(*tokens, model.delimiter) for tokens in map(tuple, model.words(sorted(set(TITLES) - {""})))}
    assert all(set(found) == whole for found in titles)


def test_a_batch_of_queries_has_the_keys_of_each_alone(method):
    queries = ["red lamp", "a longer query about paint and soap and more words than others", "b"]
    together = query_keys(method.model, method.index, queries, TINY.decoding)
    for query, keys in zip(queries, together, strict=True):
        alone = query_keys(method.model, method.index, [query], TINY.decoding)[0]
        assert alone.ngrams == pytest.approx(keys.ngrams, abs=1e-4)


def pretrained(folder, kind):
    """Save a random BART or T5 with a tokenizer as a pretrained one would be."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import (
        BartConfig,
        BartForConditionalGeneration,
        PreTrainedTokenizerFast,
        T5Config,
        T5ForConditionalGeneration,
    )

    torch.manual_seed(0)
    specials = ["<s>", "<pad>", "</s>", "<unk>"] if kind == "bart" else ["<pad>", "</s>", "<unk>", "<extra_id_99>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator([*TEXTS, *[" @@"] * (20 if kind == "bart" else 0)], trainer)
    template = "<s> $A </s>" if kind == "bart" else "$A </s>"
    ids = [(token, specials.index(token)) for token in template.split() if token != "$A"]
    tokenizer.post_processor = processors.TemplateProcessing(single=template, special_tokens=ids)
    bos = {"bos_token": "<s>"} if kind == "bart" else {}
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", **bos
    )
    fast.save_pretrained(folder)
    if kind == "bart":
        BartForConditionalGeneration(BartConfig(
            vocab_size=len(fast), d_model=16, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2,
            decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=64,
        )).save_pretrained(folder)  # fmt: skip
    else:
        T5ForConditionalGeneration(T5Config(
            vocab_size=len(fast) + 20, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2,
            decoder_start_token_id=0, feed_forward_proj="gated-gelu", tie_word_embeddings=False,
        )).save_pretrained(folder)  # fmt: skip


@pytest.mark.parametrize("kind", ["bart", "t5"])
def test_a_backbone_by_path_is_trained_and_asked(tmp_path, kind):
    pretrained(tmp_path / kind, kind)
    config = TINY.model_copy(update={"backbone": str(tmp_path / kind)})
    method, _ = fitted(tmp_path, config=config, queries=queries_of(["lamp"], [0]))
    tokenizer = method.model.tokenizer
    name = "Ġ@@" if kind == "bart" else "<extra_id_99>"
    assert tokenizer.convert_ids_to_tokens(method.model.delimiter) == name
    assert method.model.model.config.model_type == kind
    ids, mask = method.model.sources(["red lamp", "a"], ["body", "title"], ["+", "p"])
    assert ids[0].tolist() == tokenizer(" red lamp || body || +")["input_ids"]
    assert ids[1][mask[1] > 0].tolist() == tokenizer(" a || title || p")["input_ids"]
    check_keys(method.model, method.index, ["red lamp", "soap and oil"], DecodingConfig(beams=3, body_length=4))
    assert (method.search(["lamp"], 3).items >= 0).any()


def test_what_is_no_backbone_is_refused_with_one_line(tmp_path):
    from transformers import BertConfig, EncoderDecoderConfig, EncoderDecoderModel

    with pytest.raises(BenchmarkError, match=r"'nowhere/model' cannot be loaded.*seal\.backbone=scratch"):
        LanguageModel.open(SEALConfig(backbone="nowhere/model"), TEXTS, 0)
    pretrained(tmp_path, "t5")
    small = BertConfig(vocab_size=330, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    EncoderDecoderModel(EncoderDecoderConfig.from_encoder_decoder_configs(small, small)).save_pretrained(tmp_path)
    with pytest.raises(BenchmarkError, match="must be one of bart, t5"):
        LanguageModel.open(SEALConfig(backbone=str(tmp_path)), TEXTS, 0)


def test_sources_are_cut_before_their_marks(method):
    ids, mask = method.model.sources(["lamp " * 100, "soap"], ["title", "body"], ["+", "p"])
    assert ids.shape[1] <= TINY.max_source
    tokenizer = method.model.tokenizer
    assert tokenizer.decode(ids[0][mask[0] > 0]).replace("</s>", "").rstrip().endswith("lamp || title || +")
    assert tokenizer.decode(ids[1][mask[1] > 0]).strip() == "soap || body || p</s>"


# Rankings


def test_it_keeps_the_contract():
    check_method("seal", **{name: getattr(TINY, name) for name in ("scratch", "max_source", "training", "decoding")})


def test_equal_documents_stand_by_item_id_descending(tmp_path):
    others = [" ".join(f"w{row}x{place}" for place in range(12)) for row in range(8)]
    titles, texts = ["red lamp"] * 4 + [""] * 8, ["on a desk"] * 4 + others
    ids = ["b", "d", "a", "c", *(f"z{row}" for row in range(8))]
    method, _ = fitted(tmp_path, titles, texts, queries_of(["red lamp"] * 9, [0] * 9), ids=ids)
    rankings = method.search(["red lamp"], 4)
    assert rankings.items[0].tolist() == [1, 3, 0, 2] and len(set(rankings.scores[0].tolist())) == 1  # d, c, b, a


def test_building_twice_gives_identical_files_and_rankings(tmp_path):
    queries = ["red lamp", "brush", "hog hair from the north"]
    first, _ = fitted(tmp_path / "1", queries=queries_of(["lamp"], [0]))
    second, _ = fitted(tmp_path / "2", queries=queries_of(["lamp"], [0]))
    for path in sorted((tmp_path / "1" / "fm-index-0").iterdir()):
        assert path.read_bytes() == (tmp_path / "2" / "fm-index-0" / path.name).read_bytes()
    once, twice = first.search(queries, 6), second.search(queries, 6)
    assert (once.items == twice.items).all() and (once.scores == twice.scores).all() and (once.items >= 0).any()


def test_odd_queries_are_answered(method):
    odd = ["", " \n", "☃ 雪が降る 🙂", "qqqq zzzz", "lamp " * 4000, "</s> @@ <extra_id_99>"]
    rankings = method.search(odd, 4)
    assert (rankings.items[:2] == -1).all()  # nothing asked, nothing found
    for items in rankings.items.tolist():
        found = [item for item in items if item >= 0]
        assert len(found) == len(set(found)) and items[len(found) :] == [-1] * (4 - len(found))
    assert (method.search([], 3).items.shape) == (0, 3)
    with pytest.raises(ConfigError, match="k:"):
        method.search(["lamp"], 0)
    with pytest.raises(BenchmarkError, match="before fit"):
        SEAL(TINY).search(["lamp"], 1)


def test_odd_documents_are_indexed(tmp_path):
    titles = ["", "雪 🙂", "x </s> y <extra_id_99>", "", "same", "same", "lamp"]
    texts = ["", "東京の雪 🙂🙂", "", "long " * 4000, "text", "text", None]
    method, _ = fitted(tmp_path, titles, texts, queries=queries_of(["雪", "nothing"], [1, 0]))
    index, model = method.index, method.model
    assert len(index.starts) == 8 and text_of(index).count(model.end) == 7 == text_of(index).count(model.delimiter)
    assert np.diff(index.starts).max() == 2 + TINY.document_tokens
    assert (method.search(["雪 🙂", "same text", "long long"], 9).items >= 0).any(1).all()


@pytest.mark.parametrize("title, text", [("lamp", ""), ("", "lamp"), ("a red lamp", "stands on a desk " * 5)])
def test_one_document_is_found(tmp_path, title, text):
    method, _ = fitted(tmp_path, [title], [text], queries=queries_of(["lamp"], [0]))
    assert set(method.search(["lamp", "what else"], 3).items.ravel().tolist()) <= {0, -1}


def test_a_corpus_without_anything_to_learn_is_refused(tmp_path):
    with pytest.raises(BenchmarkError, match="no training examples"):
        fitted(tmp_path, ["lamp", ""], ["", ""])


def test_learning_makes_the_right_document_first(tmp_path):
    """Ten documents, each asked for by one made-up word: after training, the word's document is the first."""
    words = ["amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "inlet", "jetty"]
    titles = [f"{word} house" for word in words]
    texts = [f"the {word} keeper counts {word} stones" for word in words]
    queries = queries_of([f"about {word}" for word in words], range(10))
    training = TrainingConfig(steps=120, batch_size=32, learning_rate=1e-2)
    scratch = SCRATCH.model_copy(update={"d_model": 32, "vocabulary_size": 400})
    config = TINY.model_copy(update={"training": training, "scratch": scratch})
    method, _ = fitted(tmp_path, titles, texts, queries, config)
    first = method.search(queries.texts, 1).items[:, 0]
    assert (first == np.arange(10)).mean() >= 0.8


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=3))
def test_any_text_is_tokenised_like_its_spans(method, words):
    """A span's tokens are those that the whole text has there, so that a generated span is found in its document."""
    kept = [word for word in " ".join(words).split() if word]
    whole = method.model.words([" ".join(kept)])[0]
    for start in range(len(kept)):
        span = method.model.words([" ".join(kept[start:])])[0]
        assert whole[len(whole) - len(span) :] == span


def test_presets_are_valid_and_the_paper_trains_on_1024_pairs_a_step():
    presets = load_presets(Path(settings_module.__file__), "seal")
    assert set(presets) == set(SIZES)
    configs = {name: build_config(SEALConfig, preset=preset) for name, preset in presets.items()}
    paper = configs["paper"]
    assert paper.backbone == "facebook/bart-large" and paper.training.batch_size == 1024
    assert round(paper.training.steps * paper.training.warmup_ratio) == 500
    assert (paper.pairs, paper.decoding) == (PairsConfig(), DecodingConfig())


def test_the_bench_reports_speed_and_shares():
    lines = list(comparison.run(small=True))
    assert any("queries/s" in line and "keys/s" in line for line in lines)
    shares = [float(line.split("%")[0].split()[-1]) for line in lines if "% of the time" in line]
    assert len(shares) == 3 and sum(shares) <= 100.5
    assert FMIndex.extend.__module__ == "benchmark.methods.seal.fm_index"  # nothing stays patched
