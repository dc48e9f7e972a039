"""NQ320k (`nq320k`): Natural Questions as document retrieval, one Wikipedia page per question.

    simplified-nq-train.jsonl.gz   question_text, example_id, document_text: words and tags, separated by blanks
    nq-dev-all.jsonl.gz            question_text, example_id, document_title, document_tokens: [{"token": ...}, ...]
    vocab.txt                      of bert-base-uncased

Files that a browser saves as `v1.0-simplified_<name>` must lose that prefix before `--from`.

Full texts make a folder of gigabytes. Opening it takes little memory, but methods that hold all texts at once take them
whole: `nq320k:words=512` keeps what a language model reads of them.

Two pages are one document when their titles are equal after BERT's uncased tokeniser took them apart and joined them
again (lower case, no accents, unknown words alike). A training title is what stands in the first <H1>. The first page
of a title counts, training before dev, and its number in that order is the document's id, as in NCI. Training queries
are those of train, test queries those of dev.

The text is the first <P>, then what follows it up to the second last list (the lists at the end are references and
links), without tags. Where a page has no <P>, NCI's code goes on at an offset left over from the page before; here the
text then begins at the start.

LMIndexer's code joins title, first paragraph and the rest without field names; here a document has two fields, because
SEAL needs the title apart, and methods read 'title: .., description: ..'.

Another NQ320k circulates (GenRET's and its followers'): other documents, a test split into seen and unseen ones.
Scores on the two do not compare.

Source: Kwiatkowski et al., Natural Questions, TACL 2019; Wang et al., A Neural Corpus Indexer (NCI), NeurIPS 2022,
whose preparation LMIndexer (ICML 2024) takes over. One page is in memory at a time.

Checked against NCI's released notebook (titles, paragraphs, lists, order) and upstream's `text_utils.py` (keys of the
training file); the counts are upstream's and NCI's. The real files were not to be had: no build was compared with them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from benchmark.config import MethodConfig
from benchmark.data.writing import FolderWriter
from benchmark.errors import DataError, at_line, line_error
from benchmark.fetching.builder import Built, FetchedDataset
from benchmark.fetching.lines import bounded_lines
from benchmark.fetching.sources import RemoteFile, read_declaration
from benchmark.json_text import parse_json

TRAIN, DEV = "simplified-nq-train.jsonl.gz", "nq-dev-all.jsonl.gz"
LONGEST = 128 << 20  # bytes of a line: dev repeats every page as HTML and token by token
COPIES, WORD = 3, 7  # texts lie on the disk three times while they are checked; bytes of a word with its blank
_TAG = re.compile(r"<[^<]+?>")
_JOINED = (" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're")  # signs that lose their blanks


class NQ320kConfig(MethodConfig):
    """How much of a document is kept."""

    words: int | None = Field(None, ge=1, description="keep so many words of a document's text; all where not given")


@dataclass(frozen=True)
class Page:
    """One question and the page that answers it."""

    place: str
    query: str
    question: str
    title: str
    text: str  # with tags


class NQ320k(FetchedDataset[NQ320kConfig]):
    """NQ320k: 109,739 Wikipedia pages, 307,373 training and 7,830 test questions (the split of NCI and LMIndexer)."""

    name: ClassVar[str] = "nq320k"

    def files(self) -> tuple[RemoteFile, ...]:
        """Return train, dev and the vocabulary that decides which titles are equal."""
        return (*self.declaration().files, *vocabulary_files())

    def room(self) -> int:
        """Return how many bytes of disk building takes, about: less where documents are cut."""
        whole, words = super().room(), self.config.words
        return whole if words is None else min(whole, COPIES * WORD * words * self.declaration().expect["items"])

    def build_from(self, raw: Mapping[str, Path], folder: Path) -> Built:
        """Write documents, questions and one judgment per question."""
        documents = Documents(title_key(raw["vocab.txt"]), self.config.words)
        splits = {"train": read_pages(raw[TRAIN], _train_page), "test": read_pages(raw[DEV], _dev_page)}
        asked: dict[str, list[tuple[Page, str]]] = {split: [] for split in splits}  # page without text, document

        def items() -> Iterator[tuple[str, dict[str, str]]]:
            for split, pages in splits.items():
                for page in pages:
                    document, new = documents.number(page.title)
                    asked[split].append((replace(page, text=""), document))
                    if new:
                        yield page.place, documents.item(document, page)

        writer = FolderWriter(folder)
        writer.items(items())
        for split, rows in asked.items():
            known = writer.queries(split, ((page.place, page.query, page.question) for page, _ in rows))
            writer.judgments(split, ((page.place, page.query, document, 1) for page, document in rows), known)
        writer.note_counts({
            "pages have the title of an earlier one; that one counts": sum(map(len, asked.values())) - len(writer.ids),
            "documents have no <P>; their text begins at the start": documents.without_paragraph,
        })  # fmt: skip
        return Built(notes=writer.notes)


def vocabulary_files() -> tuple[RemoteFile, ...]:
    """Return BERT's vocabulary."""
    return read_declaration(Path(__file__).with_name("bert_vocabulary.toml"), "vocabulary").files


