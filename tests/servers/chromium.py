"""A real browser without a window, driven over a pipe (Chrome DevTools Protocol): what a person would see of a page.

It starts with an empty profile and no way to the network; whatever a page asks for all the same is recorded.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.servers.process import ServerFailedError, find_program

_PATIENCE = 30.0
_SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-default-apps", "--disable-extensions", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio", "--font-render-hinting=none",
    "--disable-lcd-text", "--force-color-profile=srgb", "--proxy-server=127.0.0.1:9", "--remote-debugging-pipe",
)  # fmt: skip


class Chromium:
    """A browser with one page. `requested` are the addresses that the pages asked the network for."""

    def __init__(self) -> None:
        program = find_program("chromium", "chromium")
        self.requested: list[str] = []
        self._profile = Path(tempfile.mkdtemp(prefix="voucherd-chromium-"))
        self._log = self._profile / "log"
        their_in, self._out = os.pipe()
        self._in, their_out = os.pipe()
        command = f'exec "$0" "$@" 3<&{their_in} 4>&{their_out}'
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "bash",
                    "-c",
                    command,
                    program,
                    *_SWITCHES,
                    f"--user-data-dir={self._profile}/data",
                    "about:blank",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(their_in, their_out),
                env={"PATH": os.environ["PATH"], "HOME": str(self._profile), "LANG": "C.UTF-8", "TZ": "UTC"},
                start_new_session=True,
            )
        os.close(their_in)
        os.close(their_out)
        self._buffer = bytearray()
        self._number = 0
        self._session = ""
        pages = [one for one in self._call("Target.getTargets")["targetInfos"] if one["type"] == "page"]
        attached = self._call("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self._call(f"{domain}.enable")
        self._frame = self._call("Page.getFrameTree")["frameTree"]["frame"]["id"]

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._out)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._in)
        shutil.rmtree(self._profile, ignore_errors=True)

    def show(self, html: str, *, width: int, dark: bool) -> None:
        """Shows a page on a screen that is so many CSS pixels wide, in the light or dark mode of the system."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=300,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", media="screen", features=[scheme])
        self._call("Page.setDocumentContent", frameId=self._frame, html=html)

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression in the page that is shown; a promise is waited for."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise ServerFailedError(f"the page's script failed: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def screenshot(self) -> bytes:
        """The whole page that is shown, as PNG."""
        size = self.evaluate("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}
        shot = self._call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def _call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("method") == "Network.requestWillBeSent":
                url = answer["params"]["request"]["url"]
                if not url.startswith(("data:", "about:")):
                    self.requested.append(url)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise ServerFailedError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def _next(self) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self._in, 1 << 20) if ready else b""
            if not piece:
                why = "ended" if ready else f"said nothing for {_PATIENCE:.0f} s"
                raise ServerFailedError(
                    f"chromium {why}; it logged:\n{self._log.read_text('utf-8', 'replace')[-2000:]}"
                )
            self._buffer += piece
        message, _, rest = bytes(self._buffer).partition(b"\0")
        self._buffer = bytearray(rest)
        answer: dict[str, Any] = json.loads(message)
        return answer
