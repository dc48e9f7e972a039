"""One file over HTTP: mirrors in order, retries with growing pauses, resume by range, whole or not at all.

What has arrived is kept beside the target, so a later call resumes from there (`partial`). The file takes its name only
when its length and checksum are right.
"""

from __future__ import annotations

import errno
import http.client
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Any

from benchmark.errors import BenchmarkError, DataError
from benchmark.fetching import pins
from benchmark.fetching.resuming import Partial
from benchmark.fetching.room import room_for
from benchmark.fetching.sources import RemoteFile
from benchmark.version import __version__

TRIES = 5  # without one new byte, per mirror
PAUSE = 1.0  # seconds before the second try, doubled each time
LONGEST_PAUSE = 60.0
TIMEOUT = 60.0  # seconds without a byte
BUSY = (408, 425, 429, 500, 502, 503, 504)


class DownloadError(BenchmarkError):
    """No mirror had the file; the message says what each answered."""


class _Refused(Exception):
    """This mirror does not have the file, or has another one."""


class _Interrupted(Exception):
    """Worth another try; `after` is how long the server asked to wait."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


class _SameSafety(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to anything less."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise _Refused(f"it redirects to {newurl}, which is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(url: str, headers: dict[str, str], *, method: str = "GET") -> http.client.HTTPResponse:
    headers = {"User-Agent": f"lmindexer-benchmark/{__version__}", "Accept-Encoding": "identity", **headers}
    opener = urllib.request.build_opener(_SameSafety())
    request = urllib.request.Request(url, headers=headers, method=method)
    response: http.client.HTTPResponse = opener.open(request, timeout=TIMEOUT)
    return response


def remote_size(file: RemoteFile) -> int | None:
    """Return the declared size of a file, or the one that its first mirror with an answer states; None: unknown."""
    if file.size is not None:
        return file.size
    for url in file.urls:
        try:
            with _open(url, {}, method="HEAD") as response:
                length = response.headers.get("Content-Length")
                if length is not None:
                    return int(length)
        except (OSError, http.client.HTTPException, ValueError, _Refused):
            continue
    return None


def download(file: RemoteFile, target: Path) -> str:
    """Fetch a file to `target` and return its SHA-256 ('sha256:...'), which is recorded beside it.

    Raises DownloadError when no mirror has it, BenchmarkError when the disk is full.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Partial(target)
    reasons = []
    for url in file.urls:
        try:
            with room_for(target):
                found = _from_mirror(url, file, partial)
                partial.settle(target)
                pins.pin(target.parent, file.name, target, found, url)
            return found
        except _Refused as reason:
            reasons.append(f"{url}: {reason}")
    raise DownloadError("\n  ".join([f"cannot download {file.name}:", *reasons]))


def _from_mirror(url: str, file: RemoteFile, partial: Partial) -> str:
    """Receive the file from one mirror and verify it; a resumed file that turns out wrong is fetched once more."""
    resumed = partial.size() > 0
    while True:
        _receive(url, file, partial)
        try:
            return pins.verify(partial.path, file, partial.path.parent)
        except DataError as error:
            partial.discard()
            if not resumed:
                raise _Refused(str(error).removeprefix(f"{partial.path}: ")) from None
            resumed = False


def _receive(url: str, file: RemoteFile, partial: Partial) -> None:
    """Try until all bytes are there; pauses grow while nothing new arrives."""
    failures, most = 0, partial.size()
    while True:
        try:
            _receive_once(url, file, partial)
            return
        except _Interrupted as error:
            failures = 0 if partial.size() > most else failures + 1
            most = max(most, partial.size())
            if failures == TRIES:
                raise _Refused(f"{error} ({TRIES} tries)") from None
            time.sleep(min(max(error.after, PAUSE * 2**failures), LONGEST_PAUSE))


def _receive_once(url: str, file: RemoteFile, partial: Partial) -> None:
    trusted = bool(file.checksum or pins.pinned(partial.path.parent, file.name))
    offset, validator = partial.resumable(url, trusted=trusted)
    if offset and offset == (partial.total() if file.size is None else file.size):
        return
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    if offset and validator:
        headers["If-Range"] = validator
    try:
        with _open(url, headers) as response:
            start, total = _extent(response, offset, file, trusted=trusted)
            if start == 0:
                partial.begin(url, response.headers, total)
            written = _write(response, partial, start, total, file)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            partial.discard()
        if error.code in BUSY or error.code == 416:
            raise _Interrupted(f"HTTP {error.code} {error.reason}", _retry_after(error)) from None
        raise _Refused(f"HTTP {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        offline = isinstance(error.reason, socket.gaierror) or getattr(error.reason, "errno", 0) == errno.ENETUNREACH
        raise (_Refused if offline else _Interrupted)(f"no connection ({error.reason})") from None
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise _Interrupted(f"the connection broke ({type(error).__name__})") from None
    if total is not None and written < total:
        raise _Interrupted(f"the connection was cut after {written:,} of {total:,} bytes")


def _extent(
    response: http.client.HTTPResponse, offset: int, file: RemoteFile, *, trusted: bool
) -> tuple[int, int | None]:
    """Return (first byte, total length) of an answer; raise _Refused when it cannot be the file."""
    if response.status == 206:
        unit, _, extent = response.headers.get("Content-Range", "").partition(" ")
        first, _, length = extent.partition("/")
        if unit != "bytes" or first.partition("-")[0] != str(offset):
            raise _Refused(f"it answers the range {offset}- with '{unit} {extent}'")
        total = int(length) if length.isdigit() else None
        start = offset
    else:
        stated = response.headers.get("Content-Length", "")
        start, total = 0, int(stated) if stated.isdigit() else None
    if file.size is not None and total is not None and total != file.size:
        raise _Refused(f"it has {total:,} bytes there, but the published file has {file.size:,}")
    if total is None and file.size is None and not trusted and not response.chunked:
        raise _Refused("it does not say how long the file is, so it cannot be known to be whole")
    return start, total if total is not None else file.size


def _write(
    response: http.client.HTTPResponse, partial: Partial, start: int, total: int | None, file: RemoteFile
) -> int:
    """Append the answer to the partial file; return its length."""
    from tqdm import tqdm

    written = start
    with (
        partial.path.open("ab" if start else "wb") as out,
        tqdm(
            total=total, initial=start, unit="B", unit_scale=True, desc=f"  {file.name}", disable=None, leave=False,
            dynamic_ncols=True,
        ) as bar,
    ):  # fmt: skip
        while block := response.read(1 << 16):
            out.write(block)
            written += len(block)
            bar.update(len(block))
            if total is not None and written > total:
                raise _Refused(f"it sends more than the {total:,} bytes it should")
    return written


def _retry_after(error: urllib.error.HTTPError) -> float:
    seconds = error.headers.get("Retry-After", "") if error.headers else ""
    return float(seconds) if seconds.isdigit() else 0.0
