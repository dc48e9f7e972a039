"""LMIndexer's training on a few toy texts: what a stage may change, what a kill may not, what the codes are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.config import TrainingConfig
from benchmark.conformance import check_method, small_corpus
from benchmark.errors import BenchmarkError, ConfigError
from benchmark.generative.backbone import build
from benchmark.generative.config import GenerativeConfig
from benchmark.generative.start import load_start
from benchmark.generative.t5 import ScratchConfig, load_seq2seq, save, train_tokenizer
from benchmark.learning.batches import batches
from benchmark.methods.lmindexer import learner as learner_module
from benchmark.methods.lmindexer import reader as reader_module
from benchmark.methods.lmindexer.config import LMIndexerConfig, PositionConfig, ReconstructorConfig, WeightsConfig
from benchmark.methods.lmindexer.indexer import LMIndexer
from benchmark.methods.lmindexer.learner import Learner, whole_blocks
from benchmark.methods.lmindexer.losses import denominators
from benchmark.types.arrays import Int32
from benchmark.types.data import Corpus
from benchmark.types.method import Context

CORPUS = small_corpus(40)
TEXTS = CORPUS.texts()
SCRATCH = ScratchConfig(d_model=32, layers=1, heads=2, d_ff=64, vocabulary_size=300)
FEW = TrainingConfig(steps=4, batch_size=10, learning_rate=3e-3, checkpoint_seconds=0.0, weight_decay=0.01)
STAGES = ["warmup", "position1.no-code", "position1.full", "position2.no-code", "position2.full"]
NOTHING_KNOWN = np.empty((40, 0), np.int32)


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A BERT of three layers with random weights, on disk."""
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("bert")
    tokenizer = train_tokenizer(SCRATCH, TEXTS)
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 48}
    save(folder, BertModel(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=64, **sizes)), tokenizer)
    return str(folder)


@pytest.fixture(scope="session")
def t5(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A T5 with random weights, on disk: to LMIndexer a pretrained one."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("t5")
    save(folder, *load_seq2seq("scratch", SCRATCH, TEXTS, setting="backbone"))
    return str(folder)


@pytest.fixture
def backbones(encoder: str, t5: str) -> dict[str, dict[str, Any]]:
    return {
        "scratch": {"backbone": "scratch"},
        "t5": {"backbone": t5},
        "encoder": {"backbone": "encoder", "encoder": encoder, "frozen_layers": 1},
    }


def settings(training: TrainingConfig = FEW, **more: Any) -> LMIndexerConfig:
    position = PositionConfig(mask_ratio=0.5, no_code=training, full=training)
    standard = {"backbone": "scratch", "scratch": SCRATCH, "length": 2, "codebook_size": 8, "study_items": 0}
    return LMIndexerConfig(**{**standard, "warmup": training, "first": position, "later": position, **more})


def fit(work: Path, config: LMIndexerConfig, corpus: Corpus = CORPUS, seed: int = 0, **context: Any) -> Int32:
    work.mkdir(exist_ok=True, parents=True)
    codes = LMIndexer(config).fit(corpus, Context(seed=seed, work=work, **context))
    assert codes.sizes == (config.codebook_size,) * config.length
    return codes.values


def learner_of(work: Path, config: LMIndexerConfig, texts: list[str] = TEXTS) -> Learner:
    work.mkdir(exist_ok=True, parents=True)
    return Learner(config, texts, Context(seed=0, work=work))


def weights(learner: Learner) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in learner.network.named_parameters()}


@torch.no_grad()
def hidden(learner: Learner, prefix: Int32) -> Tensor:
    """Return h_t of all documents [n, D] from one batch in eval mode."""
    learner.network.eval()
    rows = torch.arange(len(prefix))
    batch = learner.documents.batch(rows, torch.from_numpy(prefix.astype(np.int64)), len(prefix))
    return learner.network.hidden(batch)[:, -1]


