"""Connects to the outside as configured: mailboxes that are read, and the way out for mail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

from voucherd.service.ports import Delivery, Mailbox, TokenSource
from voucherd.settings import sections as tables
from voucherd.settings.endpoint import Tls

Secret: TypeAlias = Callable[[], str] | TokenSource
"""What a sign-in is made with: a password, or OAuth2's tokens."""
SecretOf: TypeAlias = Callable[[str, tables.Mailbox | tables.Delivery], Secret]


def delivery_over(delivery: tables.Delivery, secret_of: SecretOf) -> Delivery | None:
    """A fresh way out for mail; None where none is configured."""
    url = delivery.url
    if url is None:
        return None
    if url.scheme == "maildir":
        from voucherd.adapters.maildir_delivery import MaildirDelivery

        return MaildirDelivery(url.path)
    from voucherd.adapters.smtp import SmtpDelivery

    tls: dict[Tls, Literal["starttls", "implicit", "off"]] = {Tls.IMPLICIT: "implicit", Tls.OFF: "off"}
    return SmtpDelivery(
        url.host,
        url.port,
        user=url.user or None,
        password=secret_of("delivery", delivery) if url.user else None,
        tls=tls.get(url.tls, "starttls"),
        ca_file=delivery.ca_file,
    )


def mailbox_at(mailbox: tables.Mailbox, secret_of: SecretOf) -> Mailbox:
    """A fresh connection to one mailbox, not yet opened."""
    url, folders = mailbox.url, (mailbox.processed, mailbox.review)
    if url.scheme == "maildir":
        from voucherd.adapters.maildir import MaildirMailbox

        return MaildirMailbox(mailbox.name, Path(url.path), folders=folders)
    from voucherd.adapters.imap import ImapMailbox

    return ImapMailbox(
        mailbox.name,
        url.host,
        url.port,
        url.user,
        secret_of(mailbox.name, mailbox),
        tls="implicit" if url.tls is Tls.IMPLICIT else "starttls",
        ca_file=mailbox.ca_file,
        folder=url.path,
        folders=folders,
    )
