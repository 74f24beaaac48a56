"""Folder names as the server spells them (RFC 2342: separator, namespace prefix), made where missing."""

from __future__ import annotations

import imaplib
from typing import Any

from voucherd.adapters.imap.answers import code_of, is_no
from voucherd.errors import PermanentError


def check_name(name: str, where: str) -> str:
    """The configured folder name, where nothing in it could end a command; otherwise PermanentError."""
    if not name or any(ord(char) < 0x20 or ord(char) == 0x7F for char in name):
        raise PermanentError(
            f"the folder name {name!r} is empty or holds a control character",
            where=where,
            remedy="correct it in the configuration",
        )
    return name


class Folders:
    """The personal namespace: turns configured names into the server's, and makes missing folders."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._prefix, self._separator = _namespace(client)
        self._present: set[str] = set()

    def spelt(self, name: str) -> str:
        """`Vouchers/Processed` as the server spells it, as `INBOX.Vouchers.Processed`."""
        if name.upper() == "INBOX" or (self._prefix and name.startswith(self._prefix)):
            return name
        return self._prefix + name.replace("/", self._separator or "/")

    def ensure(self, name: str, *, anew: bool = False) -> str:
        """The server's name of a folder that exists from now on; asked once a connection, or `anew`."""
        spelt = self.spelt(name)
        if spelt in self._present and not anew:
            return spelt
        if not self._exists(spelt):
            self._make(spelt)
        self._present.add(spelt)
        return spelt

    def _exists(self, spelt: str) -> bool:
        try:
            self._client.folder_status(spelt, ["UIDVALIDITY"])
        except imaplib.IMAP4.error as error:
            if is_no(error):
                return False
            raise
        return True

    def _make(self, spelt: str) -> None:
        try:
            self._client.create_folder(spelt)
        except imaplib.IMAP4.error as error:
            if not is_no(error) or code_of(error) != "ALREADYEXISTS":
                raise
        try:
            self._client.subscribe_folder(spelt)
        except imaplib.IMAP4.error as error:
            if not is_no(error):  # a folder that is not subscribed is a folder all the same
                raise


def _namespace(client: Any) -> tuple[str, str]:
    if client.has_capability("NAMESPACE"):
        personal = client.namespace().personal
        if personal:
            prefix, separator = personal[0]
            return prefix, separator or ""
    listed = client.list_folders("", "")
    separator = listed[0][1] if listed else b""
    return "", (separator or b"").decode("ascii")
