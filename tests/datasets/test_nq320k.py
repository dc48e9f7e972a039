"""NQ320k: Natural Questions' train and dev files in miniature and exact format; titles compared as BERT reads them."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from upstream import declaration, serving

from benchmark.cli.main import main
from benchmark.data.dataset import open_dataset
from benchmark.datasets import nq320k
from benchmark.errors import DataError
from benchmark.fetching import download
from benchmark.fetching.sources import read_declaration

ROOM = Path(__file__).parents[2] / "datasets"
WORDS = "the cafe gold ##fish age of men don t not s it first ice . , ' - ! ? 1 2 ( ) & é n ##e ##o"
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split()]
COUNTS = {
    "items": 4, "judged train queries": 5, "judged train judgments": 5, "judged test queries": 2,
    "judged test judgments": 2,
}  # fmt: skip


def page(title: str, *, text: str = "<P> It is first . </P> <P> More . </P>", before: str = "") -> str:
    return f"{title} - wikipedia {before} <H1> {title} </H1> {text}"


def train(number: int, question: str, text: str) -> dict[str, Any]:
    """Return an example of the training file."""
    return {
        "annotations": [{"annotation_id": 1, "long_answer": {"candidate_index": 0, "end_token": 9, "start_token": 3},
                         "short_answers": [], "yes_no_answer": "NONE"}],
        "document_text": text, "document_url": "https://en.wikipedia.org//w/index.php?title=X&amp;oldid=1",
        "example_id": number, "long_answer_candidates": [{"end_token": 9, "start_token": 3, "top_level": True}],
        "question_text": question,
    }  # fmt: skip


def dev(number: int, question: str, title: str, text: str) -> dict[str, Any]:
    """Return an example of the development file."""
    tokens = [
        {"end_byte": 9, "html_token": word.startswith("<"), "start_byte": 1, "token": word} for word in text.split()
    ]
    return {
        "annotations": [], "document_html": f"<!DOCTYPE html>{text}", "document_title": title,
        "document_tokens": tokens, "document_url": "https://en.wikipedia.org/X", "example_id": number,
        "long_answer_candidates": [], "question_text": question, "question_tokens": question.split(),
    }  # fmt: skip


LISTS = "<P> The first . </P> <Ul> <Li> Kept </Li> </Ul> Also <Ul> <Li> Kept too </Li> </Ul> and <Ul> links </Ul> end"
TRAIN = [
    train(-900, "who made the café", page("The Café", text=LISTS)),
    train(2, "what is a goldfish", page("Goldfish", text="<Table> 1 </Table> no paragraph")),
    train(3, "cafe again", page("the cafe", text="<P> another version </P>")),
    train(4, "ice of men", page("Ice Ωμ")),
    train(5, "ice of all", page("Ice 中", text="<P> unknown words are alike </P>")),
]
DEV = [
    dev(6, "the goldfish ?", "GOLDFISH", page("GOLDFISH")),
    dev(7, "age of ice", "Age of Ice", page("Age of Ice", text="<P> Cold &amp; first . </P> <Ul> one </Ul> end")),
]


def lines(records: list[Any]) -> bytes:
    return gzip.compress("".join(json.dumps(record) + "\n" for record in records).encode())


@pytest.fixture
def vocabulary(tmp_path):
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "vocab.txt").write_text("\n".join(PIECES) + "\n", "utf-8")
    return tmp_path / "bert" / "vocab.txt"


@pytest.fixture
def published(tmp_path, vocabulary, monkeypatch):
    """A loopback server with the miniatures; the declarations name it."""
    monkeypatch.setattr(download, "PAUSE", 0.001)
    with serving() as server:
        server.files["/pub/simplified-nq-train.jsonl.gz"] = lines(TRAIN)
        server.files["/pub/nq-dev-all.jsonl.gz"] = lines(DEV)
        server.files["/pub/vocab.txt"] = vocabulary.read_bytes()
        pages = declaration(
            ROOM / "nq320k.toml", tmp_path / "nq320k.toml", f"{server.url}/pub",
            **{f'"{key}"': number for key, number in COUNTS.items()},
        )  # fmt: skip
        pieces = declaration(ROOM / "bert_vocabulary.toml", tmp_path / "bert.toml", f"{server.url}/pub")
        found = read_declaration(pages, "nq320k")
        monkeypatch.setattr(nq320k.NQ320k, "declaration", classmethod(lambda cls: found))
        monkeypatch.setattr(nq320k, "vocabulary_files", lambda: read_declaration(pieces, "vocabulary").files)
        yield server


def built(folder: Path, vocabulary: Path, train_file: bytes, dev_file: bytes, **options: Any) -> list[dict[str, str]]:
    for name, content in ((nq320k.TRAIN, train_file), (nq320k.DEV, dev_file)):
        (folder / name).write_bytes(content)
    (folder / "out").mkdir(exist_ok=True)
    raw = {name: folder / name for name in (nq320k.TRAIN, nq320k.DEV)} | {"vocab.txt": vocabulary}
    nq320k.NQ320k(nq320k.NQ320kConfig(**options)).build_from(raw, folder / "out")
    return [json.loads(line) for line in (folder / "out" / "items.jsonl").read_text("utf-8").splitlines()]


def test_from_the_server_to_a_scored_run(published, tmp_path):
    root = ["--data-root", str(tmp_path / "root")]
    assert main(["data", "get", "nq320k", "--yes", *root]) == 0
    folder = tmp_path / "root" / "nq320k"
    items = [json.loads(line) for line in (folder / "items.jsonl").read_text("utf-8").splitlines()]
    assert items == [
        {"id": "0", "title": "The Café", "description": "The first . Kept Also Kept too"},
        {"id": "1", "title": "Goldfish",
         "description": "Goldfish - wikipedia Goldfish 1 no paragraph"},
        {"id": "2", "title": "Ice Ωμ", "description": "It is first . More ."},
        {"id": "3", "title": "Age of Ice", "description": "Cold &amp; first . one"},
    ]  # fmt: skip
    assert (folder / "queries.train.tsv").read_text("utf-8").splitlines()[0] == "-900\twho made the café"
    assert (folder / "qrels.train.txt").read_text() == "-900 0 0 1\n2 0 1 1\n3 0 0 1\n4 0 2 1\n5 0 2 1\n"
    assert (folder / "queries.tsv").read_text() == "6\tthe goldfish ?\n7\tage of ice\n"
    assert (folder / "qrels.txt").read_text() == "6 0 1 1\n7 0 3 1\n"
    dataset = open_dataset("nq320k", cache=tmp_path, data_root=tmp_path / "root")
    assert {key: dataset.counts()[key] for key in COUNTS} == COUNTS
    assert dataset.about["notes"] == [
        "3 pages have the title of an earlier one; that one counts",
        "1 documents have no <P>; their text begins at the start",
    ]
    assert main(["run", "--methods", "bm25", "--dataset", "nq320k", *root, "--runs", str(tmp_path / "runs")]) == 0
    result = json.loads(next((tmp_path / "runs" / "nq320k").glob("bm25/*/seed-0/result.json")).read_text())
    assert list(result["metrics"]) == ["search"]


def test_other_counts_than_the_published_ones_stop_the_build(published, tmp_path, capsys):
    published.files["/pub/nq-dev-all.jsonl.gz"] = lines(DEV[:1])
    assert main(["data", "get", "nq320k", "--yes", "--data-root", str(tmp_path / "root")]) == 2
    assert "items: expected 4, found 3" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["raw"]


def test_titles_are_equal_where_berts_tokenizer_says_so(vocabulary):
    from transformers import BertTokenizer

    theirs = BertTokenizer.from_pretrained(str(vocabulary.parent))
    ours = nq320k.title_key(vocabulary)
    for title in (
        " The Café ", "the cafe", "Goldfish!", "gold fish", "Men's age", "It's the first", "Don't age", "do not age",
        "First , the ice .", "(1) & 2 ' 2 - the", "Ωμ", "中", "the\u00a0ice\u200b\ttoo", "THE ne oneo", "",
    ):  # fmt: skip
        text = theirs.decode(theirs.convert_tokens_to_ids(theirs.tokenize(title)), clean_up_tokenization_spaces=False)
        assert ours(title) == theirs.clean_up_tokenization(text), title
    assert ours("The Café") == ours("the cafe") and ours("Goldfish") != ours("gold fish") and ours("Ωμ") == ours("中")


def test_only_the_first_words_are_kept_where_asked(tmp_path, vocabulary):
    whole = built(tmp_path, vocabulary, lines(TRAIN), lines(DEV))
    short = built(tmp_path, vocabulary, lines(TRAIN), lines(DEV), words=3)
    assert short == [item | {"description": " ".join(item["description"].split()[:3])} for item in whole]


@pytest.mark.parametrize(
    ("text", "paragraph", "content"),
    [
        ("a <P> b </P> c <Ul> d </Ul> e <Ul> f </Ul> g", "b", "c <Ul> d"),
        ("a <P> b </P> c <Ul> d </Ul> e", "b", "c <Ul> d"),
        ("a <Ul> x </Ul> <P> b </P> c <Ul> d </Ul> e", "b", ""),  # the second last list stands before the paragraph
        ("a <P> b </P> c <P> d </P>", "b", "c <P> d </P>"),
        ("a <P> b", "b", ""),
        ("a b", "", "a b"),
        ("", "", ""),
    ],
)
def test_the_text_is_the_first_paragraph_and_what_follows_before_the_last_list(text, paragraph, content):
    bare = " ".join(word for word in content.split() if not word.startswith("<"))
    assert [" ".join(part.split()) for part in nq320k.page_parts(text)] == [paragraph, bare]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("[1]", ":1: not an example of Natural Questions"),
        ("{", ":1: not an example of Natural Questions"),
        ("[" * 100_000, ":1: not an example of Natural Questions"),
        (json.dumps({"question_text": "q", "example_id": 1}), ":1: .* .lacks the key 'document_text'."),
        (json.dumps(train(1, "q", "text") | {"document_text": 5}), ":1: .*'document_text' must be text, not int"),
        (json.dumps(train(1, "q", "no heading")), ":1: question 1 has no page title"),
        (json.dumps(train(1, " ", page("Ice"))), ":1: question 1 has no text"),
        (json.dumps(train(2, "q", page("Ice"))) + "\n" + json.dumps(TRAIN[1]), ":2: the query id '2' was already used"),
    ],
)
def test_a_line_that_is_no_example_is_refused(record, reason, tmp_path, vocabulary):
    with pytest.raises(DataError, match=reason):
        built(tmp_path, vocabulary, gzip.compress(record.encode()), lines(DEV))


def test_a_page_longer_than_other_raw_lines_may_be_is_read_and_an_endless_one_is_not(tmp_path, vocabulary, monkeypatch):
    long = train(9, "long", page("First", text=f"<P> {'ice ' * 1_500_000}</P>"))
    assert len(built(tmp_path, vocabulary, lines([long]), lines(DEV))[0]["description"]) > 5_000_000
    monkeypatch.setattr(nq320k, "LONGEST", 5_000_000)
    with pytest.raises(DataError, match=":1: the line is longer than 5,000,000 bytes"):
        built(tmp_path, vocabulary, lines([long]), lines(DEV))


def test_what_is_no_vocabulary_is_refused(tmp_path):
    (tmp_path / "vocab.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"vocab.txt: not a vocabulary of word pieces"):
        nq320k.title_key(tmp_path / "vocab.txt")


def test_a_cut_text_needs_less_room_and_a_generous_cut_no_more_than_the_whole():
    whole = nq320k.NQ320k().room()
    few, many = (nq320k.NQ320k(nq320k.NQ320kConfig(words=words)).room() for words in (100, 10**6))
    assert (few, many) == (3 * 109_739 * 100 * 7, whole)


def test_the_declared_counts_are_the_papers():
    assert read_declaration(ROOM / "nq320k.toml", "nq320k").expect == {  # ICML 2024, data table
        "items": 109_739,
        "judged train queries": 307_373,
        "judged train judgments": 307_373,
        "judged test queries": 7_830,
        "judged test judgments": 7_830,
    }
