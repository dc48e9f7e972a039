"""A headless Chromium for tests, driven over the W3C WebDriver protocol with the standard library alone."""

import base64
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
MISSING = "" if CHROMIUM and DRIVER else "no Chromium with chromedriver is installed here"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the protocol's name of an element reference
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
KEYS = {
    "Tab": "\ue004", "Enter": "\ue007", "Escape": "\ue00c", "Home": "\ue011", "End": "\ue010",
    "Left": "\ue012", "Up": "\ue013", "Right": "\ue014", "Down": "\ue015",
}  # fmt: skip


class Browser:
    """One browser window; `scripts` run in the page, keys and clicks are the browser's own."""

    def __init__(self, profile: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self.driver = subprocess.Popen(
            [str(DRIVER), f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        self._wait()
        options = {"binary": CHROMIUM, "args": [*FLAGS, f"--user-data-dir={profile}"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self.session = f"/session/{self._begin({'capabilities': {'alwaysMatch': wanted}})}"

    def _begin(self, wanted: Any) -> str:
        """Start the browser; the first time after its installation, on a busy machine, it may not be there in time."""
        for _ in range(2):
            with suppress(RuntimeError):
                return str(self._call("POST", "/session", wanted)["sessionId"])
        return str(self._call("POST", "/session", wanted)["sessionId"])

    def _wait(self) -> None:
        for _ in range(200):
            try:
                self._call("GET", "/status")
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("chromedriver does not answer")

    def _call(self, verb: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=verb)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"]) from None

    def do(self, verb: str, path: str, body: Any = None) -> Any:
        """Send one command of this session."""
        return self._call(verb, self.session + path, body)

    def open(self, page: Path) -> None:
        self.do("POST", "/url", {"url": page.resolve().as_uri()})

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a function body in the page and return what it returns."""
        return self.do("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_and_wait(self, script: str, *arguments: Any) -> Any:
        """Run a function body whose last argument is a function, and return what that one is called with."""
        return self.do("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def prefer(self, scheme: str) -> None:
        """Show pages as for a reader who prefers 'light' or 'dark'."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        command = {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}}
        self.do("POST", "/goog/cdp/execute", command)

    def click(self, selector: str) -> None:
        """Bring the first element that matches into the middle of the window and click it with the mouse."""
        self.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", selector)
        found = self.do("POST", "/element", {"using": "css selector", "value": selector})
        self.do("POST", f"/element/{found[ELEMENT]}/click", {})

    def choose(self, selector: str, value: str) -> None:
        """Choose an option of a select, or set a field."""
        self.run(
            "const e = document.querySelector(arguments[0]); e.value = arguments[1];"
            "for (const name of ['input', 'change']) e.dispatchEvent(new Event(name, {bubbles: true}))",
            selector, value,
        )  # fmt: skip

    def press(self, *keys: str) -> None:
        """Press keys one after the other, by name or as text, wherever the focus is."""
        signs = "".join(KEYS.get(key, key) for key in keys)
        actions = [{"type": kind, "value": sign} for sign in signs for kind in ("keyDown", "keyUp")]
        self.do("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0]).innerText", selector))

    def size(self, width: int, height: int) -> None:
        self.do("POST", "/window/rect", {"width": width, "height": height})

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.do("GET", "/screenshot")))

    def errors(self) -> list[str]:
        """Return what the page wrote to the console since the last call."""
        return [entry["message"] for entry in self.do("POST", "/se/log", {"type": "browser"})]

    def close(self) -> None:
        try:
            self.do("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()
