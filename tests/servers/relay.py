"""A TCP relay between a client and a server on loopback, which can cut what it carries."""

from __future__ import annotations

import contextlib
import select
import socket
import threading

_CHUNK = 65_536


class Relay:
    """Listens on `port` (a free one where none is named) and carries every connection to `target`; `close` ends it."""

    def __init__(self, target: int, port: int = 0) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._flowing = threading.Event()
        self._flowing.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Ends every connection that stands, in both directions; new ones are carried again."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for end in (end for pair in pairs for end in pair):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def freeze(self) -> None:
        """Carries nothing any more, and ends nothing either: both ends hear silence."""
        self._flowing.clear()

    def close(self) -> None:
        """Cuts, and takes no more connections."""
        self._flowing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target), timeout=10)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            with self._lock:
                self._pairs.append((near, far))
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with near, far, contextlib.suppress(OSError):
            while True:
                readable, _, _ = select.select([near, far], [], [])
                for end in readable:
                    data = end.recv(_CHUNK)
                    self._flowing.wait()
                    if not data:
                        return
                    (far if end is near else near).sendall(data)
