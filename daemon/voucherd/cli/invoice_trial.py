"""`voucherd reconcile --dry-run FILE…`: what invoice files say, with nothing recorded and no store needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from voucherd.cli.context import Context, plain, print_json, print_table
from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.amounts import format_amount
from voucherd.domain.reconciliation.document import InvoiceDocument, InvoiceLine
from voucherd.domain.reconciliation.remittances import ReadDocument, RemittanceAdvice, RemittanceRow
from voucherd.errors import ExitStatus, OperatorError


def trial(
    context: Context, files: Sequence[Path], partner: str | None, *, as_json: bool, with_text: bool
) -> int:
    """Reads each file as if it were handed in, and shows what was understood; exit 1 where one would go to review."""
    from voucherd.service.invoice_files import UNREADABLE, read_file

    if not files:
        raise OperatorError("there is no file to try", remedy="name one: voucherd reconcile --dry-run FILE")
    shown = []
    for path in files:
        if not path.is_file():
            raise OperatorError(f"there is no file {path}")
        content = path.read_bytes()
        read = read_file(context.app.invoice_readers, path.name, "", content, partner)
        if read is None:
            read = Unreadable(f"{path.name}: no reader understands it", UNREADABLE)
        pages = context.app.pdf_text(path.name, content) if with_text else ()
        shown.append(_file(path, read, pages if isinstance(pages, tuple) else ()))
    if as_json:
        print_json(shown)
    else:
        for one in shown:
            _page(one)
    return ExitStatus.LOOK if any(one["reason"] for one in shown) else ExitStatus.DONE


def _file(path: Path, read: Sequence[ReadDocument] | Unreadable, pages: Sequence[str]) -> dict[str, Any]:
    refused = read if isinstance(read, Unreadable) else None
    found = () if isinstance(read, Unreadable) else read
    return {
        "file": str(path),
        "code": refused.code if refused else None,
        "reason": refused.reason if refused else None,
        "documents": [_document(one) for one in found if isinstance(one, InvoiceDocument)],
        "payments": [_payment(row) for one in found if isinstance(one, RemittanceAdvice) for row in one.rows],
        "text": list(pages),
    }


def _document(document: InvoiceDocument) -> dict[str, Any]:
    totals = document.totals
    stated = {} if totals is None else {"net": totals.net, "tax": totals.tax, "gross": totals.gross}
    return {
        "kind": document.kind,
        "invoice": document.invoice,
        "issued_on": document.issued_on.isoformat(),
        "supplier": document.supplier,
        "currency": document.currency,
        "total": None if document.total is None else format_amount(document.total, document.currency),
        "totals": {
            name: None if amount is None else format_amount(amount, document.currency)
            for name, amount in stated.items()
        },
        "template": document.template or None,
        "lines": [_line(one) for one in document.lines],
    }


def _payment(row: RemittanceRow) -> dict[str, Any]:
    return {
        "row": row.row,
        "status": row.status.value,
        "voucher_text": row.voucher_text,
        "invoice": row.invoice,
        "on": row.on.isoformat() if row.on else None,
        "amount": None if row.amount is None else format_amount(row.amount, row.currency),
        "currency": row.currency or None,
        "reference": row.reference,
        "submitted_on": row.submitted_on.isoformat() if row.submitted_on else None,
        "reason": row.reason,
    }


def _line(line: InvoiceLine) -> dict[str, Any]:
    return {
        "line": line.line,
        "voucher_text": line.voucher_text,
        "perhaps": list(line.perhaps),
        "net": format_amount(line.net, line.currency),
        "tax": None if line.tax is None else format_amount(line.tax, line.currency),
        "currency": line.currency,
    }


def _page(one: dict[str, Any]) -> None:
    for number, text in enumerate(one["text"], 1):
        click.echo(plain(f"{one['file']}, page {number}, as templates see it:"))
        for row in text.split("\n"):
            click.echo(plain(f"  | {row}"))
    if one["reason"]:
        why = one["reason"].removeprefix(f"{Path(one['file']).name}: ")
        click.echo(plain(f"{one['file']}: {why} ({one['code']})"))
    if one["payments"]:
        print_table(
            ("row", "status", "voucher as written", "invoice", "on", "amount", "submitted on", "reference"),
            [
                (
                    each["row"],
                    each["status"],
                    each["voucher_text"],
                    each["invoice"],
                    each["on"],
                    None if each["amount"] is None else f"{each['amount']} {each['currency']}",
                    each["submitted_on"],
                    each["reference"],
                )
                for each in one["payments"]
            ],
            "",
        )
    for document in one["documents"]:
        by = f", by template {document['template']}" if document["template"] else ""
        who = f" of {document['supplier']}" if document["supplier"] else ""
        head = f"{document['kind']} {document['invoice']}{who}, issued on {document['issued_on']}{by}"
        click.echo(plain(f"{one['file']}: {head}"))
        stated = {**document["totals"], "net": document["total"]}
        sums = ", ".join(f"{name} {amount}" for name, amount in stated.items() if amount is not None)
        click.echo(plain(f"  {sums} {document['currency']}"))
        print_table(
            ("line", "voucher as written", "net", "tax"),
            [
                (
                    line["line"],
                    line["voucher_text"] or "; ".join(f"perhaps {each}" for each in line["perhaps"]),
                    f"{line['net']} {line['currency']}",
                    line["tax"],
                )
                for line in document["lines"]
            ],
            "  no lines",
        )
