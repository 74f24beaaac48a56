"""What kind of mail a message is: a voucher mail, a notice about a voucher, an invoice, an answer, or none of these.

By its content alone; who sent it, and whether they may, is decided elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from voucherd.domain.forwards import subject_prefixes
from voucherd.domain.message import ParsedMail

ASSIGNED, INVOICE, REPLY, OTHER = "assigned", "invoice", "reply", "other"
EXPORT = "export"
"""The export of a programme's validation tool: a spreadsheet of available and reserved vouchers."""
_SHEETS = (".csv", ".tsv", ".xlsx", ".ods", ".pdf", ".xml", ".zip", ".p7m")
_LISTS = (".csv", ".tsv", ".xlsx", ".ods")
_REMITTANCES = (
    *("remittance", "payment status", "payment advice", "payment report", "zahlungsavis", "zahlungsstatus"),
    *("avis de paiement", "statut du paiement", "aviso de pago", "estado del pago", "지급 통지", "지급 상태"),
    *("支払通知", "支払状況", "付款通知", "付款状态"),
)
_INVOICE_WORDS = frozenset(
    (
        *(
            "invoice",
            "invoices",
            "inv",
            "bill",
            "credit",
            "creditnote",
            "remittance",
            "rechnung",
            "rechnungen",
        ),
        *(
            "gutschrift",
            "facture",
            "factures",
            "avoir",
            "factura",
            "facturas",
            "fattura",
            "fatura",
            "faktura",
        ),
        *(
            "fakturu",
            "faktuur",
            "creditnota",
            "lasku",
            "számla",
            "fatura",
            "arve",
            "račun",
            "рахунок",
            "счет",
        ),
        *(
            "счёт",
            "청구서",
            "송장",
            "세금계산서",
            "인보이스",
            "請求書",
            "インボイス",
            "发票",
            "發票",
            "账单",
            "ubl",
        ),
    )
)
_NO_SPACES = ("청구서", "송장", "세금계산서", "인보이스", "請求書", "インボイス", "发票", "發票")
_WORD = re.compile(r"[^\W\d_]+")
_LEAD_LINES = 8
_LEAD_LENGTH = 300


def notice_kind(texts: Iterable[str], phrases: Sequence[tuple[str, str]]) -> str:
    """The kind of notice that one of the texts announces, the first text first; empty where none does.

    `phrases` are kinds with their words in the form of `plain`.
    """
    for text in texts:
        shown = plain(text[:_LEAD_LENGTH])
        for kind, phrase in phrases:
            if phrase in shown:
                return kind
    return ""


def plain(text: str) -> str:
    """Text in the form in which phrases are compared: NFKC, lower-cased, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace("’", "'").split())


def lead_of(lines: Sequence[str]) -> list[str]:
    """The first lines that say something: where a notice says what it is about."""
    return [line for line in lines if line][:_LEAD_LINES]


def is_answer(mail: ParsedMail) -> bool:
    """Whether the message answers another (RFC 5322, 3.6.4)."""
    return bool(mail.first("in-reply-to") or mail.first("references"))


def quotes_by_headers(mail: ParsedMail) -> bool:
    """Whether an answer holds the answered mail below header lines, as Outlook does, and is no forward."""
    return is_answer(mail) and subject_prefixes(mail.subject)[0][:1] == ["reply"]


def looks_like_invoice(mail: ParsedMail) -> bool:
    """Whether a file that may be an invoice, or a list of what was paid, came with words that say so: its name, the
    subject, the first lines."""
    sheets = [attachment.name for attachment in mail.attachments if attachment.name.lower().endswith(_SHEETS)]
    if not sheets:
        return False
    said = (*sheets, mail.subject, *lead_of((mail.text or mail.html)[:4_000].splitlines()))
    listed = any(name.lower().endswith(_LISTS) for name in sheets)
    return any(
        _says_invoice(text[:_LEAD_LENGTH]) or (listed and _says_remittance(text[:_LEAD_LENGTH]))
        for text in said
    )


def _says_remittance(text: str) -> bool:
    shown = plain(text).replace("_", " ").replace("-", " ")
    return any(phrase in shown for phrase in _REMITTANCES)


def _says_invoice(text: str) -> bool:
    shown = plain(text)
    return bool(_INVOICE_WORDS.intersection(_WORD.findall(shown))) or any(
        word in shown for word in _NO_SPACES
    )
