"""Pages that MkDocs makes at build time of what stands elsewhere: READMEs, docstrings, settings, measured results.

Nothing is copied into docs/: a method's page is its README or the docstring of its module, with the settings and
presets that `benchmark show` prints. Where a page names such a file in `code`, the name becomes a link to its page.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
from functools import cache
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File
from mkdocs.utils import get_relative_url

from benchmark.cli.main import main
from benchmark.registry import describe, registered, source_file

ROOT = Path(__file__).parents[1]
GENERATIVE = "benchmark/generative/README.md"


def on_config(config: Any) -> None:
    """Put the pages that are made into the navigation."""
    for section, folder in (("Methods", "methods"), ("Measured results", "measured")):
        (entry,) = [entry for entry in config.nav if section in entry]
        pages = [uri for uri in generated_pages() if Path(uri).parent.name == folder and not uri.endswith("index.md")]
        entry[section] = [f"{folder}/index.md", *({_label(uri): uri} for uri in sorted(pages))]


def _label(uri: str) -> str:
    """Return what the navigation calls a page: its title if it is short."""
    title = _title(generated_pages()[uri]).partition(":")[0].replace("`", "")
    return title if len(title) < 40 and uri.startswith("methods/") else Path(uri).stem.replace("-", " ")


def _title(text: str) -> str:
    return text.partition("\n")[0].removeprefix("# ")


def on_files(files: Any, config: Any) -> None:
    """Add the pages that are made to those of docs/."""
    for uri, text in generated_pages().items():
        files.append(File.generated(config, uri, content=text))


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Make links of the names of files that have a page, outside of code blocks."""
    targets = {source: uri for uri, source in sources().items() if source}
    targets |= {f"docs/{path.name}": path.name for path in (ROOT / "docs").glob("*.md")}
    if page.file.src_uri.startswith("measured/"):
        targets |= {Path(source).name: uri for source, uri in targets.items() if uri.startswith("measured/")}

    def linked(found: re.Match[str]) -> str:
        uri = targets.get(found[1] or "")
        if uri is None or uri == page.file.src_uri:
            return found[0]
        return f"[{found[0]}]({get_relative_url(uri, page.file.src_uri)})"

    return re.sub(r"(?m)^ {4}.*|(?<!\[)`([\w./-]+)`", linked, markdown)


def sources() -> dict[str, str]:
    """Return page -> the file that it is made of, '' where it is made of several."""
    methods = {f"methods/{Path(source).parent.name if source.endswith('README.md') else Path(source).stem}.md": source
               for source in methods_of()}  # fmt: skip
    measured = {f"measured/{path.name}": f"reports/measured/{path.name}"
                for path in (ROOT / "reports" / "measured").glob("*.md")}  # fmt: skip
    return {
        "methods/index.md": "", **methods, "methods/generative.md": GENERATIVE, "measured/index.md": "", **measured
    }  # fmt: skip


def methods_of() -> dict[str, list[str]]:
    """Return file -> the methods that it explains: the README of their folder, else their module."""
    found: dict[str, list[str]] = {}
    for name, entry in registered("method").items():
        if not entry.value.startswith("benchmark.methods."):  # a plugin that is installed here
            continue
        path = source_file(entry)
        readme = path.parent / "README.md"
        source = (readme if readme.exists() else path).resolve().relative_to(ROOT)
        found.setdefault(str(source), []).append(name)
    return found


@cache
def generated_pages() -> dict[str, str]:
    """Return page -> its Markdown."""
    methods, pages = methods_of(), {}
    for uri, source in sources().items():
        if source:
            path = ROOT / source
            text = path.read_text() if path.suffix == ".md" else from_docstring(path)
            names = ["generative"] if source == GENERATIVE else methods.get(source, [])
            pages[uri] = separated_lists(text) + "".join(settings(name) for name in names)
    uri_of = {source: uri for uri, source in sources().items()}
    rows = [
        f"| [`{name}`]({Path(uri_of[source]).name}) | {describe(registered('method')[name])[1]} |"
        for source, names in methods.items() for name in names
    ]  # fmt: skip
    pages["methods/index.md"] = METHODS + "\n".join(sorted(rows)) + "\n"
    titles = [f"- [{_title(text)}]({Path(uri).name})" for uri, text in sorted(pages.items()) if "measured/" in uri]
    pages["measured/index.md"] = MEASURED + "\n".join(titles) + "\n"
    return pages


METHODS = """# Methods

`--methods` takes these names, separated by commas; `LABEL=METHOD` gives a method a second row with settings of its own.
An *indexer* makes IDs, which [the generative part](generative.md) turns into a recommender and a search engine. A
*recommender* or a *retriever* ranks without IDs. `benchmark list methods` prints this list.

| method | what it is |
| --- | --- |
"""

MEASURED = """# Measured results

What was measured with this suite so far. Each page names its commands, presets and hardware.

"""


def from_docstring(path: Path) -> str:
    """Return a module's docstring as a page: what stands before the first colon is its title."""
    first, _, rest = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")
    title, _, summary = first.partition(": ")
    return f"# {title}\n\n{summary[:1].upper()}{summary[1:]}\n{rest}\n"


def separated_lists(text: str) -> str:
    """Return the text with a blank line before each list, which Markdown needs."""
    return re.sub(r"(?m)^(?!- |  |$)(.+\n)(?=- )", r"\1\n", text)


def settings(name: str) -> str:
    """Return the section with what `benchmark show` says of a method's settings and presets."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main(["show", name]) == 0
    lines = printed.getvalue().split("settings and their defaults:\n")[1].splitlines()
    n_settings = next((row for row, line in enumerate(lines) if not line.startswith("  ")), len(lines))
    rows = []
    for line in lines[:n_settings]:
        setting, _, meaning = line.strip().replace("|", "\\|").partition("   ")
        rows.append("| `{}` | `{}` | {} |".format(*setting.split("=", 1), meaning))
    rest = [f"- {line.strip()}" if line.startswith("  ") else f"\n{line}\n" for line in lines[n_settings:]]
    table = "\n".join(["| setting | default | meaning |", "| --- | --- | --- |", *rows]) if rows else "None."
    return f"\n## Settings of `{name}`\n\n{table}\n\n" + "\n".join(rest) + "\n"
