"""The T5 and the code vectors that an indexer hands over are where fine-tuning starts, bit for bit."""

import json
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from conftest import FAST

from benchmark.cli.main import main
from benchmark.code_version import model_folders
from benchmark.config import EncoderConfig, MethodConfig
from benchmark.conformance import check_method, small_corpus
from benchmark.errors import BenchmarkError
from benchmark.generative import backbone, t5
from benchmark.generative.config import GenerativeConfig, RecommendationConfig, SearchConfig
from benchmark.generative.finetune import finetune_recommendation, finetune_search
from benchmark.generative.start import load_start, save_start
from benchmark.generative.t5 import ScratchConfig, load_seq2seq
from benchmark.registry import registered
from benchmark.types.arrays import Float32
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus, Histories, QuerySet
from benchmark.types.method import Context, Indexer, Retriever
from benchmark.types.rankings import Rankings

pytestmark = pytest.mark.usefixtures("small_encoder")

CORPUS = small_corpus(30)
CODES = Codes(np.column_stack([np.arange(30) % 5, np.arange(30) // 5]).astype(np.int32), (5, 6)).with_counter()
SCRATCH = ScratchConfig(d_model=16, layers=1, heads=2, d_ff=32, vocabulary_size=320, dropout=0.0)
STILL = {"steps": 2, "batch_size": 4, "learning_rate": 1e-30}  # far below the last bit of any weight


def settings(**more: Any) -> GenerativeConfig:
    tasks = {"recommendation": RecommendationConfig(**STILL), "search": SearchConfig(**STILL)}
    return GenerativeConfig(**{"scratch": SCRATCH, "max_source": 32, **tasks} | more)


def vectors(width: int, sizes: tuple[int, ...] = (5, 6)) -> list[Float32]:
    return [np.random.default_rng(size).normal(2, 7, (size, width)).astype(np.float32) for size in sizes]


def tiny_t5(texts: list[str], *, tied: bool = True) -> tuple[Any, Any]:
    """Return a T5 with weights of its own; not tied: with an output table of its own, as T5 1.1 has."""
    torch.manual_seed(5)
    model, tokenizer = load_seq2seq("scratch", SCRATCH, texts, setting="backbone")
    if not tied:
        model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.lm_head.weight))
        model.config.tie_word_embeddings = False
    return model, tokenizer


def build(folder: Path | None, **more: Any) -> tuple[Any, Any, Any, str]:
    return backbone.build(settings(**more), CODES.sizes, CORPUS.texts(), 0, folder)


@pytest.mark.parametrize("tied", [True, False])
def test_a_learned_t5_arrives_bit_for_bit_with_its_codes_in_every_table(tmp_path: Path, tied: bool) -> None:
    """The words' rows, the codes' rows and all other weights; only the counter's rows are new."""
    learned, words = tiny_t5(CORPUS.texts()[:10], tied=tied)
    rows = vectors(16)
    save_start(tmp_path / "start", rows, learned, words)
    model, tokenizer, vocabulary, origin = build(tmp_path / "start")
    assert origin == "learned T5"
    assert tokenizer.get_vocab() == words.get_vocab() and vocabulary.first == len(words)
    old, new = learned.state_dict(), model.state_dict()
    assert old.keys() == new.keys() and len({name for name in new if new[name].shape != old[name].shape}) == 4
    for name, weight in old.items():
        assert torch.equal(new[name][: len(weight)], weight), name
        if new[name].shape != weight.shape:
            codes = new[name][vocabulary.first :]
            assert np.array_equal(codes[: 5 + 6].numpy(), np.concatenate(rows))
            assert len(codes) == vocabulary.size and (codes[5 + 6 :] != 0).any()
    assert torch.equal(model.lm_head.weight, model.shared.weight) == tied


@pytest.mark.parametrize("tied", [True, False])
def test_a_fine_tuned_model_is_the_learned_one_where_nothing_was_learned(tmp_path: Path, tied: bool) -> None:
    """With a learning rate of nothing both tasks save what was handed over, and it comes back so when it ranks."""
    learned, words = tiny_t5(CORPUS.texts(), tied=tied)
    rows = vectors(16)
    save_start(tmp_path / "start", rows, learned, words)
    items = np.arange(30, dtype=np.int32)
    queries = QuerySet("made-up", [f"q{i}" for i in items], CORPUS.texts(), items, items, np.ones(30, np.int32))
    histories = Histories([f"u{i}" for i in range(5)], np.arange(0, 31, 6), items)
    for name, data, finetune in (("s", queries, finetune_search), ("r", histories, finetune_recommendation)):
        lines: list[str] = []
        (tmp_path / f"{name}-work").mkdir()
        context = Context(seed=0, work=tmp_path / f"{name}-work", log=lines.append)
        facts = finetune(tmp_path / name, CODES, CORPUS, data, settings(), context, tmp_path / "start")  # type: ignore[operator]
        assert facts["start"] == "learned T5" and lines == ["  fine-tuning starts from: learned T5"]
        model, tokenizer = t5.load(tmp_path / name, "cpu")
        first = len(tokenizer)
        for key, weight in learned.state_dict().items():
            assert torch.equal(model.state_dict()[key][: len(weight)], weight), key
        for table in (model.shared.weight, model.lm_head.weight):
            assert np.array_equal(table[first : first + 11].detach().numpy(), np.concatenate(rows))


def test_a_learned_position_need_not_be_the_last(tmp_path: Path) -> None:
    save_start(tmp_path / "start", vectors(16, (5,)), *tiny_t5(CORPUS.texts()))
    model, _, vocabulary, _ = build(tmp_path / "start")
    codes = model.shared.weight.detach()[vocabulary.first :].numpy()
    assert np.array_equal(codes[:5], vectors(16, (5,))[0])
    assert codes[5:].std() == pytest.approx(model.shared.weight[: vocabulary.first].std().item(), rel=0.3)


def test_fresh_leaves_aside_what_was_handed_over(tmp_path: Path) -> None:
    save_start(tmp_path / "start", vectors(16), *tiny_t5(CORPUS.texts()[:10]))
    model, tokenizer, _, origin = build(tmp_path / "start", start="fresh")
    plain, words, _, same = build(None)
    assert origin == same == "backbone" and tokenizer.get_vocab() == words.get_vocab()
    assert all(torch.equal(weight, plain.state_dict()[name]) for name, weight in model.state_dict().items())


def test_a_folder_that_is_not_there_is_no_start(tmp_path: Path) -> None:
    assert load_start(tmp_path / "start", (5, 6)) is None
    assert build(tmp_path / "start")[3] == "backbone"


@pytest.mark.parametrize("sizes", [(5, 7), (4,), (5, 6, 1), (5, 6, 1, 2)])
def test_vectors_of_other_codebooks_are_refused(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    """The counter's position (the third of the sizes 5, 6, 1) belongs to fine-tuning and cannot be handed over."""
    assert CODES.sizes == (5, 6, 1)
    save_start(tmp_path / "start", vectors(16, sizes), *tiny_t5(CORPUS.texts()))
    with pytest.raises(BenchmarkError, match=r"do not fit IDs of sizes \(5, 6\)"):
        build(tmp_path / "start")


def test_what_cannot_be_a_start_is_one_message_and_writes_nothing(tmp_path: Path) -> None:
    model, words = tiny_t5(CORPUS.texts())
    broken = vectors(16)
    broken[1][2, 3] = np.nan
    wrong: list[tuple[list[Any], str]] = [
        ([], "not none"),
        ([np.zeros((5, 16)), np.zeros((6, 8))], r"not \(5, 16\), \(6, 8\)"),
        ([np.zeros(5)], r"not \(5,\)"),
        (broken, "not finite"),
        (vectors(8), "the T5 has d_model 16, the code vectors 8"),
    ]
    for rows, message in wrong:
        with pytest.raises(BenchmarkError, match=message):
            save_start(tmp_path / "start", rows, model, words)
    assert not (tmp_path / "start").exists()
    (tmp_path / "start").mkdir()
    with pytest.raises(BenchmarkError, match=r"has no codes\.npz"):
        load_start(tmp_path / "start", (5, 6))


# Through the runner

T5 = ["--set", "generative.recommendation.reader=text", "--set", "generative.search.reader=text"]


class HandsOverConfig(MethodConfig):
    what: Literal["t5", "nothing", "wrong"] = "t5"
    model: str = ""


class HandsOver(Indexer[HandsOverConfig]):
    """IDs by row number, with a start for the fine-tuning."""

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        self.texts = corpus.texts()
        rows = np.arange(len(corpus))
        return Codes(np.column_stack([rows % 5, rows // 5 % 6]).astype(np.int32), (5, 6))

    def save_initial_weights(self, folder: Path) -> None:
        if self.config.what != "nothing":
            sizes = (5, 7) if self.config.what == "wrong" else (5, 6)
            save_start(folder, vectors(16, sizes), *tiny_t5(self.texts))


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, cls in (("hands-over", "HandsOver"), ("backwards", "Backwards")):
        entry = EntryPoint(name, f"test_generative_start:{cls}", "benchmark.methods")
        monkeypatch.setitem(registered("method"), name, entry)


def run(shop: Path, runs: Path, methods: str, *more: str) -> int:
    words = ["run", "--dataset", str(shop), "--methods", methods, "--runs", str(runs), "--device", "cpu"]
    return main([*words, *FAST, *T5, *more])


def measured(runs: Path, label: str) -> dict[str, bytes]:
    """Everything that a method's cells leave behind but their measured costs, by name."""
    files = (path for path in runs.glob(f"shop/{label}/*/*/*") if path.name not in ("cost.json", ".lock"))
    return {path.name: path.read_bytes() for path in files}


def start_of(runs: Path, label: str) -> dict[str, str | None]:
    (cost,) = runs.glob(f"shop/{label}/*/*/cost.json")
    return {task: facts.get("start") for task, facts in json.loads(cost.read_text())["facts"].items()}


def test_a_run_starts_both_tasks_from_what_was_handed_over(shop: Path, tmp_path: Path, plugins: None) -> None:
    methods = "hands-over,fresh=hands-over,nothing=hands-over,random"
    more = ("--set", "fresh.generative.start=fresh", "--set", "nothing.what=nothing", "--set", "random.codebook_size=8")
    for runs in (tmp_path / "once", tmp_path / "again"):
        assert run(shop, runs, methods, *more) == 0
        found = {label: start_of(runs, label) for label in ("hands-over", "nothing", "fresh", "random")}
        for label, origin in zip(found, ("learned T5", "backbone", "backbone", "backbone"), strict=True):
            assert found[label] == {"ids": None, "recommendation": origin, "search": origin}
    ours = {label: measured(tmp_path / "once", label) for label in found}
    for label in found:
        assert ours[label] == measured(tmp_path / "again", label)
    for name in ("run.search.trec", "run.recommendation.trec"):
        ranked = [[line.split()[:5] for line in ours[label][name].decode().splitlines()] for label in found]
        assert ranked[0] != ranked[1] == ranked[2] != ranked[3]


def test_a_start_that_does_not_fit_ends_the_learning_of_the_ids(
    shop: Path, tmp_path: Path, plugins: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shop, tmp_path, "hands-over", "--set", "hands-over.what=wrong", "--tasks", "id-quality") == 1
    message = "failed: hands-over, id-quality, seed 0: hand-over: vectors for codebooks of sizes (5, 7)"
    assert message in capsys.readouterr().err


def test_the_conformance_test_hands_over_too(plugins: None) -> None:
    check_method("random", codebook_size=8)
    with pytest.raises(AssertionError, match="hands-over: hand-over: vectors for codebooks of sizes"):
        check_method_in_process("wrong")
    check_method_in_process("nothing")


def check_method_in_process(what: str) -> None:
    """The checks of `check_method` but for the import, which torch at the top of this file would fail."""
    from benchmark import conformance

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conformance, "_assert_light_import", lambda module: None)
        check_method("hands-over", what=what)


# What a method's configuration names on disk


class NamesModels(MethodConfig):
    backbone: str = "t5-base"
    words: Literal["corpus", "all"] = "corpus"
    empty: str = ""
    encoder: EncoderConfig = EncoderConfig()
    more: tuple[str, ...] = ()


def test_every_folder_that_a_configuration_names_counts_but_no_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("corpus", "a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights").write_text(name)
        (tmp_path / name / "config.json").write_text("{}")
    assert model_folders(NamesModels()) == {}
    config = NamesModels(backbone="a", encoder=EncoderConfig(name=str(tmp_path / "b")), more=("c", "d"))
    found = model_folders(config)
    assert set(found) == {"a", str(tmp_path / "b"), "c"} and len(set(found.values())) == 3
    (tmp_path / "a" / "weights").write_text("trained again")
    assert {name for name, version in model_folders(config).items() if version != found[name]} == {"a"}


class Backwards(Retriever[HandsOverConfig]):
    """Every query gets the items in reverse order."""

    def fit(self, corpus: Corpus, queries: QuerySet | None, context: Context) -> None:
        self.n_items = len(corpus)

    def search(self, queries: Sequence[str], k: int) -> Rankings:
        items = np.arange(self.n_items, dtype=np.int32)[::-1][:k]
        return Rankings(np.tile(items, (len(queries), 1)), np.tile(items.astype(np.float32), (len(queries), 1)))


@pytest.mark.parametrize(
    ("method", "task", "stage"), [("hands-over", "id-quality", "ids"), ("backwards", "search", "rank.search")]
)
def test_a_stage_is_computed_again_when_the_model_that_it_names_was_trained_again(
    shop: Path, tmp_path: Path, plugins: None, capsys: pytest.CaptureFixture[str], method: str, task: str, stage: str
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    words = ["run", "--dataset", str(shop), "--methods", method, "--runs", str(tmp_path / "runs"), "--device", "cpu"]
    words += ["--tasks", task, "--set", f"{method}.model={model}"]

    def state() -> str:
        assert main([*words, "--dry-run", "--json"]) == 0
        (row,) = json.loads(capsys.readouterr().out)
        state: str = row["stages"][stage]
        return state

    assert main(words) == 0
    capsys.readouterr()
    assert state() == "cached"
    assert main([*words, "--dry-run"]) == 0 and "0 of 1 cells to compute" in capsys.readouterr().out
    (model / "weights").write_text("trained again")
    assert state() == "to do"
    assert main([*words, "--dry-run"]) == 0 and "1 of 1 cells to compute" in capsys.readouterr().out
