"""The reader `items`: one pass over a history is one example per item, and what a state may and may not depend on."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.generative.config import DecoderConfig, GenerativeConfig, ItemsConfig
from benchmark.generative.generator import Generator, items_generator
from benchmark.generative.items_reader import CODE_STD, ItemsReader, fitted
from benchmark.generative.reading import HistoryBatch, HistoryExamples, HistoryStates
from benchmark.generative.scoring import on_device
from benchmark.generative.start import Start
from benchmark.types.codes import Codes
from benchmark.types.data import Histories

N_ITEMS, LONGEST = 30, 6
VECTORS = np.random.default_rng(0).normal(size=(N_ITEMS, 7)).astype(np.float32)
KINDS = ("ids", "text", "both", "table")


def codes_of(*, padding: bool = True) -> Codes:
    values = np.random.default_rng(1).integers(0, (4, 5), (N_ITEMS, 2)).astype(np.int32)
    if padding:
        values[::5, 1] = -1
    return Codes(values, (4, 5)).with_counter()


def generator_of(vectors: str = "both", start: Start | None = None, **settings: object) -> Generator:
    items = ItemsConfig(vectors=vectors, max_length=LONGEST, dropout=0.0, layers=2, heads=2, **settings)
    config = GenerativeConfig(items=items, decoder=DecoderConfig(width=16, dropout=0.0))
    return items_generator(codes_of(), VECTORS, config, 0, start)


def histories_of(*rows: list[int]) -> Histories:
    offsets = np.cumsum([0, *map(len, rows)])
    return Histories([f"u{u}" for u in range(len(rows))], offsets, np.concatenate(rows).astype(np.int32))


def state(generator: Generator, history: list[int]) -> Tensor:
    """The state behind the newest item of one history alone."""
    found: Tensor = generator.reader.last_states(torch.tensor([history]))[0]
    return found


ROWS = [[3, 9, 3, 21], [7], [1, 2], list(range(10, 29)), [5, 5, 5, 5, 5, 5, 5], [29, 0, 14, 8, 2, 11, 17, 23]]


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_all_positions_in_one_pass_learn_what_each_next_item_alone_would(kind: str) -> None:
    """The loss of a batch is the mean of -log P(next item | items before it) over separately encoded prefixes.

    A prefix is cut off where its window begins; positions count from the newest item that the window reads, so a
    single prefix sees them shifted. They are zero here, and tested below.
    """
    generator = generator_of(kind)
    generator.reader.positions.weight.zero_()
    examples = HistoryExamples(histories_of(*ROWS), N_ITEMS, generator.reader.config)
    found = generator(examples.batch(np.arange(len(examples)), torch.device("cpu")))
    tensors = on_device(generator.trie, torch.device("cpu"))
    losses = []
    for window in zip(examples.windows.start, examples.windows.end, strict=True):
        items = examples.histories.items[slice(*window)].tolist()
        for place in range(1, len(items)):
            states = state(generator, items[:place])[None]
            losses.append(generator.decoder.loss(states, torch.tensor(items[place : place + 1]), tensors))
    assert len(losses) == examples.targets == sum(len(row) - 1 for row in ROWS)
    torch.testing.assert_close(found, torch.stack(losses).mean(), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_window_is_learned_alike_alone_and_beside_longer_ones() -> None:
    """The last item is a target alone and is no position, also where padding follows it."""
    reader = generator_of().reader
    windows = [torch.tensor([row]) for row in ([3, 9, 3, 21], [1, 2], [10, 11, 12, 13, 14, 15, 16])]
    padded = torch.stack([torch.nn.functional.pad(w[0], (0, 7 - w.shape[1]), value=N_ITEMS) for w in windows])
    states, targets = reader.learned(HistoryBatch((padded,)))
    alone = torch.cat([reader([window[:, :-1]]) for window in windows])
    torch.testing.assert_close(states, alone)
    assert targets.tolist() == [9, 3, 21, 2, 11, 12, 13, 14, 15, 16]


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_a_later_item_changes_no_earlier_state(kind: str) -> None:
    reader = generator_of(kind).reader
    items = torch.tensor([[3, 9, 4, 21, 8]])
    before = reader([items])
    for place in range(1, 5):
        changed = items.clone()
        changed[0, place] = 17
        after = reader([changed])
        torch.testing.assert_close(after[:place], before[:place])
        assert (after[place] - before[place]).abs().max() > 1e-3


@torch.no_grad()
def test_the_width_of_the_padding_and_the_neighbours_in_a_batch_change_nothing() -> None:
    reader = generator_of().reader
    short, long = [4, 12, 9], [1, 2, 3, 20, 6, 7]
    alone = reader([torch.tensor([short])])
    for width in (3, 6, 11):
        row = torch.tensor([short + [N_ITEMS] * (width - 3)])
        torch.testing.assert_close(reader([row]), alone)
        torch.testing.assert_close(reader.last_states(row), alone[2:])
    both = torch.tensor([short + [N_ITEMS] * 3, long])
    torch.testing.assert_close(reader.last_states(both)[0], alone[2])
    torch.testing.assert_close(reader.last_states(both)[1], reader([torch.tensor([long])])[5])


@torch.no_grad()
def test_positions_count_from_the_newest_item() -> None:
    """Other vectors for the last three distances leave a history of two items alone, and change one of four."""
    reader = generator_of().reader
    two, four = torch.tensor([[8, 2]]), torch.tensor([[8, 2, 3, 4]])
    before = reader.last_states(two), reader.last_states(four)
    reader.positions.weight[3:] += torch.randn(3, 16)
    torch.testing.assert_close(reader.last_states(two), before[0])
    assert (reader.last_states(four) - before[1]).abs().max() > 1e-2
    reader.positions.weight[0] += torch.randn(16)
    assert (reader.last_states(two) - before[0]).abs().max() > 1e-2


@torch.no_grad()
def test_ranking_reads_the_last_items_of_a_history_as_far_as_max_length() -> None:
    generator = generator_of()
    states, mask = HistoryStates(generator.reader, histories_of(*ROWS)).states(np.arange(len(ROWS)))
    assert states.shape == (len(ROWS), 1, 16) and mask.all()
    for row, found in zip(ROWS, states[:, 0], strict=True):
        torch.testing.assert_close(found, state(generator, row[-LONGEST:]))


def test_every_item_but_a_users_first_is_a_target_once() -> None:
    examples = HistoryExamples(histories_of(*ROWS), N_ITEMS, generator_of().reader.config)
    batch = examples.batch(np.arange(len(examples)), torch.device("cpu"))
    generator = generator_of()
    _, targets = generator.reader.learned(batch)
    assert sorted(targets.tolist()) == sorted(item for row in ROWS for item in row[1:])
    assert all(window.shape[1] <= LONGEST + 1 for window in batch.windows)


@torch.no_grad()
def test_the_vector_of_an_item_is_the_sum_that_the_reader_names() -> None:
    """x = sum_t W_t E^t[c^t] over the codes that are there, plus W t; another table would tell the items apart."""
    codes = codes_of()
    reader = generator_of("both").reader
    table, weights, text = reader.codes.table, reader.codes.weights.weight, reader.text
    offsets = np.concatenate([[0], np.cumsum(codes.sizes)])
    for item in range(N_ITEMS):
        expected = text.weight @ torch.from_numpy(VECTORS[item]) * 10 + text.bias
        for place, code in enumerate(codes.values[item].tolist()):
            if code >= 0:
                expected = expected + weights[:, place * 16 : place * 16 + 16] @ table[offsets[place] + code]
        torch.testing.assert_close(reader.item_vectors(torch.tensor([item]))[0], expected, atol=1e-5, rtol=1e-5)
    assert (reader.codes.rows == offsets[-1]).any()  # some ID is shorter


@torch.no_grad()
def test_a_table_reads_neither_ids_nor_texts() -> None:
    one = generator_of("table").reader
    torch.manual_seed(0)
    other = ItemsReader(np.zeros((N_ITEMS, 1), np.int32), (1,), None, one.config, 16)
    other.load_state_dict(one.state_dict())
    torch.testing.assert_close(other([torch.tensor([[3, 9, 4]])]), one([torch.tensor([[3, 9, 4]])]))


@pytest.mark.parametrize(("n", "features"), [(9, 40), (9, 5), (200, 16)])
def test_learned_code_vectors_become_initial_ones_at_the_same_angles(n: int, features: int) -> None:
    """Where all axes fit, inner products of centred vectors stay but for one factor; the scale is the random one's."""
    learned = torch.randn(n, features) * 7 + 3
    found = fitted(learned, 16)
    assert found.shape == (n, 16)
    assert float(found.std()) == pytest.approx(CODE_STD)
    centred = learned - learned.mean(0)
    expected = centred @ centred.T
    torch.testing.assert_close(found @ found.T / (found**2).sum(), expected / (centred**2).sum(), atol=1e-5, rtol=1e-4)