class Documents:
    """The documents so far, by title."""

    def __init__(self, key: Callable[[str], str], words: int | None) -> None:
        self.without_paragraph = 0
        self._key = key
        self._words = words
        self._numbers: dict[str, int] = {}

    def number(self, title: str) -> tuple[str, bool]:
        """Return the id of the document with this title, and whether it is a new one."""
        before = len(self._numbers)
        number = self._numbers.setdefault(self._key(title), before)
        return str(number), number == before

    def item(self, document: str, page: Page) -> dict[str, str]:
        """Return a new document."""
        paragraph, content = page_parts(page.text)
        self.without_paragraph += not paragraph
        words = f"{paragraph} {content}".split()[: self._words]
        return {"id": document, "title": " ".join(page.title.split()), "description": " ".join(words)}


def page_parts(text: str) -> tuple[str, str]:
    """Return the first paragraph and what follows it up to the second last list (or the only one), without tags."""
    kept = text.rsplit("</Ul>", 2)[0]
    head, opened, rest = text.partition("<P>")
    if not opened:
        return "", _TAG.sub("", kept)
    paragraph = rest.partition("</P>")[0]
    after = len(head) + len("<P>") + len(paragraph) + len("</P>")
    return _TAG.sub("", paragraph), _TAG.sub("", kept[after:])


def read_pages(path: Path, page: Callable[[str, dict[str, Any]], Page]) -> Iterator[Page]:
    """Yield the pages of a file. Raises DataError with the line of one that is none."""
    for number, line in bounded_lines(path, longest=LONGEST):
        try:
            record = parse_json(line)
            found = page(at_line(path, number), record)
        except (KeyError, TypeError, ValueError) as error:
            reason = f"lacks the key {error}" if isinstance(error, KeyError) else str(error)
            raise line_error(path, number, f"not an example of Natural Questions ({reason[:120]})") from None
        if not found.title.strip() or not found.question.strip():
            raise line_error(
                path, number, f"question {found.query} has no {'text' if found.title.strip() else 'page title'}"
            )
        yield found


def _train_page(place: str, record: dict[str, Any]) -> Page:
    text = _text(record, "document_text")
    opened, closed = text.find("<H1>"), text.find("</H1>")
    title = text[opened + len("<H1>") : closed] if 0 <= opened < closed else ""
    return Page(place, str(record["example_id"]), _text(record, "question_text"), title, text)


def _dev_page(place: str, record: dict[str, Any]) -> Page:
    text = " ".join([_text(token, "token") for token in record["document_tokens"]])
    title = _text(record, "document_title")
    return Page(place, str(record["example_id"]), _text(record, "question_text"), title, text)


def _text(record: dict[str, Any], key: str) -> str:
    value = record[key]
    if not isinstance(value, str):
        raise TypeError(f"'{key}' must be text, not {type(value).__name__}")
    return value


def title_key(vocabulary: Path) -> Callable[[str], str]:
    """Return the function that takes a title apart and joins it again as bert-base-uncased does.

    Raises DataError when the vocabulary cannot be read.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    try:
        tokenizer = Tokenizer(models.WordPiece.from_file(str(vocabulary), unk_token="[UNK]"))
    except Exception as error:  # tokenizers raises nothing more specific
        raise DataError(f"{vocabulary}: not a vocabulary of word pieces ({error})") from None
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()

    def key(title: str) -> str:
        text = " ".join(tokenizer.encode(title, add_special_tokens=False).tokens).replace(" ##", "")
        for sign in _JOINED:
            text = text.replace(sign, sign.strip())
        return text

    return key
