"""Work with IDs outside of a run: a finished cell's, a file's, or those of a folder or `hub:org/name`.

  benchmark ids assign CELL new-items.csv             IDs for new items, nothing learned anew; known ones keep theirs
  benchmark ids inspect IDS [ITEM|PREFIX]             size, words, categories and neighbours
  benchmark ids diff A B                              which items moved, and at which position
  benchmark ids repair IDS --by nearest               items with equal codes to free codes of the last position
  benchmark ids push IDS FOLDER|hub:org/name          as a data set of the Hugging Face Hub, with a card

CELL is a finished cell, RUNS/<dataset>/<label> or a folder seed-<n> in it; ITEMS an items.jsonl, a table (CSV, TSV,
Parquet) or a data set.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmark.cli.parsing import number_from
from benchmark.streams import answer, answer_data, answer_json

SHOWN = 10  # items that a table shows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-command per action."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    assign = _action(actions, "assign", _assign, "Print IDs for new items as JSON lines: id, codes, counter.")
    assign.add_argument("cell", type=Path, help="a finished cell: RUNS/<dataset>/<label>, or a folder seed-<n>")
    assign.add_argument(
        "items", help="items.jsonl, a table (CSV, TSV, Parquet) or a data set; known items keep their ID"
    )
    _table_options(assign)
    assign.add_argument(
        "--after", type=Path, action="append", default=[], metavar="FILE",
        help="JSON lines of an earlier call, whose items are known too (may be given several times)",
    )  # fmt: skip
    assign.add_argument("--all", action="store_true", help="print the IDs of all known items first")
    assign.add_argument("--device", default="auto", help="auto, cpu or cuda")
    assign.add_argument(
        "--out", type=Path, default=None,
        help="write a file: .jsonl, .tsv or .index.json; the last two have the counter as last code (default: standard "
        "output)",
    )  # fmt: skip

    inspect = _action(actions, "inspect", _inspect, "Show what a prefix holds, or whom an item is near.")
    inspect.add_argument("ids", help="a finished cell, a file of IDs, a pushed folder or hub:org/name")
    inspect.add_argument("what", nargs="?", default="", help="an item's id, or a prefix such as 12-7 (default: all)")
    inspect.add_argument("--most", type=number_from(1, 1000), default=SHOWN, help=f"lines of each list ({SHOWN})")
    inspect.add_argument("--json", action="store_true")
    _items_option(inspect)

    diff = _action(actions, "diff", _diff, "Say which items moved from A to B, after renaming B's codes.")
    diff.add_argument("a", help="a finished cell, a file of IDs, a pushed folder or hub:org/name")
    diff.add_argument("b", help="the same")
    diff.add_argument("--most", type=number_from(0), default=SHOWN, help=f"items to show ({SHOWN}); --json has all")
    diff.add_argument("--json", action="store_true")

    repair = _action(actions, "repair", _repair, "Resolve equal IDs; print their quality before and after.")
    repair.add_argument("ids", help="a finished cell, a file of IDs, a pushed folder or hub:org/name")
    repair.add_argument(
        "--by", choices=["counter", "nearest", "sinkhorn"], required=True,
        help="a counter behind the codes; the nearest free code of the last position; or all items behind a prefix "
        "together, each on a code of its own at a small sum of distances",
    )  # fmt: skip
    repair.add_argument("--embeddings", type=Path, metavar="FILE.npy", help="vectors of the items, in the IDs' order")
    repair.add_argument("--encoder", default="default", help="embeds the texts of --items, by name or path")
    repair.add_argument("--device", default="auto", help="auto, cpu or cuda")
    repair.add_argument("--json", action="store_true")
    repair.add_argument("--out", type=Path, default=None, help="write the IDs: .jsonl, .tsv or .index.json")
    _items_option(repair)

    push = _action(actions, "push", _push, "Write IDs as a data set of the Hugging Face Hub: Parquet, JSON and a card.")
    push.add_argument("ids", help="a finished cell, a file of IDs, a pushed folder or hub:org/name")
    push.add_argument("target", help="a new folder, or hub:org/name (needs a token: hf auth login)")
    push.add_argument("--licence", default="", help="of the IDs (default: that of the data set)")


def _action(actions: Any, name: str, call: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, description=text, help=text)
    parser.set_defaults(call=call)
    return parser


def _items_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--items", help="items.jsonl, a table or a data set: titles and categories of a file's items")
    _table_options(parser)


def _table_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--column", action="append", default=[], metavar="NAME=COLUMN", help="as in 'import table'")
    parser.add_argument("--category-separator", default="", metavar="SIGN", help="as in 'import table'")


def execute(arguments: argparse.Namespace) -> int:
    """Carry out the action."""
    code: int = arguments.call(arguments)
    return code


def _corpus(arguments: argparse.Namespace, source: str | None) -> Any:
    from benchmark.ids.items import read_corpus

    if source is None:
        return None
    return read_corpus(source, column=arguments.column, category_separator=arguments.category_separator)


def _assign(arguments: argparse.Namespace) -> int:
    from benchmark.files import write_text
    from benchmark.ids.assigning import assign_ids
    from benchmark.ids.writing import ending_of
    from benchmark.learning.devices import choose_device

    ending = ending_of(arguments.out) if arguments.out else ""
    items = _corpus(arguments, arguments.items)
    device = choose_device(arguments.device)
    found = assign_ids(arguments.cell, items, after=arguments.after, device=device)
    if arguments.out is None:
        answer_data("".join(found.lines(every=arguments.all)))
    else:
        write_text(arguments.out, found.text(ending, every=arguments.all))
        answer(arguments.out)
    known = sum(item in found.known for item in found.asked)
    new = len(found.asked) - known
    print(f"{new:,} new items, {known:,} known ones that keep their ID", file=sys.stderr)
    return 0


def _repair(arguments: argparse.Namespace) -> int:
    from benchmark.files import write_text
    from benchmark.ids.id_set import open_ids
    from benchmark.ids.repair import read_vectors, repair
    from benchmark.ids.writing import ending_of
    from benchmark.learning.devices import choose_device

    ending = ending_of(arguments.out) if arguments.out else ""
    items = _corpus(arguments, arguments.items)
    ids = open_ids(arguments.ids, items)
    vectors = read_vectors(arguments.embeddings, len(ids.items)) if arguments.embeddings else None
    device = choose_device(arguments.device)
    found = repair(ids, arguments.by, items=items, vectors=vectors, encoder=arguments.encoder, device=device)
    if arguments.out is not None:
        write_text(arguments.out, found.text(ending))
        print(arguments.out, file=sys.stderr)
    if arguments.json:
        answer_json({"by": found.by, "moved": found.moved, "crowded": found.crowded, **found.table()})
    else:
        answer("\n".join(found.lines()))
    return 0


def _inspect(arguments: argparse.Namespace) -> int:
    from benchmark.ids.id_set import open_ids
    from benchmark.ids.inspection import inspect, lines_of

    view = inspect(open_ids(arguments.ids, _corpus(arguments, arguments.items)), arguments.what, arguments.most)
    if arguments.json:
        answer_json(view)
    else:
        answer("\n".join(lines_of(view)))
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    from benchmark.ids.difference import difference
    from benchmark.ids.id_set import open_ids

    a, b = open_ids(arguments.a), open_ids(arguments.b)
    found = difference(a, b)
    if arguments.json:
        answer_json(found.as_json())
    else:
        answer("\n".join(found.lines(a.name, b.name, arguments.most)))
    return 0


def _push(arguments: argparse.Namespace) -> int:
    from benchmark.ids.id_set import open_ids
    from benchmark.ids.sharing import push

    answer(push(open_ids(arguments.ids), arguments.target, licence=arguments.licence))
    return 0
