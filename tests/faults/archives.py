"""Compressed files and downloads that are not what their names say, and the checksums beside them."""

import gzip
import io
import zipfile
from collections.abc import Callable, Mapping

from faults.case import Case, Content, files, shop

FROM = ("--data-root", "root", "--from", "given", "--yes")
ML, TOYS = "ml-100k.zip", "reviews_Toys_and_Games_5.json.gz"
OTHERS = {  # of `toys`: what is beside the reviews, of which upstream publishes neither size nor checksum
    "given/meta_Toys_and_Games.json.gz": gzip.compress(b"{}"),
    "given/shopping_queries_dataset_examples.parquet": b"PAR1",
}


def packed(name: str, change: Callable[[bytes], bytes]) -> dict[str, Content]:
    """The shop with a file replaced by its gzip, changed."""
    return {name: None, f"{name}.gz": change(gzip.compress(SOURCES[name]))}


SOURCES = {
    "items.jsonl": b"".join(b'{"id": "i%02d", "title": "lamp %d"}\n' % (row, row) for row in range(40)),
    "sequences.txt": b"".join(b"u%d i01 i02 i03 i04\n" % user for user in range(20)),
}


REVIEWS = b"".join(
    b'{"reviewerID": "u%d", "asin": "A%d", "unixReviewTime": %d}\n' % (row % 7, row % 11, row) for row in range(99)
)


def zipped(members: Mapping[str, bytes]) -> bytes:
    """Return a zip with these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def gz(title: str, name: str, change: Callable[[bytes], bytes], says: str = "") -> Case:
    """A data set with a wrong compressed file."""
    return Case(title, ("data", "check", "shop"), 2, says or rf"{name}\.gz", shop(packed(name, change)))


def get(title: str, contents: Mapping[str, Content], says: str = r"ml-100k\.zip", name: str = "movielens-100k") -> Case:
    """`data get` from manually downloaded files; the data set must not appear."""
    return Case(title, ("data", "get", name, *FROM), 2, says, files(contents), absent=(f"root/{name}",))


def toys(title: str, reviews: bytes, *, pins: str | None = None) -> Case:
    """`data get toys` from these reviews, beside this checksums.json."""
    contents: dict[str, Content] = {f"given/{TOYS}": reviews, **OTHERS}
    if pins is not None:
        contents["root/raw/amazon-2014/checksums.json"] = pins
    return get(title, contents, r"checksums\.json" if pins is not None else TOYS, "toys")


def damaged(content: bytes) -> bytes:
    """Return gzip bytes with some in the middle turned over."""
    middle = len(content) // 2
    return content[:middle] + bytes(255 - byte for byte in content[middle : middle + 20]) + content[middle + 20 :]


CASES = [
    gz("items.jsonl.gz cut off", "items.jsonl", lambda content: content[: len(content) // 2]),
    gz("items.jsonl.gz without its end", "items.jsonl", lambda content: content[:-8]),
    gz("items.jsonl.gz damaged", "items.jsonl", damaged),
    gz("items.jsonl.gz with a wrong checksum", "items.jsonl", lambda content: content[:-8] + b"\0" * 4 + content[-4:]),
    gz("items.jsonl.gz that is text", "items.jsonl", lambda content: SOURCES["items.jsonl"]),
    gz("items.jsonl.gz that is a zip", "items.jsonl", lambda content: zipped(SOURCES)),
    gz("items.jsonl.gz of no bytes", "items.jsonl", lambda content: b""),
    gz("items.jsonl.gz followed by rubbish", "items.jsonl", lambda content: content + b"rubbish" * 10),
    gz("sequences.txt.gz cut off", "sequences.txt", lambda content: content[: len(content) // 2]),
    gz("sequences.txt.gz that is text", "sequences.txt", lambda content: SOURCES["sequences.txt"]),
    gz("sequences.txt.gz of no bytes", "sequences.txt", lambda content: b""),
    Case(
        "items.jsonl beside items.jsonl.gz",
        ("data", "check", "shop"),
        2,
        r"items\.jsonl",
        shop({"items.jsonl.gz": gzip.compress(SOURCES["items.jsonl"])}),
    ),
    get("a web page in place of a zip", {f"given/{ML}": "<html>moved</html>"}),
    get("an empty file in place of a zip", {f"given/{ML}": ""}),
    get("a zip cut off", {f"given/{ML}": zipped({"ml-100k/u.item": b"x" * 999})[:60]}),
    get("a zip with other members", {f"given/{ML}": zipped({"../../../evil": b"x"})}),
    get("a file of the right size that is no zip", {f"given/{ML}": b"x" * 4_924_029}),
    get("zeros of the right size that begin as a zip", {f"given/{ML}": b"PK\3\4" + bytes(4_924_025)}),
    get("no folder given", {}, "given"),
    get("a text file given", {"given": "x"}, "given"),
    get("a folder without the files given", {"given/readme": "x"}),
    toys("reviews that are text", b'{"asin": "1"}'),
    toys("reviews of no bytes", b""),
    toys("reviews cut off", gzip.compress(REVIEWS)[:200]),
    toys("reviews damaged", damaged(gzip.compress(REVIEWS))),
    toys("reviews that are not JSON", gzip.compress(b"<html>moved</html>")),
    toys("checksums.json: broken", gzip.compress(REVIEWS), pins="{"),
    toys("checksums.json: a list", gzip.compress(REVIEWS), pins="[1, 2]"),
    toys("checksums.json: a number", gzip.compress(REVIEWS), pins="7"),
    toys("checksums.json: a word as entry", gzip.compress(REVIEWS), pins=f'{{"{TOYS}": "abc"}}'),
    toys("checksums.json: a number as checksum", gzip.compress(REVIEWS), pins=f'{{"{TOYS}": {{"sha256": 5}}}}'),
    toys("checksums.json: no checksum", gzip.compress(REVIEWS), pins=f'{{"{TOYS}": {{"size": "5"}}}}'),
    toys("checksums.json: another checksum", gzip.compress(REVIEWS), pins=f'{{"{TOYS}": {{"sha256": "00"}}}}'),
    toys("checksums.json: nested 100,000 deep", gzip.compress(REVIEWS), pins="[" * 100_000),
]
