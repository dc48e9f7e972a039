"""What the command line writes: answers on standard output, everything else on standard error, all of it plain text.

While `separated` holds, only `answer` reaches standard output: what a plugin, a library or its C code prints goes to
standard error, so that JSON in a pipe stays JSON. Control characters, which could move the cursor or recolour a
terminal, are written as JSON's escapes, and so is what the terminal's encoding lacks.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

# C0 and C1 controls but newline and tab, line separators, signs that turn the direction of writing, lone surrogates
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
BAR = re.compile(r"\r|(?:\x1b\[A)+$")  # how a progress bar begins to write itself again
SPELLED = {"±": "+-", "–": "-", "—": "-", "−": "-", "×": "x", "…": "...", "≤": "<=", "≥": ">=", "’": "'", "→": "->"}

_answers: PlainStream | None = None


def plain(text: str) -> str:
    """Return text in which no control character is left but newline and tab: `\\u001b` stands for an escape sign."""
    return UNSAFE.sub(lambda match: _escaped(match[0]), text)


def answer(text: object = "") -> None:
    """Print what was asked for, in lines, to standard output."""
    print(text, file=answers(), flush=True)


def answer_json(content: Any, *, indent: int = 2) -> None:
    """Print JSON to standard output, in any encoding."""
    stream = answers()
    print(json.dumps(content, indent=indent, ensure_ascii=not _holds_unicode(stream)), file=stream)


def answer_data(text: str) -> None:
    """Write a file's text to standard output: as UTF-8 whatever the locale, but plain on a terminal."""
    stream = answers()
    if stream.isatty():
        stream.write(text)
    else:
        stream.flush()
        stream.buffer.write(text.encode("utf-8"))
        stream.buffer.flush()


def answer_text(text: str, style: str) -> None:
    """Print tables in a format: those for the terminal in its encoding, any other as the file that it would be."""
    if style == "terminal":
        answer(text)
    else:
        answer_data(f"{text}\n")


def answers() -> TextIO:
    """Return the stream of the answers: standard output."""
    return cast(TextIO, _answers or PlainStream(sys.stdout))


@contextmanager
def separated() -> Iterator[None]:
    """Keep standard output for answers; the caller flushes `answers()` and hears of a full disk or a closed pipe."""
    global _answers
    before = _answers, sys.stdout, sys.stderr
    with open(os.devnull, "w") as nothing:
        out, err = sys.stdout or nothing, sys.stderr or nothing  # None where the shell closed them
        with _own_output(out, err) as stream:
            _answers, sys.stdout = PlainStream(stream), cast(TextIO, PlainStream(err))
            sys.stderr = sys.stdout
            try:
                yield
            finally:
                _answers, sys.stdout, sys.stderr = before


@contextmanager
def _own_output(out: TextIO, err: TextIO) -> Iterator[TextIO]:
    """Give standard output as a stream of its own, descriptor 1 leading to standard error; else `out` as it is."""
    if (_descriptor(out), _descriptor(err)) != (1, 2):  # a notebook, a test
        yield out
        return
    out.flush()
    saved = os.dup(1)
    buffering = 1 if out.isatty() else -1
    stream = open(os.dup(1), "w", buffering, out.encoding, newline="" if os.linesep == "\n" else None)  # noqa: SIM115
    os.dup2(2, 1)
    try:
        yield stream
    finally:
        out.flush()
        os.dup2(saved, 1)
        os.close(saved)
        with suppress(OSError):  # the caller has flushed, or knows why not
            stream.close()


def _descriptor(stream: TextIO | None) -> int:
    try:
        return stream.fileno() if stream is not None else -1
    except (OSError, ValueError, AttributeError):
        return -1


class PlainStream:
    """A text stream that is given plain text alone; all else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text; what a progress bar begins with is kept."""
        moves = BAR.match(text)
        start = moves[0] if moves else ""
        self._stream.write(start + _encodable(plain(text[len(start) :]), self._stream.encoding))
        return len(text)


def _encodable(text: str, encoding: str | None) -> str:
    """Return text with what the encoding lacks spelled out, or as escapes."""
    return text if text.isascii() else text.encode(encoding or "utf-8", "spelled").decode(encoding or "utf-8")


def _holds_unicode(stream: TextIO) -> bool:
    return codecs.lookup(stream.encoding or "utf-8").name.startswith("utf-")


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


def _spell(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    return "".join(SPELLED.get(character) or _escaped(character) for character in lacking), error.end


codecs.register_error("spelled", _spell)
