"""`benchmark.hf`: IDs of a finished cell in Hugging Face generate, as docs/decode.md shows it."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from benchmark import hf
from benchmark.cli.main import main
from benchmark.errors import BenchmarkError, DataError, UsageError
from benchmark.generative.vocabulary import CodeVocabulary
from benchmark.types.codes import Codes

PAGE = (Path(__file__).parents[1] / "docs" / "decode.md").read_text()
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
WORDS = ["<pad>", "</s>", "<unk>", "a", "red", "desk", "lamp"]


@pytest.fixture(scope="module")
def cell(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished cell: 60 items, of which some share codes."""
    runs = tmp_path_factory.mktemp("runs")
    words = ["run", "--methods", "rqkmeans", "--tasks", "id-quality", "--device", "cpu"]
    words += ["--set", "rqkmeans.codebook_size=4", "--set", "rqkmeans.levels=2"]
    assert main([*words, "--dataset", str(shop), "--runs", str(runs)]) == 0
    return next(runs.glob("shop/rqkmeans/*/seed-0"))


def tokenizer_and_model() -> tuple[PreTrainedTokenizerFast, T5ForConditionalGeneration]:
    words = Tokenizer(models.WordLevel({word: row for row, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", additional_special_tokens=[]
    )
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=len(WORDS), d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    return tokenizer, T5ForConditionalGeneration(config).eval()


def test_the_pages_example_returns_ten_items_of_the_cell(cell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 10 <= len([line for line in EXAMPLE.splitlines() if line.strip()]) <= 12
    tokenizer, model = tokenizer_and_model()
    code = EXAMPLE.replace("runs/demo/rqkmeans", str(cell.parents[1]))
    names = {"tokenizer": tokenizer, "model": model}
    exec(code, names)
    found = names["constraint"].items(names["output"])
    assert capsys.readouterr().out == f"{found}\n"
    assert len(set(found)) == 10 and all(item.startswith("i") and len(item) == 3 for item in found)
    lines = dict(line.split("\t") for line in (cell / "ids.unique.tsv").read_text().splitlines())
    for item, sequence in zip(found, names["output"].tolist(), strict=True):
        tokens = [tokenizer.convert_ids_to_tokens(token) for token in sequence]
        expected = [f"<id_{position}_{code}>" for position, code in enumerate(lines[item].split("-"))]
        assert tokens == ["<pad>", *expected, "</s>"]


def test_a_cells_ids_are_those_of_the_codes_with_their_counter(tmp_path: Path) -> None:
    """Also where IDs differ in length: the counter has the last position, and its own tokens, in each."""
    codes = Codes(np.array([[1, -1, -1], [1, 2, -1], [1, -1, -1], [3, 2, 0]], np.int32), (4, 3, 1)).with_counter()
    rows = ["-".join(str(code) for code in row if code >= 0) for row in codes.values]
    lines = "".join(f"item{n}\t{row}\n" for n, row in enumerate(rows))
    (tmp_path / "ids.unique.tsv").write_text(lines)
    for path in (tmp_path, str(tmp_path / "ids.unique.tsv")):
        ids = hf.read_ids(path)
        assert ids.items == ["item0", "item1", "item2", "item3"]
        assert ids.codes.values.tolist() == codes.values.tolist() and ids.codes.sizes == codes.sizes
    assert ids.tokens[:5] == ["<id_0_0>", "<id_0_1>", "<id_0_2>", "<id_0_3>", "<id_1_0>"]
    assert ids.tokens == CodeVocabulary(codes.sizes, first=7).tokens()
    trie = ids.trie(range(100, 100 + len(ids.tokens)), eos=1)
    for row, tokens in enumerate(CodeVocabulary(codes.sizes, first=100).encode(codes).tolist()):
        node = trie.trie.node([*(token for token in tokens if token >= 0), 1])
        assert trie.items[trie.trie.node_items[node]] == f"item{row}"


def test_another_toolkits_file_is_read_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "other.index.json"
    file.write_text('{"x": ["<a_2>", "<b_0>"], "y": ["<a_1>"]}')
    ids = hf.read_ids(file)
    assert ids.items == ["x", "y"] and ids.codes.values.tolist() == [[2, 0], [1, -1]]
    assert ids.trie([50, 51, 52, 60], eos=1).trie.allowed([]) == [51, 52]
    file.write_text("{}")
    with pytest.raises(DataError, match="holds not one ID"):
        hf.read_ids(file)


def test_items_that_share_an_id_are_refused(tmp_path: Path) -> None:
    (tmp_path / "ids.tsv").write_text("x\t1-0\ny\t1-0\n")
    ids = hf.read_ids(tmp_path / "ids.tsv")
    with pytest.raises(BenchmarkError, match=r"rows 0 and 1 share one.*with_counter"):
        ids.trie(range(len(ids.tokens)), eos=9)


def test_code_tokens_that_the_tokenizer_lacks_are_named() -> None:
    tokenizer, _ = tokenizer_and_model()
    ids = hf.SemanticIds(Codes(np.array([[0, 1], [1, 0]], np.int32), (2, 2)), ["x", "y"])
    with pytest.raises(UsageError, match=r"'<id_0_1>' has no token id of its own \(2\).*add_tokens"):
        ids.trie(tokenizer.convert_tokens_to_ids(ids.tokens), eos=1)
    with pytest.raises(UsageError, match=r"expected one per code token \(4\), got 2"):
        ids.trie([1, 2], eos=1)
    with pytest.raises(UsageError, match=r"'<id_1_0>' has no token id of its own \(None\)"):
        ids.trie([3, 4, None, 5], eos=1)


def test_token_sequences_need_no_names_and_any_item_may_be_one() -> None:
    assert list(hf.ItemTrie.from_sequences([[5], [5, 6]], eos=1).items) == [0, 1]
    trie = hf.ItemTrie.from_sequences({("a", 1): [5], 7: [5, 6]}, eos=1)
    constraint = hf.TrieLogitsProcessor(trie)
    assert constraint.items(torch.tensor([[0, 5, 6, 1], [0, 5, 1, 0]])) == [7, ("a", 1)]
    assert hf.TrieLogitsProcessor(trie.trie).items(torch.tensor([[0, 5, 6, 1]])) == [1]  # a plain trie: row numbers


@pytest.mark.parametrize(
    ("sequences", "message"),
    [([], "at least one item"), ([[]], "at least one item|empty ID"), ([[5], []], "row 1 has an empty ID"),
     ([[5, -1]], "negative token"), ([[5], [5]], "share one"), ([[5, 1]], "end-of-sequence token 1")],
)  # fmt: skip
def test_sequences_that_are_no_ids_are_refused(sequences: list[list[int]], message: str) -> None:
    with pytest.raises(BenchmarkError, match=message):
        hf.ItemTrie.from_sequences(sequences, eos=1)


def test_the_module_needs_no_torch_before_the_processor_is_used() -> None:
    code = """
import sys
import benchmark
hf = benchmark.hf
hf.ItemTrie.from_sequences([[5]], eos=1)
assert "torch" not in sys.modules
hf.TrieLogitsProcessor
assert "torch" in sys.modules and "transformers" not in sys.modules
print(dir(hf))
"""
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert all(name in printed for name in hf.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Trie'"):
        hf.Trie  # noqa: B018
