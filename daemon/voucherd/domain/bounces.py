"""Reports about a mail of ours: what became of it (RFC 3464), who complains of it (RFC 5965), and those that say
the same in plain words only (`bounce_texts`).

Nothing here is believed for its own sake: a report changes no voucher, and counts only where it is tied to a mail
of ours (PROMISES.md, Rules of an automated mailer).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from voucherd.domain import bounce_texts
from voucherd.domain.automatic import first_word
from voucherd.domain.bounce_texts import Fate
from voucherd.domain.message import Attachment, ParsedMail

_STATUS = ("message/delivery-status", "message/global-delivery-status")
_HEADERS = ("text/rfc822-headers", "message/global-headers", "message/rfc822-headers")
_FEEDBACK = "message/feedback-report"
_RECEIPT = ("message/disposition-notification", "message/global-disposition-notification")
_MOST_BYTES = 256 * 1024
_MOST_RECIPIENTS = 100
_LONGEST_FIELD = 4_000
_SHOWN = 300
_FATES = {"failed": Fate.FAILED, "delayed": Fate.DELAYED}
_FATES |= {
    "expired": Fate.FAILED,
    "failure": Fate.FAILED,
    "deferred": Fate.DELAYED,
}  # not RFC 3464, but written
_FATES |= dict.fromkeys(("delivered", "relayed", "expanded"), Fate.DELIVERED)
_DAEMONS = ("mailer-daemon", "mail-daemon", "maildaemon", "postmaster")


class ReportKind(StrEnum):
    """What a report is about: what became of a mail, or that its recipient calls it abuse."""

    DELIVERY = "bounce"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True)
class Affected:
    """One recipient of a report: `addresses` by which the report calls it (the final one, the original one), what
    became of the mail, the enhanced status code (RFC 3463) and the words of the server that refused it."""

    addresses: tuple[str, ...]
    fate: Fate
    status: str = ""
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A report and what it may be tied by: `envelope_id` as we gave it (RFC 3461), `message_ids` of the returned
    mail, bare, the surest first, `sent_from` the envelope senders that it shows. `rule` says how it was known."""

    kind: ReportKind
    rule: str
    affected: tuple[Affected, ...]
    envelope_id: str = ""
    message_ids: tuple[str, ...] = ()
    sent_from: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Affected, ...]:
        """The recipients whom the mail will never reach: `delayed` is not `failed` (RFC 3464, 2.3.3)."""
        return tuple(one for one in self.affected if one.fate is Fate.FAILED)


def report_of(mail: ParsedMail) -> Report | None:
    """The report that `mail` is; None where it is none. A report that somebody forwards is none."""
    if first_word(mail.first("content-type")) == "multipart/report":
        complaint = _attached(mail, (_FEEDBACK,))
        if complaint is not None:
            return _complaint(mail, complaint)
        if _attached(mail, _RECEIPT) is not None:
            return None  # a read receipt (RFC 8098): automatic, and about nothing that went wrong
        status = _attached(mail, _STATUS)
        if status is not None:
            return _by_fields(mail, status)
    return _by_words(mail)


def _by_fields(mail: ParsedMail, status: Attachment) -> Report:
    blocks = _blocks(status.content)
    about = blocks[0] if blocks else {}
    affected = [_recipient(block) for block in blocks[1 : _MOST_RECIPIENTS + 1]]
    if not affected and "action" in about:  # all in one block, as some servers write it
        affected = [_recipient(about)]
    fates = ", ".join(sorted({one.fate.value for one in affected})) or "of nobody"
    return Report(
        ReportKind.DELIVERY,
        f"delivery report: {fates} (RFC 3464)",
        tuple(affected),
        envelope_id=_typed(about.get("original-envelope-id", "")).strip("<>"),
        message_ids=_returned_ids(mail),
        sent_from=_returned_senders(mail),
    )


def _recipient(block: dict[str, str]) -> Affected:
    status = first_word(block.get("status", ""))
    action = first_word(block.get("action", ""))
    fate = _FATES.get(action)
    if fate is None:
        fate = {"5": Fate.FAILED, "4": Fate.DELAYED, "2": Fate.DELIVERED}.get(status[:1], Fate.UNKNOWN)
    shown = (_address(block.get(name, "")) for name in ("final-recipient", "original-recipient"))
    addresses = tuple(dict.fromkeys(address for address in shown if address))
    return Affected(addresses, fate, status, _typed(block.get("diagnostic-code", ""))[:_SHOWN])


