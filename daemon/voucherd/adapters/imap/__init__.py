"""Mailboxes over IMAP (RFC 3501), by imapclient, over verified TLS only."""

from __future__ import annotations

from voucherd.adapters.imap.mailbox import ImapMailbox

__all__ = ["ImapMailbox"]
