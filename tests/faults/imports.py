"""Other people's files in a shape that an importer cannot read: refused by name, and no folder appears."""

from collections.abc import Mapping, Sequence

from faults.case import Case, Content, files


def taken(title: str, words: Sequence[str], contents: Mapping[str, Content], says: str, *, code: int = 2) -> Case:
    """An import that is refused."""
    return Case(title, ("import", *words), code, says, files(contents), absent=("new",))


def recbole(title: str, contents: Mapping[str, Content], says: str) -> Case:
    return taken(f"recbole: {title}", ("recbole", "in", "new"), contents, says)


def table(title: str, text: str, says: str, *options: str, code: int = 2) -> Case:
    return taken(f"table: {title}", ("table", "items.csv", "new", *options), {"items.csv": text}, says, code=code)


ID, TITLE = ("--column", "id=sku"), ("--column", "title=name")
SHOP = "sku,name,price\n" + "".join(f"s{row},lamp {row},3.5\n" for row in range(9))
INTER = "user_id:token\titem_id:token\ttimestamp:float\n"

CASES = [
    recbole("no files", {"in/readme": "x"}, "in"),
    recbole("no folder", {}, "in"),
    recbole("no types in the head", {"in/in.inter": "user\titem\n1\t2\n"}, r"in\.inter:1"),
    recbole("no item column", {"in/in.inter": "user_id:token\ttimestamp:float\n1\t2\n"}, r"in\.inter"),
    recbole("an unknown type", {"in/in.inter": "user_id:token\titem_id:tokne\n1\t2\n"}, r"in\.inter"),
    recbole("a column too few", {"in/in.inter": INTER + "1\t2\n"}, r"in\.inter:2"),
    recbole("a word as time", {"in/in.inter": INTER + "1\t2\tnoon\n"}, r"in\.inter:2"),
    recbole("not a number as time", {"in/in.inter": INTER + "1\t2\tnan\n"}, r"in\.inter:2"),
    recbole("an empty file", {"in/in.inter": ""}, r"in\.inter"),
    taken("s3rec: compact JSON", ("s3rec", "X.json", "new"), {"X.json": '{"0":[1,2,3],"1":[4,5,6]}'}, "json"),
    taken("s3rec: no file", ("s3rec", "nowhere.txt", "new"), {}, "nowhere"),
    taken("s3rec: an empty file", ("s3rec", "x.txt", "new"), {"x.txt": ""}, r"x\.txt"),
    taken("beir: no files", ("beir", "in", "new"), {"in/readme": "x"}, "corpus"),
    taken("beir: broken corpus", ("beir", "in", "new"),
          {"in/corpus.jsonl": "{", "in/queries.jsonl": "{}", "in/qrels/test.tsv": "a\tb\tc\n"}, r"corpus\.jsonl:1"),
    taken("beir: nested corpus", ("beir", "in", "new"),
          {"in/corpus.jsonl": '{"_id": ' + "[" * 100_000, "in/queries.jsonl": "{}", "in/qrels/test.tsv": "x"},
          r"corpus\.jsonl:1"),
    taken("ir-datasets: an unknown set", ("ir-datasets", "no/such/set", "new"), {}, "no/such/set", code=2),
    taken("amazon-2023: not gzip", ("amazon-2023", "r.jsonl.gz", "m.jsonl.gz", "new"),
          {"r.jsonl.gz": "{}", "m.jsonl.gz": "{}"}, r"gz"),
    Case("letter: items without an entry are noted", ("import", "letter", "in", "new"), 0, r"2 items are not in",
         files({"in/X.inter.json": '{"0": [0, 1, 99]}', "in/X.item.json": '{"0": {"title": "a"}}'})),
    taken("an unknown format", ("csv", "x", "new"), {"x": "y"}, "csv"),
    taken("no target", ("table", "items.csv"), {"items.csv": SHOP}, "folder|required"),
    table("no column of ids", SHOP, "id", *TITLE),
    table("a column that is not there", SHOP, "skv", "--column", "id=skv", *TITLE),
    table("an unknown target", SHOP, "titel", *ID, "--column", "titel=name"),
    table("an id twice", SHOP + "s1,again,2\n", r"items\.csv:11", *ID, *TITLE),
    table("a line too long", SHOP + "s99,a,b,c,d\n", r"items\.csv:11", *ID, *TITLE),
    table("an open quote", SHOP + 's99,"a\n', r"items\.csv", *ID, *TITLE),
    table("an empty file", "", r"items\.csv", *ID, *TITLE),
    table("a head alone", "sku,name\n", "not one item", *ID, *TITLE),
    table("zero bytes", SHOP + "s99,\0\0,1\n", r"items\.csv", *ID, *TITLE),
    taken("table: a text named .parquet", ("table", "x.parquet", "new", *ID), {"x.parquet": SHOP}, r"x\.parquet"),
    taken("table: no file", ("table", "nowhere.csv", "new", *ID), {}, r"nowhere\.csv"),
    Case("a target that is there", ("import", "table", "items.csv", "new", *ID, *TITLE), 2, "new.*already|already.*new",
         files({"items.csv": SHOP, "new/mine": "x"})),
]  # fmt: skip
