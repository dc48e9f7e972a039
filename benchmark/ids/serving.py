"""A finished cell as a small local server: a page to ask it, and the same as a JSON API.

    GET /                                            the page
    GET /api/cell                                    what is served: label, data set, tasks, number of items
    GET /api/ask?question=..[&task=..][&most=..]     {"question", "task", "items": [{"item", "id", "way", ..}]}
    GET /api/inspect?what=12-7                       what a prefix holds, or whom an item is near (`ids inspect`)

Errors are {"error": reason} with status 400 for a question that cannot be answered. Questions are answered one after
the other. On a loopback address only requests to such an address are served, and none from another web page.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmark.errors import BenchmarkError, UsageError
from benchmark.ids.asking import MOST, TASKS, Answerer
from benchmark.ids.inspection import inspect

PAGE = Path(__file__).parent / "page"
FILES = {
    "/": ("page.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
LONGEST = 2_000  # characters of a question
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"
)


class Server(ThreadingHTTPServer):
    """Serves one cell. Port 0 takes a free one: see `address`."""

    daemon_threads = True

    def __init__(self, answerer: Answerer, host: str, port: int) -> None:
        """Raises UsageError where the address cannot be served."""
        self.answerer, self.turn = answerer, threading.Lock()
        self.host = host
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"{host}:{port} cannot be served: {error}; choose another with --host and --port"
            ) from None

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{self.host}:{self.server_address[1]}/"

    def cell(self) -> dict[str, Any]:
        """Say what is served."""
        result = self.answerer.result
        return {
            "label": result.label, "seed": result.seed, "dataset": result.dataset["title"], "preset": result.preset,
            "tasks": list(self.answerer.tasks), "items": len(self.answerer.ids.items), "example": self._example(),
        }  # fmt: skip

    def _example(self) -> str:
        """Return a question to begin with: words of a title, or two items."""
        ids = self.answerer.ids
        if "search" in self.answerer.tasks and ids.about:
            return " ".join(ids.about[ids.items[0]].title.split()[:4])
        return " ".join(ids.items[:2])

    def ask(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Answer a question. Raises UsageError for one that cannot be answered."""
        question, task, most = query.get("question", ""), query.get("task", ""), query.get("most", str(MOST))
        if len(question) > LONGEST:
            raise UsageError(f"a question has at most {LONGEST:,} characters")
        if task and task not in TASKS:
            raise UsageError(f"task: {' or '.join(TASKS)}")
        if not re.fullmatch("[0-9]{1,3}", most) or not 1 <= int(most) <= 100:
            raise UsageError("most: a whole number from 1 to 100")
        with self.turn:
            answered, found = self.answerer.answer(question, task=task, most=int(most))
        return {"question": question, "task": answered, "items": [item.as_json() for item in found]}


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if not self._asked_for_this_host():
            self._json({"error": "this host is not served"}, HTTPStatus.FORBIDDEN)
        elif parts.path in FILES:
            name, kind = FILES[parts.path]
            self._send((PAGE / name).read_bytes(), f"{kind}; charset=utf-8", HTTPStatus.OK)
        elif parts.path.startswith("/api/"):
            self._answer(parts.path.removeprefix("/api/"), query)
        else:
            self._json({"error": "not found"}, HTTPStatus.NOT_FOUND)

    def _answer(self, what: str, query: Mapping[str, str]) -> None:
        try:
            match what:
                case "cell":
                    self._json(self.server.cell())
                case "ask":
                    self._json(self.server.ask(query))
                case "inspect":
                    self._json(inspect(self.server.answerer.ids, query.get("what", "")))
                case _:
                    self._json({"error": "not found"}, HTTPStatus.NOT_FOUND)
        except UsageError as error:
            self._json({"error": str(error)}, HTTPStatus.BAD_REQUEST)
        except BenchmarkError as error:
            self._json({"error": str(error)}, HTTPStatus.INTERNAL_SERVER_ERROR)
        except Exception as error:  # the page must hear of it
            self._json({"error": f"{type(error).__name__}: {error}"}, HTTPStatus.INTERNAL_SERVER_ERROR)

    def _asked_for_this_host(self) -> bool:
        """On loopback, another name in the request is a page that resolves its own name to this machine."""
        if not _is_loopback(self.server.host):
            return True
        if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return False
        try:
            host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        except ValueError:
            return False
        return host is not None and _is_loopback(host)

    def _json(self, value: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        text = json.dumps(value, ensure_ascii=False, default=str)
        self._send(text.encode("utf-8", "replace"), "application/json; charset=utf-8", status)

    def _send(self, body: bytes, kind: str, status: HTTPStatus) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind, "Content-Length": str(len(body)), "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
        }  # fmt: skip
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of each request."""
