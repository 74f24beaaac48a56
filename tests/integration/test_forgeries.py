"""Forged mail, end to end: none changes a voucher, none is answered, each lies in review with the reason.

The forger knows everything but the desk's border: it can write any header and any body, and own domains that
authenticate. What the border says of it stands on top, as real borders write it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.desks import VOUCHER_MAIL, TestDesk, results
from voucherd.adapters.reader.pool import WorkerPool

pytest_plugins = ["tests.reading_workers"]
VOUCHER, NEW = "DPS-83K2-99017", "DPS-66F0-13131"
SAM = "Sam Ortiz <sam@contoso.example>"
BORDER = "mx.desk.example"
PASS = f"{BORDER}; dmarc=pass header.from=contoso.example"
EVIL = results("evil.example")
RECEIVED = (
    "Received",
    f"from out.evil.example (out.evil.example [192.0.2.66]) by {BORDER} with ESMTPS id 66; "
    "Fri, 14 May 2021 10:00:00 +0200",
)
BEFORE = (
    "Received",
    "from pc.evil.example by out.evil.example with ESMTPA; Fri, 14 May 2021 09:59:00 +0200",
)
CLAIM = (
    VOUCHER_MAIL.format(voucher=VOUCHER)
    .replace("Adatum Corporation", "Evil Inc")
    .replace("5 days", "10 days")
)
FORGED = CLAIM + VOUCHER_MAIL.format(voucher=NEW)

Forged = tuple[TestDesk, list[dict[str, object]]]


@dataclass(frozen=True)
class Forgery:
    """A forged mail: its headers in order, and what the reason in review must say."""

    name: str
    headers: tuple[tuple[str, str], ...]
    reason: str
    code: str = "unauthenticated"
    body: str = FORGED
    content_type: str = 'text/plain; charset="utf-8"'

    @property
    def message_id(self) -> str:
        return self.name.replace(" ", "-") + "@evil.example"

    @property
    def content(self) -> bytes:
        lines = [
            *self.headers,
            ("To", "vouchers@desk.example"),
            ("Subject", "FW: A voucher was assigned to you"),
            ("Date", "Fri, 14 May 2021 09:58:00 +0200"),
            ("Message-ID", f"<{self.message_id}>"),
            ("MIME-Version", "1.0"),
            ("Content-Type", self.content_type),
        ]
        head = "".join(f"{name}: {value}\r\n" for name, value in lines)
        return f"{head}\r\n{self.body}".replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8")


def ar(value: str) -> tuple[str, str]:
    return ("Authentication-Results", value)


def arc(number: int, sealer: str, found: str, cv: str = "none") -> tuple[tuple[str, str], ...]:
    return (
        ("ARC-Seal", f"i={number}; a=rsa-sha256; t=1; cv={cv}; d={sealer}; s=x; b=AAAA"),
        ("ARC-Message-Signature", f"i={number}; a=rsa-sha256; d={sealer}; s=x; h=from; bh=AA; b=AAAA"),
        ("ARC-Authentication-Results", f"i={number}; mx.{sealer}; {found}"),
    )


FROM = ("From", SAM)
NOTHING = results("contoso.example", "fail")
OUTER = 'multipart/mixed; boundary="outer"'
INSIDE = (
    "--outer\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n--outer\r\nContent-Type: message/rfc822\r\n\r\n"
    f"Authentication-Results: {PASS}\r\nFrom: {SAM}\r\nSubject: A voucher was assigned to you\r\n"
    f"Message-ID: <inner@contoso.example>\r\n\r\n{FORGED}\r\n--outer--\r\n"
)

FORGERIES = [
    Forgery("forged from", (NOTHING, RECEIVED, FROM), "dmarc=fail for contoso.example"),
    Forgery("no results at all", (RECEIVED, FROM), f"no Authentication-Results by {BORDER}"),
    Forgery(
        "foreign results on top",
        (ar("mx.evil.example; dmarc=pass header.from=contoso.example"), NOTHING, RECEIVED, FROM),
        "dmarc=fail for contoso.example",
    ),
    Forgery("our name forged below ours", (NOTHING, RECEIVED, BEFORE, ar(PASS), FROM), "dmarc=fail"),
    Forgery(
        "our name below the border that said nothing",
        (RECEIVED, BEFORE, ar(PASS), FROM),
        "below our own border",
    ),
    Forgery(
        "our name in another case",
        (ar(PASS.replace(BORDER, "MX.Desk.Example")), RECEIVED, FROM),
        "the case differs, a forgery",
    ),
    Forgery(
        "a name that begins like ours", (ar(PASS.replace(BORDER, f"{BORDER}.evil.example")), FROM), "no Auth"
    ),
    Forgery(
        "aligned spf for another domain",
        (
            ar(f"{BORDER}; spf=pass smtp.mailfrom=x@evil.example; dmarc=fail header.from=contoso.example"),
            FROM,
        ),
        "spf=pass for evil.example",
    ),
    Forgery(
        "dkim for another domain beside dmarc fail",
        (ar(f"{BORDER}; dkim=pass header.d=evil.example; dmarc=fail header.from=contoso.example"), FROM),
        "dkim=pass for evil.example",
    ),
    Forgery("dmarc pass for another domain", (EVIL, RECEIVED, FROM), "dmarc=pass for evil.example"),
    Forgery(
        "homoglyph domain",
        (results("xn--contso-sof.example"), RECEIVED, ("From", "Sam <sam@contоso.example>")),
        "mixes scripts (CYRILLIC, LATIN)",
    ),
    Forgery(
        "homoglyph domain as an a label",
        (results("xn--contso-sof.example"), RECEIVED, ("From", "Sam <sam@xn--contso-sof.example>")),
        "mixes scripts",
    ),
    Forgery(
        "a domain of digits that look like letters",
        (results("c0nt0so.example"), RECEIVED, ("From", "Sam <sam@mail.c0nt0so.example>")),
        "dmarc=pass for c0nt0so.example",
    ),
    Forgery(
        "a lookalike that authenticates",
        (results("c0nt0so.example"), RECEIVED, ("From", "Sam <sam@c0nt0so.example>")),
        "c0nt0so.example is made to look like contoso.example",
    ),
    Forgery(
        "a lookalike of the programme",
        (results("rnicrosoft.com"), RECEIVED, ("From", "Planning Services <no-reply@rnicrosoft.com>")),
        "made to look like microsoft.com",
    ),
    Forgery(
        "two from headers", (results("contoso.example"), FROM, ("From", "x@evil.example")), "from 2 addresses"
    ),
    Forgery("two addresses in one from", (EVIL, ("From", f"x@evil.example, {SAM}")), "from 2 addresses"),
    Forgery(
        "group syntax", (results("contoso.example"), ("From", "Partners: sam@contoso.example;")), "or a group"
    ),
    Forgery(
        "an encoded address as the name",
        (EVIL, RECEIVED, ("From", "=?utf-8?q?sam=40contoso=2Eexample?= <x@evil.example>")),
        "shows the address sam@contoso.example as a name",
    ),
    Forgery(
        "an encoded word as the address",
        (EVIL, RECEIVED, ("From", "=?utf-8?b?c2FtQGNvbnRvc28uZXhhbXBsZQ==?=@evil.example")),
        "encoded word",
    ),
    Forgery(
        "an encoded null byte behind the address",
        (EVIL, ("From", "=?utf-8?b?c2FtQGNvbnRvc28uZXhhbXBsZQ==?==?utf-8?q?=00?=@evil.example")),
        "encoded word",
    ),
    Forgery(
        "a comment with another address",
        (EVIL, RECEIVED, ("From", "x@evil.example (sam@contoso.example)")),
        "shows the address sam@contoso.example as a name",
    ),
    Forgery(
        "a display name with another address",
        (EVIL, RECEIVED, ("From", '"sam@contoso.example" <x@evil.example>')),
        "shows the address sam@contoso.example as a name",
    ),
    Forgery(
        "a display name with a full width sign",
        (EVIL, RECEIVED, ("From", '"sam＠contoso.example via desk" <x@evil.example>')),
        "shows the address sam@contoso.example as a name",
    ),
    Forgery(
        "words behind the address",
        (results("contoso.example"), ("From", "<sam@contoso.example> <x@evil.example>")),
        "from 2 addresses",
    ),
    Forgery(
        "a comment with a pass",
        (
            ar(f"{BORDER}; dmarc=fail (dmarc=pass header.from=contoso.example) header.from=contoso.example"),
            FROM,
        ),
        "dmarc=fail for contoso.example",
    ),
    Forgery(
        "a quoted string with a pass",
        (ar(f'{BORDER}; spf=pass smtp.mailfrom="; dmarc=pass header.from=contoso.example; x"'), FROM),
        "no dmarc result",
    ),
    Forgery(
        "an open comment hides what follows",
        (ar(f"{BORDER}; dmarc=pass (header.from=contoso.example"), FROM),
        "malformed",
    ),
    Forgery(
        "results folded into another header",
        (NOTHING, RECEIVED, ("X-Note", f"x\r\n Authentication-Results: {PASS}"), FROM),
        "dmarc=fail",
    ),
    Forgery(
        "the name folded onto the next line",
        (ar(f"mx.evil.example;\r\n {PASS}"), NOTHING, RECEIVED, FROM),
        "dmarc=fail",
    ),
    Forgery(
        "results in the body",
        (RECEIVED, FROM),
        "no Authentication-Results",
        body=f"Authentication-Results: {PASS}\r\n\r\n{FORGED}",
    ),
    Forgery(
        "results in an attached message",
        (RECEIVED, FROM),
        "no Authentication-Results",
        body=INSIDE,
        content_type=OUTER,
    ),
    Forgery(
        "arc of nobody we know",
        (
            ar(f"{BORDER}; arc=pass; dmarc=fail header.from=contoso.example"),
            *arc(1, "evil.example", "dmarc=pass header.from=contoso.example"),
            FROM,
        ),
        "evil.example, which is no configured sealer",
    ),
    Forgery(
        "arc of a trusted name that our border found broken",
        (
            ar(f"{BORDER}; arc=fail; dmarc=fail header.from=contoso.example"),
            *arc(1, "lists.example", "dmarc=pass header.from=contoso.example"),
            FROM,
        ),
        "arc: fail",
    ),
    Forgery(
        "arc that our border did not look at",
        (NOTHING, *arc(1, "lists.example", "dmarc=pass header.from=contoso.example"), FROM),
        "arc: no result",
    ),
    Forgery(
        "a trusted set below one of the forger",
        (
            ar(f"{BORDER}; arc=pass; dmarc=fail header.from=contoso.example"),
            *arc(2, "evil.example", "dmarc=fail header.from=contoso.example", "pass"),
            *arc(1, "lists.example", "dmarc=pass header.from=contoso.example"),
            FROM,
        ),
        "set 2 was sealed by evil.example",
    ),
    Forgery(
        "arc that saw another sender",
        (
            ar(f"{BORDER}; arc=pass; dmarc=fail header.from=contoso.example"),
            *arc(1, "lists.example", "dmarc=pass header.from=evil.example"),
            FROM,
        ),
        "no configured ARC sealer recorded dmarc=pass for contoso.example",
    ),
    Forgery(
        "a signed mail sent on by another",
        (results("contoso.example"), RECEIVED, ("Resent-From", "x@evil.example"), FROM),
        "sent on by another",
    ),
    Forgery(
        "a sender header beside it", (NOTHING, RECEIVED, ("Sender", "x@evil.example"), FROM), "dmarc=fail"
    ),
    Forgery(
        "an answer goes elsewhere", (NOTHING, RECEIVED, FROM, ("Reply-To", "x@evil.example")), "dmarc=fail"
    ),
    Forgery("no from at all", (results("contoso.example"), RECEIVED), "the mail has no From address"),
    Forgery(
        "a null byte in a header",
        (ar(f"{PASS}"), ("From", "sam@contoso.example\x00@evil.example")),
        "NUL",
        code="unreadable",
    ),
    Forgery(
        "a bare carriage return in a header",
        (("From", f"x@evil.example\rAuthentication-Results: {PASS}"),),
        "bare carriage return",
        code="unreadable",
    ),
]


@pytest.fixture(scope="module")
def forged(
    tmp_path_factory: pytest.TempPathFactory, workers: WorkerPool
) -> Iterator[tuple[TestDesk, list[dict[str, object]]]]:
    """A desk that knows one voucher, and has read every forgery in one pass, with its ledger before that. dkim, spf and
    one ARC sealer are accepted as well: whatever an operator can allow is allowed."""
    made = TestDesk(
        tmp_path_factory.mktemp("desk"),
        workers=workers,
        mailbox='accept = ["dmarc", "dkim", "spf"]\narc_sealers = ["lists.example"]\n',
    )
    try:
        genuine = Forgery(
            "genuine", (results("contoso.example"), FROM), "", body=VOUCHER_MAIL.format(voucher=VOUCHER)
        )
        made.put(genuine.content)
        made.run("2021-05-14T09:00")
        before = made.vouchers()
        made.put(*(one.content for one in FORGERIES))
        made.run("2021-05-14T10:00")
        yield made, before
    finally:
        made.close()


@pytest.fixture
def desk(forged: Forged) -> TestDesk:
    """The desk alone."""
    return forged[0]


def test_every_forgery_was_taken_in(desk: TestDesk) -> None:
    assert len({one.name for one in FORGERIES}) == len(FORGERIES) >= 15
    assert len(desk.reviews()) == len(FORGERIES)


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda one: one.name)
def test_a_forgery_lies_in_review_with_its_reason(desk: TestDesk, forgery: Forgery) -> None:
    row = desk.message(forgery.content)
    (entry,) = [entry for entry in desk.reviews() if entry.message == row.id]

    assert (row.outcome.value, entry.code.value) == ("review", forgery.code), entry.reason
    assert forgery.reason in entry.reason


def test_no_forgery_changed_a_voucher(forged: Forged) -> None:
    desk, before = forged

    assert [voucher["id"] for voucher in before] == [VOUCHER]
    assert desk.vouchers() == before


def test_no_forgery_was_answered(desk: TestDesk) -> None:
    assert [(mail.kind, mail.to) for mail in desk.mails()] == [("receipt", ("sam@contoso.example",))]
    assert len(desk.sent) == 1


def test_a_trusted_sealer_that_saw_the_sender_pass_is_believed(
    tmp_path_factory: pytest.TempPathFactory, workers: WorkerPool
) -> None:
    desk = TestDesk(
        tmp_path_factory.mktemp("arc"), workers=workers, mailbox='arc_sealers = ["lists.example"]\n'
    )
    headers = (
        ar(f"{BORDER}; arc=pass (i=1); dmarc=fail header.from=contoso.example"),
        *arc(1, "lists.example", "dmarc=pass header.from=contoso.example"),
        FROM,
    )
    try:
        desk.put(Forgery("arc", headers, "", body=VOUCHER_MAIL.format(voucher=VOUCHER)).content)
        desk.run()

        assert [voucher["id"] for voucher in desk.vouchers()] == [VOUCHER]
    finally:
        desk.close()