def _complaint(mail: ParsedMail, feedback: Attachment) -> Report:
    fields = {name: value for block in reversed(_blocks(feedback.content)) for name, value in block.items()}
    kind = first_word(fields.get("feedback-type", "")) or "unnamed"
    recipients = [_address(fields.get(name, "")) for name in ("original-rcpt-to", "removal-recipient")]
    # `not-spam` and reports about authentication (RFC 6591) are no complaint about us
    fate = (
        Fate.FAILED if kind in ("abuse", "fraud", "other", "virus", "opt-out", "complaint") else Fate.UNKNOWN
    )
    senders = (fields.get("original-mail-from", "").strip().strip("<>").lower(), *_returned_senders(mail))
    return Report(
        ReportKind.COMPLAINT,
        f"complaint: {kind} (RFC 5965)",
        (Affected(tuple(address for address in recipients if address), fate),),
        envelope_id=fields.get("original-envelope-id", "").strip().strip("<>"),
        message_ids=_returned_ids(mail),
        sent_from=tuple(sender for sender in senders if sender),
    )


def _by_words(mail: ParsedMail) -> Report | None:
    evidence = _machine(mail)
    if not evidence:
        return None
    text = mail.text if mail.text.strip() else mail.html
    found = bounce_texts.read(mail.subject, text)
    named = [_address(value) for line in mail.all("x-failed-recipients") for value in line.split(",")]
    addresses = tuple(dict.fromkeys(address for address in (*named, *found.addresses) if address))
    if found.fate is Fate.UNKNOWN or not addresses:
        return None
    return Report(
        ReportKind.DELIVERY,
        f"delivery report in words: {found.fate} ({evidence})",
        (Affected(addresses[:_MOST_RECIPIENTS], found.fate, found.status, found.diagnostic[:_SHOWN]),),
        message_ids=tuple(dict.fromkeys((*_returned_ids(mail), *found.message_ids, *_answered(mail)))),
        sent_from=_returned_senders(mail),
    )


def _machine(mail: ParsedMail) -> str:
    """What shows that a mail system wrote this: a person may quote every word of a bounce."""
    if any(value.strip() == "<>" for value in mail.all("return-path")):
        return "null return-path"
    for sender in mail.from_:
        local = sender.addr.partition("@")[0]
        if local in _DAEMONS:
            return f"from {local}"
    for header in ("x-failed-recipients", "x-ms-exchange-message-is-ndr"):
        if mail.all(header):
            return header
    return ""


def _attached(mail: ParsedMail, kinds: tuple[str, ...]) -> Attachment | None:
    return next((one for one in mail.attachments if one.media_type in kinds), None)


def _blocks(content: bytes) -> list[dict[str, str]]:
    """Groups of fields between empty lines (RFC 3464, 2.1), names lower-cased, folded lines joined, the first of a
    name counts."""
    blocks: list[dict[str, str]] = [{}]
    name = ""
    for line in content[:_MOST_BYTES].decode("utf-8", "replace").splitlines():
        if not line.strip():
            if blocks[-1]:
                blocks.append({})
            name = ""
        elif line[0] in " \t":
            if name and len(blocks[-1][name]) < _LONGEST_FIELD:
                blocks[-1][name] = f"{blocks[-1][name]} {line.strip()}"
        else:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            if name in blocks[-1]:
                name = ""
            else:
                blocks[-1][name] = value.strip()
    return blocks if blocks[-1] else blocks[:-1]


def _returned_ids(mail: ParsedMail) -> tuple[str, ...]:
    ids = [child.message_id for child in mail.children]
    for attachment in mail.attachments:
        if attachment.media_type in _HEADERS:
            ids.extend(block.get("message-id", "").strip("<> ") for block in _blocks(attachment.content)[:1])
    return tuple(dict.fromkeys(one for one in ids if one))


def _returned_senders(mail: ParsedMail) -> tuple[str, ...]:
    """The envelope sender as the returned mail shows it (RFC 5321 section 4.4)."""
    found = [value for child in mail.children for value in child.all("return-path")]
    for attachment in mail.attachments:
        if attachment.media_type in _HEADERS:
            found.extend(block.get("return-path", "") for block in _blocks(attachment.content)[:1])
    return tuple(dict.fromkeys(one.strip().strip("<>").lower() for one in found if one.strip("<> ")))


def _answered(mail: ParsedMail) -> list[str]:
    """Gmail and Exchange name the returned mail as what their report answers."""
    shown = f"{mail.first('in-reply-to')} {mail.first('references')}"
    return shown.replace("<", " ").replace(">", " ").split()[:20]


def _typed(value: str) -> str:
    """The value of a field without its type: `smtp; 550 5.1.1 …`, `rfc822; sam@…` (RFC 3464, 2.1.2)."""
    kind, semicolon, rest = value.partition(";")
    return " ".join((rest if semicolon and kind.strip().replace("-", "").isalnum() else value).split())


def _address(value: str) -> str:
    shown = _typed(value).partition(" ")[0].strip("<>").lower()
    return shown if "@" in shown and len(shown) <= 254 else ""
