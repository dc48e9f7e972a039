"""The part of a file that has arrived: `.NAME.partial` beside the target, its origin in `.NAME.partial.json`."""

from __future__ import annotations

import http.client
from pathlib import Path
from typing import Any

from benchmark.files import put_in_place, write_json
from benchmark.json_text import parse_json


class Partial:
    """What has arrived of a file, and from where."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f".{target.name}.partial")
        self._about = target.with_name(f".{target.name}.partial.json")

    def size(self) -> int:
        """Return how many bytes have arrived."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def resumable(self, url: str, *, trusted: bool) -> tuple[int, str]:
        """Return (bytes to keep, validator for If-Range).

        Bytes from another mirror, or without a validator, are kept only where a checksum will tell in the end.
        """
        about = self._origin()
        validator = str(about.get("validator", "")) if about.get("url") == url else ""
        return (self.size(), validator) if validator or trusted else (0, "")

    def total(self) -> int | None:
        """Return how long the whole file is, as far as the server said when it sent the first byte."""
        total = self._origin().get("total")
        return total if isinstance(total, int) else None

    def _origin(self) -> dict[str, Any]:
        try:
            return dict(parse_json(self._about.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return {}

    def begin(self, url: str, headers: http.client.HTTPMessage, total: int | None) -> None:
        """Drop what is there and remember where the new bytes come from and how many there will be.

        The validator is a strong entity tag, which is quoted, or else the date (RFC 9110, section 13.1.5).
        """
        self.discard()
        tag = headers.get("ETag", "")
        validator = tag if tag.startswith('"') else headers.get("Last-Modified", "")
        write_json(self._about, {"url": url, "validator": validator, "total": total})

    def settle(self, target: Path) -> None:
        """Give the file, now whole, its name."""
        put_in_place(self.path, target)
        self.discard()

    def discard(self) -> None:
        """Drop what is there."""
        self.path.unlink(missing_ok=True)
        self._about.unlink(missing_ok=True)