def test_principal_axes_are_kept_where_not_all_fit() -> None:
    learned = torch.randn(50, 30) * torch.linspace(5, 0.1, 30)
    kept = fitted(learned, 8)
    largest = torch.linalg.svdvals(learned - learned.mean(0))[:8]
    spectrum = torch.linalg.svdvals(kept)
    torch.testing.assert_close(spectrum / spectrum.sum(), largest / largest.sum(), atol=1e-4, rtol=1e-3)


def test_a_start_of_the_first_positions_leaves_the_counter_random() -> None:
    rows = np.random.default_rng(2).normal(size=(9, 30)).astype(np.float32)
    plain, started = generator_of("ids").reader.codes, generator_of("ids", Start(rows, None)).reader.codes
    torch.testing.assert_close(started.table[:9], fitted(torch.from_numpy(rows), 16))
    assert torch.equal(started.table[9:], plain.table[9:]) and len(plain.table) > 9


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    generator = generator_of()
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(torch.randn_like(parameter))
    generator.save(tmp_path)
    again = generator_of()
    again.load(tmp_path)
    batch = HistoryBatch((torch.tensor([[3, 9, 4, 21]]),))
    assert torch.equal(again(batch), generator(batch))


@pytest.mark.parametrize("kind", KINDS)
def test_training_in_bfloat16_is_near_that_in_float32(kind: str) -> None:
    generator = generator_of(kind)
    batch = HistoryExamples(histories_of(*ROWS), N_ITEMS, generator.reader.config).batch(
        np.arange(len(ROWS)), torch.device("cpu")
    )
    parameters = list(generator.parameters())
    exact = generator(batch, 0.1)
    expected = torch.autograd.grad(exact, parameters)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = generator(batch, 0.1)
    assert found.item() == pytest.approx(exact.item(), rel=0.02)
    ours, theirs = (
        torch.cat([part.flatten() for part in parts]) for parts in (torch.autograd.grad(found, parameters), expected)
    )
    assert torch.nn.functional.cosine_similarity(ours, theirs, dim=0) > 0.99
