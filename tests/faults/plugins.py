"""Plugins that break: at import, in their declarations, while they learn; what they print and name."""

from collections.abc import Sequence
from pathlib import Path

from faults.case import CHEAP, Case, shop

INDEXER = """
import numpy as np
from benchmark.config import MethodConfig
from benchmark.types.codes import Codes
from benchmark.types.method import Indexer

class Config(MethodConfig):
    size: int = 8

class Bad(Indexer[Config]):
    \"\"\"{doc}\"\"\"

    def fit(self, corpus, context):
        {body}
        return Codes(np.zeros((len(corpus), 2), np.int32), (8, 8))
"""
ABSTRACT = "from benchmark.types.method import Indexer\nclass Bad(Indexer): pass"
LIST = ("list", "methods")
METRIC = {"words": ("list", "metrics"), "group": "benchmark.metrics"}
DATASET = {"words": ("list", "datasets"), "group": "benchmark.datasets"}
IMPORTER = {"words": ("import", "--help"), "group": "benchmark.importers"}
CHECK = ("check", "bad")
RUN = ("run", "--methods", "bad", "--dataset", "shop", *CHEAP)


def plugin(
    title: str, code: str, says: str, *, exits: int = 0, words: Sequence[str] = LIST, target: str = "bad_plugin:Bad",
    group: str = "benchmark.methods", json: bool = False, name: str = "bad",
) -> Case:  # fmt: skip
    """An installed package, `bad`, with this module."""

    def install(folder: Path) -> None:
        about = folder / "site" / "bad-1.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: bad\nVersion: 1\n")
        (about / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n")
        (folder / "site" / "bad_plugin.py").write_bytes(code.encode("utf-8", "surrogatepass"))

    site = {"PYTHONPATH": f"site:{Path(__file__).resolve().parents[2]}"}
    return Case(title, words, exits, says, shop({}, install), environment=site, json=json)


def fitting(body: str, doc: str = "A plugin.") -> str:
    """Return a plugin whose `fit` begins so."""
    return INDEXER.format(body=body, doc=doc)


CASES = [
    plugin("list: an import error", "import nowhere_at_all", "rqvae"),
    plugin("list: a syntax error", "def (", "bad +broken"),
    plugin("list: zero bytes", "\0\0", "bad +broken"),
    plugin("list: Latin-1 without saying so", "# \udcff\n", "bad"),
    plugin("list: no such module", "", "bad +broken", target="nowhere_at_all:Bad"),
    plugin("list: no such package", "", "bad +broken", target="nowhere.at.all:Bad"),
    plugin("list: a built-in module", "", "bad +broken", target="sys:exit"),
    plugin("list: no class named", "x = 1", "rqvae", target="bad_plugin"),
    plugin("list: not a module's name", "", "bad +broken", target="not a module"),
    plugin("list: a package that exits", "import sys; sys.exit(0)", "bad +broken", target="bad_plugin.inside:Bad"),
    plugin("list: escape sequences in the docstring", fitting("", "Red \\x1b[31m\\x07 and \\u202e"), "rqvae"),
    plugin("list: a name that is taken", fitting(""), "rqvae +broken", name="rqvae"),
    plugin("list as JSON: a syntax error", "def (", "broken", words=(*LIST, "--json"), json=True),
    plugin("list metrics: an import error", "import nowhere_at_all", "bad +broken", **METRIC),
    plugin("list metrics: not a metric", "Bad = 5", "bad +broken", **METRIC),
    plugin("list datasets: a syntax error", "def (", "bad +broken", **DATASET),
    plugin("import --help: an exit", "import sys; sys.exit(0)", "recbole", **IMPORTER),
    plugin("import --help: not an importer", "Bad = 5", "recbole", **IMPORTER),
    plugin("doctor: an exit", "import sys; sys.exit(0)", "bad", exits=1, words=("doctor",)),
    plugin("check: an exit", "import sys; sys.exit(0)", "bad.*SystemExit", exits=1, words=CHECK),
    plugin("check: codes for other items", fitting("corpus = corpus.texts()[1:]"), "bad: fit ", exits=1, words=CHECK),
    plugin("check: an error of its own", fitting("raise KeyError('colour')"),
           r"bad: it raised KeyError: 'colour' \(at .*py:\d+", exits=1, words=CHECK),
    plugin("check: an assertion of its own", fitting("assert len(corpus) > 100"),
           r"bad: it raised AssertionError \(at .*py:\d+", exits=1, words=CHECK),
    plugin("check: no such preset", fitting(""), "Did you mean 'small'", exits=2, words=(*CHECK, "--preset", "smal")),
    plugin("check: torch at the top", "import torch\n" + fitting(""), "bad_plugin: it imports torch", exits=1,
           words=CHECK),
    plugin("show: an exit", "import sys; sys.exit(0)", "bad.*SystemExit", exits=1, words=("show", "bad")),
    plugin("show: not a method", "Bad = 5", "bad", exits=2, words=("show", "bad")),
    plugin("run: an import error", "import nowhere_at_all", "bad.*nowhere_at_all", exits=1, words=RUN),
    plugin("run: a syntax error", "def (", "bad.*SyntaxError", exits=1, words=RUN),
    plugin("run: an exit at import", "import sys; sys.exit(0)", "bad.*SystemExit", exits=1, words=RUN),
    plugin("run: os-level noise at import, as JSON", "import os; os.system('echo noise')\n" + fitting("print('noise')"),
           "id-quality", words=(*RUN, "--json"), json=True),
    plugin("run: no such attribute", "x = 1", "bad", exits=1, words=RUN),
    plugin("run: not a method", "Bad = 5", "bad.*not an Indexer", exits=2, words=RUN),
    plugin("run: a function", "def Bad(): pass", "bad.*not an Indexer", exits=2, words=RUN),
    plugin("run: abstract", ABSTRACT, "bad", exits=1, words=RUN),
    plugin("run: a setting without default", fitting("").replace(" = 8", ""), "size", exits=2, words=RUN),
    plugin("run: a broken metric", "import nowhere_at_all", "bad.*nowhere_at_all", exits=1,
           words=("run", "--methods", "random", "--set", "random.codebook_size=8", "--dataset", "shop", *CHEAP),
           group="benchmark.metrics"),
    plugin("fit: an exception", fitting("raise ValueError('\\x1b[31mred')"), "bad.*red", exits=1, words=RUN),
    plugin("fit: sys.exit(0)", fitting("import sys; sys.exit(0)"), "bad", exits=1, words=RUN),
    plugin("fit: sys.exit('words')", fitting("import sys; sys.exit('words')"), "bad.*words", exits=1, words=RUN),
    plugin("fit: endless recursion", fitting("return self.fit(corpus, context)"), "bad.*recursion", exits=1, words=RUN),
    plugin("fit: no memory", fitting("raise MemoryError"), "bad.*Memory", exits=1, words=RUN),
    plugin("fit: returns nothing", fitting("return None"), "bad", exits=1, words=RUN),
    plugin("fit: codes of too few items", fitting("return Codes(np.zeros((3, 2), np.int32), (8, 8))"), "bad", exits=1,
           words=RUN),
    plugin("fit: codes beyond the codebook", fitting("return Codes(np.full((40, 2), 9, np.int32), (8, 8))"), "bad",
           exits=1, words=RUN),
    plugin("fit: codes that are fractions", fitting("return Codes(np.zeros((40, 2)), (8, 8))"), "bad", exits=1,
           words=RUN),
    plugin("fit: changes its input", fitting("corpus.ids[0] = 'x'"), "bad", exits=1, words=RUN),
    plugin("fit: prints escape sequences", fitting("print('\\x1b[2J\\x1b]0;title\\x07')"), "bad", words=RUN),
    plugin("fit: logs escape sequences", fitting("context.log('\\x1b[2J\\u202e')"), "bad", words=RUN),
    plugin("fit: prints, as JSON", fitting("print('{')"), "id-quality", words=(*RUN, "--json"), json=True),
]  # fmt: skip
