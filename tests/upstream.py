"""Other people's servers and files, in miniature: a loopback HTTP server that can fail, and files in exact formats."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.fetching.sources import RemoteFile


class Upstream:
    """Serves `files` by path with ranges; `faults` are answered first, one per GET of a path.

    A fault is a status code, ('cut', n): the connection closes after n bytes of the body, ('length', n): another
    Content-Length, ('moved', URL): it lies there now, ('slow', s): a pause of s seconds in the middle of the body, or
    'no range': the whole file though a range was asked for.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[Any]] = {}
        self.seen: list[tuple[str, str, str]] = []  # method, path, Range

    def remote(self, name: str, *mirrors: str, **known: Any) -> RemoteFile:
        urls = tuple(f"{self.url}/{mirror}/{name}" for mirror in mirrors or ("a",))
        return RemoteFile(name, "publisher", urls, "https://example.org/page", "a licence", **known)

    def ranges(self) -> list[str]:
        return [extent for method, _, extent in self.seen if method == "GET"]


@contextmanager
def serving() -> Iterator[Upstream]:
    """Run an upstream server on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            extent = self.headers.get("Range", "")
            upstream.seen.append((self.command, self.path, extent))
            faults = upstream.faults.get(self.path, [])
            fault = faults.pop(0) if body and faults else None
            if isinstance(fault, tuple) and fault[0] == "moved":
                self.send_response(302)
                self.send_header("Location", fault[1])
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content = upstream.files.get(self.path)
            if isinstance(fault, int) or content is None:
                self.send_error(fault if isinstance(fault, int) else 404)
                return
            tag = f'"{hashlib.md5(content).hexdigest()}"'
            start = 0
            current = self.headers.get("If-Range", tag) == tag
            if (match := re.fullmatch(r"bytes=(\d+)-", extent)) and current and fault != "no range":
                start = int(match[1])
                if start >= len(content):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            self.send_header("ETag", tag)
            kind, number = fault if isinstance(fault, tuple) else ("", 0)
            self.send_header("Content-Length", str(number if kind == "length" else len(content) - start))
            self.end_headers()
            if body:
                sent = content[start : start + number] if kind == "cut" else content[start:]
                half = len(sent) // 2
                self.wfile.write(sent[:half])
                time.sleep(number if kind == "slow" else 0)
                self.wfile.write(sent[half:])
            self.close_connection = bool(kind)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing: a client that gives up is part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    upstream = Upstream(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield upstream
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def declaration(original: Path, target: Path, mirror: str, **expect: int) -> Path:
    """Write a copy of a declaration with another mirror and other counts, without published checksums."""
    text = re.sub(r"mirrors = \[.*?\]", f'mirrors = ["{mirror}/"]', original.read_text("utf-8"), flags=re.S)
    text = re.sub(r"^(size|checksum) = .*$", "", text, flags=re.M)
    counts = ", ".join(f"{name} = {count}" for name, count in expect.items())
    target.write_text(re.sub(r"expect = \{.*?\}", f"expect = {{{counts}}}", text), "utf-8")
    return target


def review(user: str, item: str, time: int) -> dict[str, Any]:
    """Return a review as upstream writes it."""
    return {
        "reviewerID": user, "asin": item, "reviewerName": "A. Person", "helpful": [0, 1], "reviewText": "Fine.",
        "overall": 4.0, "summary": "ok", "unixReviewTime": time, "reviewTime": "01 30, 2014",
    }  # fmt: skip


def reviews_file(path: Path, reviews: list[dict[str, Any]]) -> Path:
    """Write JSON lines, gzipped."""
    path.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in reviews).encode()))
    return path


def metadata_file(path: Path, records: list[dict[str, Any] | str]) -> Path:
    """Write Python-literal lines (a string is written as it is), gzipped."""
    lines = "".join((record if isinstance(record, str) else repr(record)) + "\n" for record in records)
    path.write_bytes(gzip.compress(lines.encode("utf-8", "surrogatepass")))
    return path


def product(asin: str, title: str, *path: str, **more: Any) -> dict[str, Any]:
    """Return item metadata as upstream writes it."""
    related = {"also_bought": ["B000000000"]}
    return {"asin": asin, "title": title, "related": related, "categories": [list(path), ["Gifts"]], **more}


def examples_file(path: Path, rows: list[tuple[int, str, str, str, str, str]]) -> Path:
    """Write ESCI's examples from (query id, query, product, locale, label, split)."""
    queries, texts, products, locales, labels, splits = zip(*rows, strict=True)
    n = len(rows)
    table = pa.table(
        {
            "example_id": pa.array(range(n), pa.int64()), "query": texts, "query_id": pa.array(queries, pa.int64()),
            "product_id": products, "product_locale": locales, "esci_label": labels,
            "small_version": [1] * n, "large_version": [1] * n, "split": splits,
        }
    )  # fmt: skip
    pq.write_table(table, path)
    return path


def zipped(path: Path, **members: str) -> Path:
    """Write a zip; a double underscore in a member's name stands for a dot, and it lies in the archive's folder."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(f"{path.stem}/{name.replace('__', '.')}", text.encode("latin-1"))
    path.write_bytes(content.getvalue())
    return path


def amazon_shop(folder: Path) -> dict[str, Path]:
    """Write a miniature Beauty: 6 items, 8 users with 5 reviews each, 24 product searches."""
    items = [f"B00000000{i}" for i in range(6)]
    kinds = ["Shampoo", "Lipstick"]
    metadata: list[dict[str, Any] | str] = [
        product(item, f"{kinds[i % 2]} number {i}", "Beauty", kinds[i % 2], brand=f"brand{i}", price=i + 0.99)
        for i, item in enumerate(items)
    ]
    metadata.insert(2, product("B000000099", "Nobody reviewed it often enough", "Beauty"))
    events = [
        review(f"A{user}", items[(user + k) % 6], 1400000000 + 86400 * ((5 - k) // 2))
        for user in range(8)
        for k in range(5)
    ]
    rows = [
        (q, f"{kinds[q % 2].lower()} {q}", items[q % 6], "us", "E", "test" if q < 8 else "train") for q in range(24)
    ]
    return {
        "reviews_Beauty_5.json.gz": reviews_file(folder / "reviews_Beauty_5.json.gz", events),
        "meta_Beauty.json.gz": metadata_file(folder / "meta_Beauty.json.gz", metadata),
        "shopping_queries_dataset_examples.parquet": examples_file(
            folder / "shopping_queries_dataset_examples.parquet", rows
        ),
    }
