"""Synthetic voucher mails of about 6 KB: forwards as Outlook and Gmail write them, the same for the same number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

SIZE = 6_000
_FIRST = datetime(2021, 5, 3, 8, 0, tzinfo=UTC)
_OFFERINGS = ("SDPS", "DDPS", "AZUDPS", "SQLDPS")
_NOTE = (
    "Please let us know which consultant will come, and whether the workshop can be held on our premises. "
)
_OUTLOOK = """\
From: Software Assurance Benefits <sabenefits@microsoft.com>
Sent: {sent_outlook}
To: {admin_name} <{admin}>
Subject: A voucher was assigned to you
"""
_GMAIL = """\
---------- Forwarded message ---------
From: Software Assurance Benefits <sabenefits@microsoft.com>
Date: {sent_gmail}
Subject: A voucher was assigned to you
To: {admin_name} <{admin}>
"""
_FACTS = (
    ("Voucher number", "{voucher}"),
    ("Organization", "{customer}"),
    ("Service", "{offering}"),
    ("Length", "{days} days"),
    ("Created on", "{assigned}"),
    ("Valid until", "{expires}"),
)
_MAIL = """\
Return-Path: <{admin}>
Authentication-Results: mx.desk.example; dkim=pass header.d={domain}; spf=pass smtp.mailfrom={domain}; \
dmarc=pass header.from={domain}
Received: from out.{domain} (out.{domain} [192.0.2.25]) by mx.desk.example with ESMTPS id {number:08};
 {forwarded}
Received: from smtp.{domain} (smtp.{domain} [192.0.2.26]) by out.{domain} with ESMTPS id b{number:08};
 {forwarded}
Received: from desktop.{domain} (desktop.{domain} [192.0.2.27]) by smtp.{domain} with ESMTPSA id c{number:08};
 {forwarded}
From: {admin_name} <{admin}>
To: Voucher desk <vouchers@desk.example>
Subject: {prefix} A voucher was assigned to you
Date: {forwarded}
Message-ID: <{number:08}.forward@{domain}>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="=_{number:08}"

--=_{number:08}
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: 8bit

{text}
--=_{number:08}
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: 8bit

{html}
--=_{number:08}--
"""


def voucher_mail(number: int) -> bytes:
    """The mail that hands in the voucher with this number, with CRLF line ends."""
    facts = _values(number)
    head = (_GMAIL if number % 2 else _OUTLOOK).format(**facts)
    lines = [f"{label}: {value.format(**facts)}" for label, value in _FACTS]
    padding = _NOTE * 8
    text = f"Hello,\n\nhere is the next voucher.\n\n{facts['admin_name']}\n\n{head}\n" + "\n".join(lines)
    text += f"\n\n{padding}\n"
    rows = "".join(f"<tr><td>{label}</td><td>{value.format(**facts)}</td></tr>\n" for label, value in _FACTS)
    header = "".join(f"{line.replace('<', '&lt;').replace('>', '&gt;')}<br>\n" for line in head.splitlines())
    html = f"<html><body><p>Hello,</p><p>here is the next voucher.</p><p>{facts['admin_name']}</p>\n<hr>\n"
    html += f"<div>{header}</div>\n<table>\n{rows}</table>\n<p>{padding}</p>\n</body></html>"
    prefix = "Fwd:" if number % 2 else "FW:"
    mail = _MAIL.format(number=number, prefix=prefix, text=text, html=html, **facts)
    filler = max(0, SIZE - len(mail) - mail.count("\n") - len("<!--  -->"))
    return mail.replace("</body>", f"<!-- {'x' * filler} --></body>").replace("\n", "\r\n").encode()


def voucher_mails(count: int) -> Iterator[bytes]:
    """The mails with the numbers from 1 to `count`."""
    return (voucher_mail(number) for number in range(1, count + 1))


def _values(number: int) -> dict[str, str]:
    sent = _FIRST + timedelta(minutes=number % 100_000)
    domain = f"customer{number % 500}.example"
    return {
        "voucher": f"DPS-{number:06}-{number * 7919 % 100_000:05}",
        "customer": f"Customer {number % 500} AG",
        "admin_name": f"Administrator {number % 500}",
        "admin": f"admin@{domain}",
        "domain": domain,
        "offering": _OFFERINGS[number % len(_OFFERINGS)],
        "days": str((1, 3, 5, 10)[number % 4]),
        "assigned": f"{sent:%B} {sent.day}, {sent.year}",
        "expires": f"{sent + timedelta(days=180):%B %d, %Y}",
        "sent_outlook": f"{sent:%A, %B} {sent.day}, {sent.year} {sent:%I:%M %p}",
        "sent_gmail": f"{sent:%a, %b} {sent.day}, {sent.year} at {sent:%I:%M %p}",
        "forwarded": format_datetime(sent + timedelta(hours=3)),
    }
