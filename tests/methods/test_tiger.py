"""TIGER: what its T5 reads and writes, its presets, and its published row in Table 3."""

import json
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
import torch
from conftest import FAST
from hugging_face import hugging_face
from hypothesis import given
from hypothesis import strategies as st
from result_files import at_preset, put

from benchmark.cli.main import main
from benchmark.config import load_presets
from benchmark.conformance import check_method, small_corpus
from benchmark.errors import ConfigError
from benchmark.generative import backbone, t5
from benchmark.generative.beam import beam_search
from benchmark.generative.config import GenerativeConfig
from benchmark.generative.finetune import finetune_recommendation, rank_recommendation
from benchmark.generative.inputs import IdHistories
from benchmark.generative.presets import build_generative
from benchmark.generative.t5_tasks import T5Task
from benchmark.generative.trie import Trie
from benchmark.reports import paper
from benchmark.results.result_files import load_results
from benchmark.running.plan import make_variants
from benchmark.types.codes import Codes
from benchmark.types.data import Histories
from benchmark.types.method import Context

CORPUS = small_corpus(30)
CODES = Codes(np.column_stack([np.arange(30) % 5, np.arange(30) // 5]).astype(np.int32), (5, 6)).with_counter()
IDS = {"d_model": 32, "layers": 1, "heads": 3, "d_kv": 8, "d_ff": 64, "dropout": 0.0, "user_tokens": 7}
EOS = 1


def settings(ids: dict | None = None, **recommendation: object) -> GenerativeConfig:
    training = {"steps": 300, "batch_size": 32, "learning_rate": 5e-3, "warmup_ratio": 0.1} | recommendation
    return GenerativeConfig(
        ids=IDS | (ids or {}), pairs="all", max_source=32, recommendation={"reader": "ids", **training}
    )  # fmt: skip


def new_task(config: GenerativeConfig) -> T5Task:
    model, tokenizer, vocabulary, _ = backbone.build(config, CODES.sizes, [], 0, reader="ids")
    return T5Task(model.eval(), tokenizer, vocabulary, vocabulary.encode(CODES), CORPUS, config)


# what is read


@given(
    st.lists(st.integers(0, 3), max_size=8), st.integers(6, 14), st.integers(1, 5), st.sampled_from([0, 4])
)  # fmt: skip
def test_histories_are_cut_between_items(history: list[int], max_source: int, max_items: int, users: int) -> None:
    """The longest end of the history whose whole IDs, user token and end of sequence fit; found by trying them all."""
    tokens = np.array([[10, 11, 12], [20, 21, -1], [30, -1, -1], [40, 41, 42]], np.int32)
    encoder = IdHistories(tokens, max_source, max_items=max_items, users=range(5, 5 + users))
    found = encoder.source(np.array(history, np.int32), "anna").tolist()
    front = [5 + crc32(b"anna") % users] if users else []
    ends = [history[start:] for start in range(len(history) + 1) if len(history) - start <= max_items]
    readable = [[*front, *(t for item in end for t in tokens[item].tolist() if t >= 0)] for end in ends]
    assert found == next(row for row in readable if len(row) + 1 <= max_source)


def test_an_id_that_does_not_fit_is_refused_by_name() -> None:
    tokens = np.arange(8, dtype=np.int32).reshape(2, 4)
    IdHistories(tokens, 5)
    with pytest.raises(ConfigError, match=r"generative\.max_source: an ID of 4 tokens does not fit"):
        IdHistories(tokens, 5, users=range(3))


def test_a_user_has_one_token_in_front_of_every_history() -> None:
    """The same in every process: CRC-32 of the id, here by its published check value (of '123456789': cbf43926)."""
    task = new_task(settings())
    encoder = task.history_encoder()
    first = {user: {int(encoder.source(np.arange(n, dtype=np.int32), user)[0]) for n in range(6)} for user in "abcdef"}
    assert all(len(tokens) == 1 for tokens in first.values())
    assert len(set.union(*first.values())) > 1
    assert encoder.source(np.empty(0, np.int32), "123456789").tolist() == [3 + 0xCBF43926 % 7]
    assert task.tokenizer.convert_ids_to_tokens(list(range(3, 10))) == [f"<user_{n}>" for n in range(7)]
    histories = Histories(["123456789"], np.array([0, 2]), np.array([4, 9], np.int32))
    (source,) = task.histories(histories).sources
    assert source.tolist() == [3 + 0xCBF43926 % 7, *task.item_tokens[4], *task.item_tokens[9]]


# the model


@pytest.mark.parametrize(("user_tokens", "rows"), [(7, 3 + 7 + 5 + 6 + 1), (0, 3 + 5 + 6 + 1)])
def test_the_softmax_has_no_row_for_a_word(user_tokens: int, rows: int, tmp_path: Path) -> None:
    """Three special tokens, the user tokens, and the codes of the two levels and the dedup counter."""
    task = new_task(settings({"user_tokens": user_tokens}))
    assert task.model.lm_head.weight.shape == (rows, 32) == task.model.shared.weight.shape
    assert (task.vocabulary.first, task.eos) == (3 + user_tokens, EOS)
    t5.save(tmp_path, task.model, task.tokenizer)
    again = T5Task.load(tmp_path, CODES, CORPUS, task.config, "cpu")
    assert again.tokenizer.get_vocab() == task.tokenizer.get_vocab() and again.vocabulary == task.vocabulary
    assert torch.equal(again.model.shared.weight, task.model.shared.weight)


def test_heads_have_a_width_of_their_own() -> None:
    """3 heads of 8 project 32 dimensions to 24; without a width of their own 4 heads share the 32."""
    for ids, inner in (({}, 24), ({"heads": 4, "d_kv": 0}, 32)):
        attention = new_task(settings(ids)).model.decoder.block[0].layer[1].EncDecAttention
        assert attention.q.weight.shape == (inner, 32) and attention.o.weight.shape == (32, inner)


def test_a_pretrained_t5_keeps_its_words_and_gets_user_tokens_behind_them(tmp_path: Path) -> None:
    torch.manual_seed(0)
    scratch = t5.ScratchConfig(d_model=16, layers=1, heads=2, d_ff=32, vocabulary_size=320)
    model, words = t5.load_seq2seq("scratch", scratch, CORPUS.texts(), setting="backbone")
    t5.save(tmp_path / "t5", model, words)
    n = len(words)
    task = new_task(settings({"backbone": str(tmp_path / "t5")}))
    assert task.vocabulary.first == n + 7 and len(task.model.shared.weight) == n + 7 + 12
    assert torch.equal(task.model.shared.weight[:n], model.shared.weight)
    assert (n <= task.histories(Histories(["u"], np.array([0, 0]), np.empty(0, np.int32))).sources[0]).all()


@pytest.mark.parametrize("beams", [20, 5])
def test_the_beam_is_hugging_faces(beams: int) -> None:
    task = new_task(settings())
    with torch.no_grad():  # random position biases are too small to matter
        task.model.decoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight.normal_()
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(3, len(task.model.shared.weight), (4, 9), generator=generator)
    mask = (torch.arange(9) < torch.tensor([[9], [4], [1], [7]])).long()
    items, scores = hugging_face(task.model, ids * mask, mask, task.item_tokens, beams)
    ours = beam_search(
        task.model, ids * mask, mask, Trie.build(task.item_tokens, EOS), task.vocabulary, beams=beams, k=beams
    )  # fmt: skip
    np.testing.assert_array_equal(ours.items, items)
    np.testing.assert_allclose(ours.scores, scores, atol=1e-4)


def test_it_learns_a_fixed_successor(tmp_path: Path) -> None:
    """Every user walks through the items in row order: the next item is known from the last one, whoever asks."""
    starts = np.random.default_rng(0).integers(0, 25, 100)
    items = np.concatenate([np.arange(start, start + 5) for start in starts]).astype(np.int32)
    histories = Histories([f"u{row}" for row in range(100)], np.arange(0, 501, 5), items)
    context, config = Context(seed=0, work=tmp_path), settings()
    facts = finetune_recommendation(tmp_path / "model", CODES, CORPUS, histories, config, context)
    assert facts["training_pairs"] == 400 and facts["vocabulary"] == 3 + 7
    test = Histories(["a", "b", "c"], np.array([0, 2, 4, 5]), np.array([3, 4, 11, 12, 20], np.int32))
    rankings = rank_recommendation(tmp_path / "model", CODES, CORPUS, test, 5, config, context)
    assert rankings.items[:, 0].tolist() == [5, 13, 21]


# the method and its presets


def test_it_conforms_and_its_ids_are_the_rqvaes() -> None:
    check_method("tiger", codebook_size=8, hidden=[16], latent=4, training={"steps": 5, "batch_size": 32})
    (tiger,), (rqvae,) = make_variants(["tiger"], "small", {}), make_variants(["rqvae"], "small", {})
    assert tiger.config == rqvae.config and tiger.cls.Config is rqvae.cls.Config


def test_every_preset_reads_ids_and_the_published_one_is_tigers() -> None:
    for preset in ("tiny", "small", "base", "paper", "published"):
        (variant,) = make_variants(["tiger"], preset, {})
        read = variant.generative
        assert (read.recommendation.reader, read.pairs, read.ids.backbone) == ("ids", "all", "scratch")
        shared = build_generative(preset, None)  # search is every other method's
        assert (read.search, read.backbone) == (shared.search, shared.backbone)
        longest = read.ids.max_items * (variant.config.levels + 1) + 1 + 1
        assert longest <= read.max_source, "no preset cuts more items than it says"
    ids, training = read.ids, read.recommendation
    assert (ids.d_model, ids.layers, ids.heads, ids.d_kv, ids.d_ff, ids.dropout) == (128, 4, 6, 64, 1024, 0.1)
    assert (ids.user_tokens, ids.max_items) == (2000, 20)
    assert (training.batch_size, training.steps, training.learning_rate) == (256, 200_000, 0.01)
    assert training.schedule == "inverse-sqrt" and training.warmup_ratio * training.steps == 10_000
    assert (variant.config.levels, variant.config.codebook_size) == (3, 256)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of presets for rqvae, which has none for the generative part itself."""
    from benchmark.running import plan

    path = tmp_path / "rqvae.toml"
    real = plan.load_presets
    monkeypatch.setattr(
        plan, "load_presets", lambda file, name, _: load_presets(path, name) if name == "rqvae" else real(file, name)
    )
    return path


def test_a_methods_preset_goes_over_the_shared_one_and_settings_over_both(written: Path) -> None:
    written.write_text("[small]\nlevels = 2\n[small.generative]\nbeams = 7\nrecommendation = { steps = 11 }\n")
    shared = make_variants(["random"], "small", {})[0].generative
    (variant,) = make_variants(["rqvae"], "small", {})
    assert variant.config.levels == 2
    expected = shared.model_dump()
    expected["beams"], expected["recommendation"]["steps"] = 7, 11
    assert variant.generative.model_dump() == expected
    (variant,) = make_variants(["rqvae"], "small", {"generative.beams": "9"})
    assert (variant.generative.beams, variant.generative.recommendation.steps) == (9, 11)
    (variant,) = make_variants(
        ["rqvae"], "small", {"generative.beams": "9", "rqvae.generative.beams": "8"}
    )  # fmt: skip
    assert variant.generative.beams == 8
    assert make_variants(["rqvae"], "tiny", {})[0].generative == make_variants(["random"], "tiny", {})[0].generative


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[small.generative]\nbeems = 7\n", r"generative\.beems: unknown key\. Did you mean 'beams'"),
        ("[small.generative.ids]\nhedas = 7\n", r"generative\.ids\.hedas: unknown key\. Did you mean 'heads'"),
        ("[small]\ngenerativ = 7\n", r"rqvae\.generativ: unknown key"),
    ],
)
def test_an_unknown_key_in_a_preset_is_refused(written: Path, text: str, message: str) -> None:
    written.write_text(text)
    with pytest.raises(ConfigError, match=message):
        make_variants(["rqvae"], "small", {})


def test_a_method_without_a_generative_part_may_not_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.running import plan

    monkeypatch.setattr(plan, "load_presets", lambda *_: {"small": {"generative": {"beams": 3}}})
    with pytest.raises(ConfigError, match=r"bm25\.generative: unknown key"):
        make_variants(["bm25"], "small", {})


def test_settings_win_over_tigers_presets() -> None:
    (variant,) = make_variants(["tiger"], "small", {"tiger.generative.ids.max_items": "3"})
    assert (variant.generative.ids.max_items, variant.generative.ids.user_tokens) == (3, 2000)


def test_show_prints_the_presets_keys_as_set_takes_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "tiger"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (preset,) = [line for line in lines if line.startswith("preset published: ")]
    assert "generative.ids.d_kv=64" in preset and "generative.recommendation.reader=ids" in preset
    assert main(["list", "methods"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("tiger ")]
    assert line.split()[1] == "indexer"
    assert main(["show", "generative"]) == 0
    assert "ids.user_tokens=0" in capsys.readouterr().out


def test_a_run_ranks_by_the_ids_and_its_command_needs_no_settings(shop: Path, tmp_path: Path) -> None:
    from benchmark.reports.html.command import settings as beyond_the_preset

    few = ["tiger.codebook_size=8", "tiger.training.steps=20", "tiger.generative.recommendation.epochs=1"]
    words = ["run", "--dataset", str(shop), "--methods", "tiger", "--tasks", "recommendation", "--preset", "tiny"]
    words += ["--runs", str(tmp_path), "--device", "cpu", *FAST, *(word for key in few for word in ("--set", key))]
    assert main(words) == 0
    (result,) = load_results(tmp_path)
    assert result.metrics["recommendation"]["R@10"] >= 0
    assert json.loads(json.dumps(result.config))["generative"]["recommendation"]["reader"] == "ids"
    (cost,) = tmp_path.glob("shop/tiger/*/*/cost.json")
    assert json.loads(cost.read_text())["facts"]["recommendation"]["vocabulary"] == 3 + 100
    given = {word.partition("=")[0] for word in (*FAST, *few) if "=" in word}
    named = {key.removeprefix("tiger.") for key in beyond_the_preset(result)}
    assert named <= {key.removeprefix("tiger.") for key in given}, "what the preset says is not said again"


# its published row

AMAZON = ["title", "description", "brand", "price", "category"]
BEAUTY = {"name": "beauty", "title": "Beauty", "fingerprint": "b1", "counts": {"items": 12101, "users": 22363}}
TIGER = "TIGER (Rajput et al., 2023)"


def beauty_cell(runs: Path, row: str):
    (filled,) = paper.TABLE3.fill(load_results(runs))
    (found,) = [each for each in filled.rows if each.title == row]
    return found.cells[0], filled


def test_the_published_values_are_those_of_tigers_table_1() -> None:
    (filled,) = paper.TABLE3.fill([])
    (row,) = [row for row in filled.rows if row.title == TIGER]
    values = dict(zip([column.header for column in filled.columns], row.cells, strict=True))
    assert {header: cell.published.value for header, cell in values.items()} == {
        "Beauty R@5": 0.0454, "Beauty nDCG@5": 0.0321, "Sports R@5": 0.0264, "Sports nDCG@5": 0.0181,
        "Toys R@5": 0.0521, "Toys nDCG@5": 0.0371,
    }  # fmt: skip
    (note,) = [note for note in filled.footnotes if "TIGER" in note]
    assert "not a row of the paper" in note and "NeurIPS 2023, Table 1" in note and "0.0648 and 0.0384" in note


def published_run(runs: Path, preset: str, **change: object) -> None:
    (variant,) = make_variants(["tiger"], preset, {})
    parts = {"method": variant.config, "generative": variant.generative}
    config = {name: part.model_dump(mode="json") for name, part in parts.items()}
    metrics = {"recommendation": {"R@5": 0.045, "nDCG@5": 0.03}}
    fields = {"text_fields": ["title", "price", "brand", "category"], "dataset": BEAUTY, "metrics": metrics} | change
    put(runs, "tiger", preset=preset, config=config | {"protocol": {}}, **fields)


def test_in_its_own_setting_only_what_the_preset_cannot_have_stands_against_tiger(tmp_path: Path) -> None:
    published_run(tmp_path, "published")
    cell, filled = beauty_cell(tmp_path, TIGER)
    (reason,) = cell.published.reasons
    assert "Adagrad" in reason and cell.published.verdict == "not comparable"
    assert any(f"(a) {reason}" in note for note in filled.footnotes)


def test_a_smaller_tiger_says_what_is_smaller(tmp_path: Path) -> None:
    published_run(tmp_path, "small", text_fields=AMAZON)
    reasons = beauty_cell(tmp_path, f"{TIGER} [encoder=default]")[0].published.reasons
    assert {"preset small, not published", "text with description besides"} <= set(reasons)
    (settings,) = [reason for reason in reasons if "settings differ from it: " in reason]
    different = settings.partition(": ")[2].split(", ")
    assert {"generative.ids.layers", "generative.recommendation.steps", "encoder.name"} <= set(different)
    assert not any("reader" in reason or "user_tokens" in reason for reason in reasons)


@pytest.mark.parametrize("reader", ["items", "ids"])
def test_lmindexers_row_was_read_from_texts_and_no_other_reader_is_compared_with_it(
    tmp_path: Path, reader: str
) -> None:
    metrics = {"recommendation": {"R@5": 0.0415}, "search": {"nDCG@5 (published)": 0.3187}}
    for number, one in enumerate((reader, "text")):
        config = at_preset("lmindexer", **{"generative.recommendation.reader": one})
        all_shops = BEAUTY | {"name": "beauty-locale-all"}
        fields = {"preset": "paper", "text_fields": AMAZON, "dataset": all_shops, "queries": "judged"}
        put(tmp_path / one, "lmindexer", config=config, metrics=metrics, key=f"k{number}", **fields)
    assert beauty_cell(tmp_path / "text", "LMIndexer")[0].published.verdict == "ok"
    cell = beauty_cell(tmp_path / reader, "LMIndexer")[0]
    assert cell.published.reasons == (f"generative.recommendation.reader {reader}, not text",)
    search = paper.TABLE4.fill(load_results(tmp_path / reader))[0]
    (row,) = [row for row in search.rows if row.title == "LMIndexer"]
    assert row.cells[0].published.verdict == "ok", "the reader of histories has no part in search"
