"""Standard output is for answers alone, and nothing that is printed can move a cursor or fail for its encoding."""

import io
import json
import os
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.streams import PlainStream, answer, answer_data, answer_json, plain, separated

NOISY = """
import os, sys
from benchmark.streams import answer, answer_json, answers, separated
with separated():
    print("a plugin's words")
    os.system("echo words of a child")
    os.write(1, b"words of C code\\n")
    answer_json({"text": "\\x1b \\x9b ü ± \\ud800"})
    answers().flush()
print("after")
"""


def run(code: str, **variables: str) -> subprocess.CompletedProcess[bytes]:

    return subprocess.run([sys.executable, "-c", code], capture_output=True, env={**os.environ, **variables})


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_only_answers_reach_standard_output(encoding: str) -> None:
    """Not what Python, a child process or C code prints; and JSON is JSON in any encoding."""
    done = run(NOISY, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    text, _, after = done.stdout.decode(encoding).rpartition("after")
    assert json.loads(text) == {"text": "\x1b \x9b ü ± \ud800"} and not after.strip()
    for words in ("a plugin's words", "words of a child", "words of C code"):
        assert words in done.stderr.decode()


@given(st.text())
def test_plain_text_has_no_control_character_and_reads_back(text: str) -> None:
    """Judged by Unicode's own categories; JSON reads the escapes back where no backslash was there before."""

    shown = plain(text)
    assert all(sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cs", "Zl", "Zp") for sign in shown)
    assert not {"\u202e", "\u2066", "\u200f"} & set(shown)
    if not set(text) & set('\\"\n\t'):
        assert json.loads(f'"{shown}"') == text


def test_an_ascii_terminal_gets_signs_spelled_out_and_the_rest_as_escapes() -> None:
    buffer = io.BytesIO()
    stream = PlainStream(io.TextIOWrapper(buffer, encoding="ascii"))
    print("0.25 ± 0.01 – für 数 😀", file=stream)  # type: ignore[call-overload]
    stream.flush()
    assert buffer.getvalue() == b"0.25 +- 0.01 - f\\u00fcr \\u6570 \\ud83d\\ude00\n"


def test_a_progress_bar_may_return_to_the_start_of_its_line_and_nothing_else() -> None:
    text = io.StringIO()
    stream = PlainStream(text)
    stream.write("\r  encode: 50%")
    stream.write("\x1b[A")
    stream.write("label\rother\x1b[31m")
    assert text.getvalue() == "\r  encode: 50%\x1b[Alabel\\rother\\u001b[31m"


def test_data_is_utf8_whatever_the_locale() -> None:
    code = "from benchmark.streams import answer_data, separated\nwith separated(): answer_data('i\\u00fc\\t1-2\\n')"
    assert run(code, PYTHONIOENCODING="ascii").stdout == "iü\t1-2\n".encode()


def test_in_process_the_streams_are_as_before_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout, sys.stderr
    with separated():
        answer("an answer")
        print("noise \x07")
        answer_json([1])
        answer_data("data\n")
    assert (sys.stdout, sys.stderr) == before
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("an answer\n[\n  1\n]\ndata\n", "noise \\u0007\n")


def test_streams_that_are_closed_are_no_error() -> None:
    code = "import sys; sys.stdout = sys.stderr = None\nfrom benchmark.cli.main import main\n"
    assert run(code + "sys.exit(main(['list', 'methods']))").returncode == 0