def records(work: Path, stage: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (work / f"{stage}.log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("backbone", ["scratch", "encoder"])
def test_the_seed_decides_the_codes(tmp_path: Path, backbones: dict[str, dict[str, Any]], backbone: str) -> None:
    config = settings(length=3, **backbones[backbone])
    first, again, other = (fit(tmp_path / str(run), config, seed=seed) for run, seed in enumerate((0, 0, 1)))
    assert first.shape == (40, 3) and first.dtype == np.int32 and first.min() >= 0
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_it_keeps_the_contract_of_methods() -> None:
    check_method("lmindexer", **settings(length=1).model_dump())


class Killed(Exception):
    pass


def dying_in(stage: str, step: int = 2) -> Callable[..., Iterable[Any]]:
    """Return a progress bar that kills the stage before the given step."""

    def progress(iterable: Iterable[Any], title: str, total: int | None = None) -> Iterable[Any]:
        for done, value in enumerate(iterable):
            if title == f"{stage}, step" and done == step:
                raise Killed
            yield value

    return progress


def test_however_often_it_is_killed_the_codes_and_logs_stay_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once in the middle of every training, and once in each k-means between two trainings."""
    config = settings(study_items=10)
    whole = fit(tmp_path / "whole", config)
    kmeans = learner_module.kmeans
    calls = 0

    def dying_kmeans(*arguments: Any, **keywords: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls in (1, 3):  # the second goes through on the way to the second position
            raise Killed
        return kmeans(*arguments, **keywords)

    for stage in STAGES[:2]:
        with pytest.raises(Killed):
            fit(tmp_path / "killed", config, progress=dying_in(stage))
    with monkeypatch.context() as patch:
        patch.setattr(learner_module, "kmeans", dying_kmeans)
        with pytest.raises(Killed):
            fit(tmp_path / "killed", config)
        with pytest.raises(Killed):
            fit(tmp_path / "killed", config)
    assert calls == 3
    for stage in STAGES[4:]:
        with pytest.raises(Killed):
            fit(tmp_path / "killed", config, progress=dying_in(stage))
    np.testing.assert_array_equal(fit(tmp_path / "killed", config), whole)
    for stage in STAGES:
        log = f"{stage}.log.jsonl"
        assert (tmp_path / "killed" / log).read_text() == (tmp_path / "whole" / log).read_text()


@pytest.mark.parametrize(
    ("backbone", "stage"), [*(("scratch", stage) for stage in STAGES), *(("encoder", stage) for stage in STAGES[2:4])]
)
def test_a_kill_in_any_stage_leaves_no_mark(
    tmp_path: Path, backbones: dict[str, dict[str, Any]], backbone: str, stage: str
) -> None:
    config = settings(residual_directions=3, **backbones[backbone])
    with pytest.raises(Killed):
        fit(tmp_path / "killed", config, progress=dying_in(stage))
    steps: list[str] = []

    def counting(iterable: Iterable[Any], title: str, total: int | None = None) -> Iterable[Any]:
        for value in iterable:
            steps.append(title.removesuffix(", step"))
            yield value

    resumed = fit(tmp_path / "killed", config, progress=counting)
    np.testing.assert_array_equal(resumed, fit(tmp_path / "whole", config))
    later = STAGES[STAGES.index(stage) + 1 :]
    assert steps == [stage] * 2 + [name for name in later for _ in range(4)]  # nothing is trained twice


@pytest.mark.parametrize("backbone", ["scratch", "encoder"])
def test_codes_depend_on_no_batch_and_no_dropout(
    tmp_path: Path, backbones: dict[str, dict[str, Any]], backbone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the largest dot products of h_t of a single batch with the codebook."""
    learner = learner_of(tmp_path, settings(**backbones[backbone]))
    codes = learner.learn_position(NOTHING_KNOWN)
    learner.network.train()
    again = learner.codes(NOTHING_KNOWN, learner.documents)
    monkeypatch.setattr(reader_module, "EXPORT_BATCH", 7)
    np.testing.assert_array_equal(codes[:, 0], again)
    np.testing.assert_array_equal(again, learner.codes(NOTHING_KNOWN, learner.documents))
    expected = (hidden(learner, NOTHING_KNOWN).double() @ learner.network.codebooks[0].double().T).argmax(dim=1)
    np.testing.assert_array_equal(again, expected.numpy())
    assert len(set(again.tolist())) > 1


@pytest.mark.parametrize(("n_steps", "expected_steps"), [(5, [5]), (6, [4, 6]), (9, [4, 9])])
def test_every_stage_behind_the_warm_up_is_measured_each_epoch(
    tmp_path: Path, n_steps: int, expected_steps: list[int]
) -> None:
    """With 40 documents and batches of 10 an epoch has 4 steps; one end stands for two that are close together."""
    steps = FEW.model_copy(update={"steps": n_steps})
    fit(tmp_path, settings(steps, study_items=15, codebook_size=5))
    of_reconstruction, of_codes = {"macro_f1", "micro_f1"}, {"perplexity", "diff_ratio"}
    for stage in STAGES[1:]:
        measured = [record for record in records(tmp_path, stage) if "loss" not in record]
        expected = of_reconstruction | (of_codes if stage.endswith("full") else set())
        expected |= {"agreement"} if stage.startswith("position2") else set()
        assert [record.pop("step") for record in measured] == expected_steps
        for record in measured:
            assert set(record) == {"stage"} | expected
            assert all(0 <= record[name] <= 1 for name in expected - {"perplexity"})
            assert 1 <= record.get("perplexity", 1) <= 5


def test_the_perplexity_is_that_of_all_items_and_measuring_changes_no_code(tmp_path: Path) -> None:
    """At the end of a position it is the perplexity of the codes that it gives, whatever sample the study takes."""
    found = {}
    for study_items in (0, 3):
        work = tmp_path / str(study_items)
        work.mkdir()
        learner = learner_of(work, settings(study_items=study_items, codebook_size=5))
        found[study_items] = learner.learn_position(NOTHING_KNOWN)[:, 0].tolist()
    assert found[0] == found[3] and len(set(found[3])) > 1
    shares = [found[3].count(code) / len(TEXTS) for code in set(found[3])]
    measured = [record["perplexity"] for record in records(work, "position1.full") if "perplexity" in record]
    assert measured[-1] == pytest.approx(np.prod([share**-share for share in shares]))


def test_each_stage_has_its_losses(tmp_path: Path) -> None:
    fit(tmp_path, settings())
    for stage in STAGES:
        first = records(tmp_path, stage)[0]
        expected = {"stage", "step", "loss", "reconstruction"}
        if stage != "warmup":
            expected |= {"contrastive"} | ({"commitment"} if stage.startswith("position2") else set())
        assert set(first) == expected


def test_equal_texts_get_equal_codes_and_empty_texts_get_codes(tmp_path: Path) -> None:
    texts = [*TEXTS[:34], *TEXTS[:4], "", ""]
    learner, prefix = learner_of(tmp_path, settings(length=3), texts), NOTHING_KNOWN
    learner.warm_up()
    for _ in range(3):
        prefix = learner.learn_position(prefix)
    np.testing.assert_array_equal(prefix[:4], prefix[34:38])
    np.testing.assert_array_equal(prefix[38], prefix[39])
    assert len(np.unique(prefix, axis=0)) > 5


def test_copies_of_a_text_get_one_code_wherever_they_are_exported(tmp_path: Path) -> None:
    """Rounding differs from batch to batch; a text in capitals is a copy too, to a tokenizer that lowers them."""
    texts = small_corpus(100).texts()
    texts = [*texts, *(text.upper() for text in texts)] * 2
    learner = learner_of(tmp_path, settings(length=1, codebook_size=128), texts)
    codes = learner.learn_position(np.empty((400, 0), np.int32)).reshape(4, 100)
    np.testing.assert_array_equal(codes, codes[:1].repeat(4, axis=0))
    assert len(set(codes[0].tolist())) > 3


@pytest.mark.parametrize(
    "weights", [{"reconstruction": 0.0}, {"contrastive": 0.0}, {"commitment": 0.0}, {"contrastive": 0, "commitment": 0}]
)
def test_any_loss_may_be_left_out(tmp_path: Path, weights: dict[str, float]) -> None:
    """Without reconstruction there is nothing to warm the reconstructor up with, and that stage is left out."""
    fit(tmp_path, settings(weights=WeightsConfig(**weights)))
    kept = {"reconstruction", "contrastive", "commitment"} - set(weights)
    assert kept == set(records(tmp_path, "position2.full")[0]) - {"stage", "step", "loss"}
    assert (tmp_path / "warmup.log.jsonl").is_file() == ("reconstruction" in kept)


def test_settings_that_cannot_learn_are_refused_by_name(tmp_path: Path) -> None:
    for wrong, message in (
        ({"weights": WeightsConfig(reconstruction=0, contrastive=0)}, "weights"),
        ({"reconstructor": ReconstructorConfig(heads=3)}, r"heads"),
        ({"scored_above": 0.98, "scored_below": 0.99}, "scored_above"),
    ):
        with pytest.raises(ConfigError, match=message):
            fit(tmp_path, settings(**wrong))


def test_a_codebook_larger_than_the_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"codebook_size.*only 40 items"):
        fit(tmp_path, settings(codebook_size=41))


@pytest.mark.parametrize("backbone", ["scratch", "t5", "encoder"])
def test_the_warm_up_changes_the_reconstructor_only(
    tmp_path: Path, backbones: dict[str, dict[str, Any]], backbone: str
) -> None:
    """Weight decay included: backbone and codebooks stay as they are, bit for bit."""
    learner = learner_of(tmp_path, settings(**backbones[backbone]))
    before = weights(learner)
    learner.warm_up()
    changed = {name.split(".")[0] for name, value in weights(learner).items() if not torch.equal(value, before[name])}
    assert changed == {"reconstructor"} | ({"own_table"} if backbone == "encoder" else set())


@pytest.mark.parametrize("backbone", ["scratch", "encoder"])
def test_a_stage_moves_the_codebooks_it_uses(
    tmp_path: Path, backbones: dict[str, dict[str, Any]], backbone: str
) -> None:
    """Without codes those of the earlier positions, with codes the position's own too; never a later one."""
    config = settings(length=3, codebook_init="random", **backbones[backbone])
    prefix = NOTHING_KNOWN
    for position in range(2):
        for no_code in (True, False):
            learner = learner_of(tmp_path / f"{position}{no_code}", config)
            before = weights(learner)
            if no_code:
                last = dying_in(f"position{position + 1}.full", step=0)
                learner.context = Context(seed=0, work=learner.context.work, progress=last)
                with pytest.raises(Killed):
                    learner.learn_position(prefix)
            else:
                learner.learn_position(prefix)
            after = weights(learner)
            changed = [not torch.equal(before[f"codebooks.{i}"], after[f"codebooks.{i}"]) for i in range(3)]
            assert changed == [i < position or (i == position and not no_code) for i in range(3)]
            assert any(not torch.equal(before[name], after[name]) for name in before if name.startswith("backbone."))
        prefix = np.column_stack([prefix, np.arange(40) % 8]).astype(np.int32)


@pytest.mark.parametrize("kind", ["k-means", "spherical"])
def test_the_first_codebook_are_the_centres_of_the_hidden_states(tmp_path: Path, kind: Any) -> None:
    """Each k-means centre is the mean of the states nearest to it; a spherical one has its direction."""
    still = FEW.model_copy(update={"learning_rate": 1e-12, "steps": 1})  # what is learned behind it is nothing
    config = settings(codebook_init=kind, first=PositionConfig(no_code=FEW, full=still))
    learner = learner_of(tmp_path, config)
    learner.learn_position(NOTHING_KNOWN)
    states, found = hidden(learner, NOTHING_KNOWN).numpy(), learner.network.codebooks[0].detach().numpy()
    lengths = np.linalg.norm(found, axis=1)
    if kind == "spherical":
        np.testing.assert_allclose(lengths, lengths[0], rtol=1e-5)
        centres = learner_module.kmeans(states, 8, seed=0)[0]
        np.testing.assert_allclose(lengths[0], np.linalg.norm(centres, axis=1).mean(), rtol=1e-4)
        cosines = (found * centres).sum(1) / lengths / np.linalg.norm(centres, axis=1)
        np.testing.assert_allclose(cosines, 1, atol=1e-5)
        return
    nearest = ((states[:, None] - found[None]) ** 2).sum(-1).argmin(1)
    assert set(nearest.tolist()) == set(range(8))
    for code in range(8):
        np.testing.assert_allclose(found[code], states[nearest == code].mean(0), atol=1e-4)


@pytest.mark.parametrize("devices", [1, 2, 4, 8])
def test_the_negatives_at_position_1_do_not_depend_on_the_number_of_devices(devices: int) -> None:
    """The preset `paper`: 128 documents in blocks of 16, so 15 negatives each on any number of devices."""
    paper = TrainingConfig(batch_size=128, accumulation=8, steps=3)
    cut = whole_blocks(paper, 16, devices, "position1")
    for rank in range(devices):
        for step in batches(1000, cut, 0, 0, rank, devices):
            for chunk in map(torch.from_numpy, step):
                of_anchor = denominators(chunk, torch.zeros(len(chunk), 0, dtype=torch.long), 16).sum(1)
                assert set(of_anchor.tolist()) == {15}


def test_a_batch_that_leaves_a_device_less_than_a_block_is_refused() -> None:
    with pytest.raises(BenchmarkError, match=r"64 over 8 devices leaves 8 documents each.*at most 4 devices"):
        whole_blocks(TrainingConfig(batch_size=64), 16, 8, "position1")
    assert whole_blocks(TrainingConfig(batch_size=8), 16, 1, "position1").batch_size == 8


@pytest.mark.parametrize("backbone", ["scratch", "t5", "encoder"])
def test_what_starts_from_knowledge_learns_at_its_own_rate(
    tmp_path: Path, backbones: dict[str, dict[str, Any]], backbone: str
) -> None:
    """Adam's first step moves a weight by the learning rate, whatever its gradient is."""
    one = TrainingConfig(steps=1, batch_size=40, learning_rate=1e-2, warmup_ratio=0, schedule="constant")
    chosen = {"codebook_init": "random", "no_code_warmup": False, **backbones[backbone]}
    learner = learner_of(tmp_path, settings(one, slow_rate=0.2, **chosen))
    before = weights(learner)
    learner.learn_position(NOTHING_KNOWN)
    moved: dict[str, float] = {}
    for name, value in weights(learner).items():
        part = ".".join(name.split(".")[: 2 if name.startswith("backbone.") else 1])
        moved[part] = max(moved.get(part, 0), round((value - before[name]).abs().max().item() / 1e-2, 2))
    expected = {"reconstructor": 1.0, "codebooks": 0.2}
    match backbone:
        case "scratch":
            expected |= {"backbone.model": 1.0}
        case "t5":
            expected |= {"backbone.model": 0.2}
        case "encoder":
            expected |= {"backbone.model": 0.2, "own_table": 0.2, "backbone.decoder": 1.0, "backbone.norm": 1.0}
            expected |= {"backbone.gates": 0}  # the layers add nothing yet, so the gates have no gradient
    assert moved == expected


def test_training_learns_to_reconstruct(tmp_path: Path, backbones: dict[str, dict[str, Any]]) -> None:
    """The loss falls below the entropy of the tokens, which no prediction without the ID and the hints can beat."""
    longer = TrainingConfig(steps=80, batch_size=20, learning_rate=1e-2)
    position = PositionConfig(mask_ratio=0.9, no_code=FEW, full=longer)
    learner = learner_of(tmp_path, settings(FEW, first=position, **backbones["encoder"]))
    learner.learn_position(NOTHING_KNOWN)
    losses = [record["reconstruction"] for record in records(tmp_path, "position1.full")]
    tokens = learner.documents.tokens.values
    share = np.unique(tokens[tokens != 1], return_counts=True)[1] / (tokens != 1).sum()  # 1 ends every text
    assert losses[0] > -(share * np.log(share)).sum() > np.mean(losses[-10:])


def test_the_t5_that_is_handed_over_writes_the_ids(tmp_path: Path) -> None:
    """With the vectors in its vocabulary it finds the last code behind the first one, by transformers alone."""
    method, context = LMIndexer(settings(codebook_size=12)), Context(seed=0, work=tmp_path)
    codes = method.fit(CORPUS, context)
    method.save_initial_weights(tmp_path / "start")
    counted = codes.with_counter()
    start = tmp_path / "start"
    model, tokenizer, vocabulary, origin = build(GenerativeConfig(), counted.sizes, TEXTS, seed=0, start=start)
    assert origin == "learned T5"
    table = model.eval().shared.weight[vocabulary.first :]
    texts = tokenizer(TEXTS, padding=True, return_tensors="pt")
    first = torch.from_numpy(codes.values[:, :1].astype(np.int64)) + vocabulary.first
    decoder = torch.cat([torch.zeros_like(first), first], dim=1)
    with torch.no_grad():
        h = model(**texts, decoder_input_ids=decoder, output_hidden_states=True).decoder_hidden_states[-1][:, -1]
    np.testing.assert_array_equal((h @ table[12:24].T).argmax(dim=1).numpy(), codes.values[:, 1])
    assert len(np.unique(codes.values[:, 1])) > 1


def test_a_sentence_encoder_hands_over_its_codebooks_and_no_t5(
    tmp_path: Path, backbones: dict[str, dict[str, Any]]
) -> None:
    """Every item's code is the codebook row that is handed over for it, so there are as many rows as codes."""
    method = LMIndexer(settings(FEW, **backbones["encoder"]))
    codes = method.fit(CORPUS, Context(seed=0, work=tmp_path))
    method.save_initial_weights(tmp_path / "start")
    start = load_start(tmp_path / "start", codes.sizes)
    assert start is not None and start.t5 is None and len(start.rows) == sum(codes.sizes)
    saved = np.load(tmp_path / "start" / "codes.npz")
    for position, codebook in enumerate(method._reader.network.codebooks):
        np.testing.assert_array_equal(saved[f"position{position}"], codebook.detach().numpy())
