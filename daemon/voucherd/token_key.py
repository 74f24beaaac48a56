"""The key behind Message-IDs and reply tokens, where none is configured: made at first start, beside the store."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from voucherd.belonging import make_folder
from voucherd.durable import sync_folder, write_new

if TYPE_CHECKING:
    from voucherd.settings import Settings

_KEY_BYTES = 32


def key_path(settings: Settings, url: str | None = None) -> Path:
    """Where the key lies that was made at first start: beside the store (beside the archive where the store is a
    server); `url` for another store than the configured one."""
    from sqlalchemy import make_url

    store = make_url(url or settings.store.url)
    at_file = store.get_backend_name() == "sqlite" and store.database
    return (Path(str(store.database)).parent if at_file else settings.store.archive.parent) / "secret.key"


def own_key(settings: Settings) -> bytes:
    """The key beside the store, mode 0600; made where there is none."""
    path = key_path(settings)
    make_folder(path.parent)
    if not path.exists():
        _make_key(path)
    return path.read_bytes()


def _make_key(path: Path) -> None:
    """A key under its final name is whole, and of two programs that make one at once, one key stands."""
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        write_new(unfinished, secrets.token_hex(_KEY_BYTES).encode())
        with suppress(FileExistsError):
            path.hardlink_to(unfinished)
        # a key that a power loss took would be made anew, and no answer to a mail would fit
        sync_folder(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)
