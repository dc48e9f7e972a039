"""A Hugging Face Hub of one process: what `huggingface_hub` asks for when a data set is written and read.

It keeps files in memory, serves them at /datasets/NAME/resolve/main/FILE, and refuses every other request with 404.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" * 6 + "c0ff"


class Hub(BaseHTTPRequestHandler):
    """Requests of one server; `files` is shared by all of them."""

    files: dict[str, bytes]
    asked: list[str]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self._path()
        if path.startswith("/api/datasets/org/mine"):
            listing = [{"rfilename": name} for name in self.files]
            of_tree = [{"type": "file", "path": n, "size": len(c), "oid": _oid(c)} for n, c in self.files.items()]
            content: Any = of_tree if "/tree/" in path else {"id": "org/mine", "sha": COMMIT, "siblings": listing}
            self._json(content if self.files else {"id": "org/mine", "sha": COMMIT, "siblings": []})
            return
        name = path.rpartition(f"/resolve/{COMMIT}/")[2] if COMMIT in path else path.rpartition("/resolve/main/")[2]
        if name in self.files:
            self._answer(200, self.files[name], {"ETag": f'"{_oid(self.files[name])}"', "X-Repo-Commit": COMMIT})
        else:
            self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})

    def do_POST(self) -> None:
        path, body = self._path(), self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if path == "/api/repos/create":
            self._json({"url": f"http://{self.headers['Host']}/datasets/org/mine", "name": "org/mine"})
        elif "/preupload/" in path:
            asked = [file["path"] for file in json.loads(body)["files"]]
            self._json({"files": [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in asked]})
        elif "/commit/" in path:
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    self.files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            url = f"http://{self.headers['Host']}/datasets/org/mine/commit/{COMMIT}"
            self._json({"commitUrl": url, "commitOid": COMMIT, "success": True})
        elif "validate-yaml" in path:
            self._json({"errors": [], "warnings": []})
        else:
            self._answer(404, b"", {})

    def _path(self) -> str:
        self.asked.append(f"{self.command} {self.path}")
        return unquote(urlsplit(self.path).path)

    def _json(self, content: Any) -> None:
        self._answer(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _answer(self, code: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Print nothing."""


def _oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextmanager
def hub() -> Iterator[tuple[str, dict[str, bytes], list[str]]]:
    """Give a server's address, the files it holds, and the requests that it had."""
    files: dict[str, bytes] = {}
    asked: list[str] = []
    handler = type("OwnHub", (Hub,), {"files": files, "asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", files, asked
    finally:
        server.shutdown()
        server.server_close()
