"""Vouchers in spreadsheets: the table that a sheet holds, row by row, by the words above its columns.

A row that cannot be read is never passed over: it is named with its number. A sheet with a status for each voucher
is the export of the programme's validation tool (DOMAIN.md, "What the mails look like").
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from voucherd.domain.dates import read_date
from voucherd.domain.forward_words import label_key
from voucherd.domain.identifiers import shown_id
from voucherd.domain.message import Candidate
from voucherd.domain.recognition import Recognised, Recogniser
from voucherd.domain.sheets import LOST_DIGITS, Export, ExportRow, Sheet
from voucherd.domain.text_lines import lines_of
from voucherd.domain.voucher_ids import ids_at
from voucherd.domain.voucher_labels import VOUCHER_ID

AVAILABLE, RESERVED = "available", "reserved"
STATUS = "status"
NUMBER_NOTE = "a number in the spreadsheet, leading zeros may be missing"
_HEADER_WITHIN = 30
_MAX_FAULTS = 1_000
_MAX_LIST = 1_000  # rows of a list that is no export; an export is read to its end
_FACTS = (
    "customer",
    "customer_admin",
    "offering",
    "days",
    "country",
    "created_on",
    "assigned_on",
    "expires_on",
)
_NUMERIC_DATE = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2\d{4}", re.ASCII)
_BRACKETS = re.compile(r"[(\[]")


def _keys(*words: str) -> frozenset[str]:
    return frozenset(label_key(word) for text in words for word in text.split("|"))


_HEADINGS: Mapping[str, frozenset[str]] = {
    STATUS: _keys(
        "Status|State|Voucher status|Availability|Voucher state|상태|상품권 상태|바우처 상태|Gutscheinstatus|Zustand",
        "Statut|État|Estado|Estado del vale|状態|ステータス|状态|狀態|Stav|Stato|Stan|Tila|Állapot|Durum|Статус|Стан",
    ),
    "customer_admin": _keys(
        "Customer administrator|Administrator|Admin|Admin email|Administrator email|Benefits administrator",
        "Customer contact|Customer email|Voucher administrator|Assigned to|관리자|관리자 이메일|고객 담당자|담당자",
        "Administrator des Kunden|Ansprechpartner|Zugewiesen an|Administrateur|Administrador|管理者|管理员",
    ),
}
_CREATED = _keys(
    "Created on|Created|Creation date|Date created|생성 날짜|생성일|만든 날짜|Erstellt am|Erstellungsdatum|Créé le",
    "Date de création|Creado el|Fecha de creación|作成日|创建日期|建立日期|Criado em|Creato il|Utworzono",
)
_STATUSES: Mapping[str, frozenset[str]] = {
    AVAILABLE: _keys(
        "Available|Assigned|Created|Active|Open|Unreserved|Not reserved|Issued|사용 가능|할당됨|생성됨|Verfügbar",
        "Zugewiesen|Erstellt|Offen|Disponible|Attribué|Asignado|利用可能|割り当て済み|可用|已分配|Dostupný|Disponibile",
        "Disponível|Beschikbaar|Dostępny|Tillgänglig|Tilgængelig|Tilgjengelig|Доступен|Доступно",
    ),
    RESERVED: _keys(
        "Reserved|예약됨|예약|예약 완료|Reserviert|Réservé|Reservado|予約済み|予約済|已预订|已保留|已預約|Rezervovaný",
        "Rezervováno|Riservato|Prenotato|Gereserveerd|Zarezerwowany|Reserverad|Reserveret|Reservert|Зарезервирован",
    ),
}
_AMOUNTS = _keys(
    "Price|Unit price|Total|Currency|Tax|VAT|Preis|Summe|Währung|금액|공급가액|세액|합계|청구서 번호|통화|Prix|Precio",
    "金額|税額|請求書番号|通貨|金额|发票|发票号码|币种",
)
_AMOUNT_WORDS = _keys(
    "Amount|Net|Gross|Invoice|Betrag|Netto|Brutto|Rechnung|Rechnungsnummer|Montant|Facture|Importe|Factura"
)


@dataclass(frozen=True, slots=True)
class _Column:
    fact: str
    languages: tuple[str, ...]
    heading: str


@dataclass(frozen=True, slots=True)
class _Table:
    """A table under its headings: columns by their place, then its rows, each a number, an offset and cells."""

    columns: Mapping[int, _Column]
    rows: Sequence[tuple[int, int, list[str]]]
    is_invoice: bool

    def place(self, fact: str) -> int | None:
        return next((at for at, column in self.columns.items() if column.fact == fact), None)


def read_sheet(sheet: Sheet, words: Recogniser) -> Recognised:
    """The candidates of a sheet, its doubtful rows as problems; nothing where it is an invoice's."""
    table = _table(sheet, words)
    if table is not None and table.is_invoice:
        return Recognised()
    part = f"attachment {sheet.name}"
    lines = lines_of(sheet.text)
    found = words.text(lines[:_MAX_LIST], part)
    problems = list(found.problems)
    if len(lines) > _MAX_LIST:
        problems.append(f"{part}: more than {_MAX_LIST:,} rows: take it in with `voucherd import`")
    if table is not None:
        rows = table.rows[:_MAX_LIST]
        faults = [(number, _id_fault(cells, table)) for number, _, cells in rows]
        problems += [f"{part}: row {number}: {fault}" for number, fault in faults if fault][:20]
    candidates = tuple(
        replace(one, rule=f"{one.rule}; {NUMBER_NOTE}")
        if one.fact == VOUCHER_ID and _is_number(sheet, one.start)
        else one
        for one in found.candidates
    )
    return Recognised(candidates, tuple(dict.fromkeys(problems)), found.languages)


def export_of(sheet: Sheet, words: Recogniser, *, needs_status: bool = True) -> Export | None:
    """The sheet as an export of available and reserved vouchers; None where its columns do not say so.

    Without `needs_status` (an operator says that it is one) a row of a sheet that has no status is reserved where
    it has a day of reservation.
    """
    table = _table(sheet, words)
    if table is None or table.is_invoice or (needs_status and table.place(STATUS) is None):
        return None
    rows: list[ExportRow] = []
    faults: list[tuple[int, str]] = []
    settled = _settled_orders(table)
    for number, start, cells in table.rows:
        made = _row(table, number, cells, words, settled)
        if isinstance(made, str):
            faults.append((number, made))
        else:
            at = table.place(VOUCHER_ID) or 0
            offset = start + sum(len(cell) + 1 for cell in cells[:at])
            rows.append(replace(made, is_number=_is_number(sheet, offset)))
        if len(faults) >= _MAX_FAULTS:
            faults.append((number, "too many rows that cannot be read: the rest is not looked at"))
            break
    return Export(sheet.name, tuple(rows), tuple(faults))


def named_in(exports: Sequence[Export]) -> Recognised:
    """The vouchers that exports name, the first thousand, as candidates: what they state of each is in their rows."""
    rows = [(one.name, row) for one in exports for row in one.rows][:_MAX_LIST]
    return Recognised(
        tuple(
            Candidate(VOUCHER_ID, row.voucher, row.voucher, f"attachment {name}", f"row {row.number}", block)
            for block, (name, row) in enumerate(rows)
        )
    )


def _is_number(sheet: Sheet, offset: int) -> bool:
    at = bisect_left(sheet.numbers, offset)
    return at < len(sheet.numbers) and sheet.numbers[at] == offset


def _table(sheet: Sheet, words: Recogniser) -> _Table | None:
    lines = sheet.text.split("\n")
    for index, line in enumerate(lines[:_HEADER_WITHIN]):
        cells = line.split("\t")
        columns = _columns(cells, words)
        if len(columns) >= 2 and any(one.fact == VOUCHER_ID for one in columns.values()):
            is_invoice = any(_is_amount(_heading(cell)) for cell in cells)
            return _Table(columns, _rows_below(lines, index), is_invoice)
    return None


def _is_amount(heading: str) -> bool:
    """Whether a column is one of an invoice: `Net amount EUR`, `Rechnungsnummer`."""
    return label_key(heading) in _AMOUNTS or any(label_key(word) in _AMOUNT_WORDS for word in heading.split())


def _rows_below(lines: list[str], header: int) -> list[tuple[int, int, list[str]]]:
    offset = sum(len(line) + 1 for line in lines[: header + 1])
    rows = []
    for number, line in enumerate(lines[header + 1 :], start=header + 2):
        if line.strip():
            rows.append((number, offset, line.split("\t")))
        offset += len(line) + 1
    return rows


def _columns(cells: list[str], words: Recogniser) -> dict[int, _Column]:
    found: dict[int, _Column] = {}
    for at, cell in enumerate(cells):
        column = _column(cell, words) if cell.strip() else None
        if column is None:
            continue
        twin = next((place for place, one in found.items() if one.fact == column.fact), None)
        if twin is None:
            found[at] = column
        elif (
            column.fact == "assigned_on"
        ):  # created and assigned beside each other: the vocabulary joins them
            created = at if label_key(column.heading) in _CREATED else twin
            found[at] = column
            found[created] = replace(found[created], fact="created_on")
    return found


def _column(cell: str, words: Recogniser) -> _Column | None:
    heading = _heading(cell)
    key = label_key(heading)
    for fact, known in _HEADINGS.items():
        if key in known:
            return _Column(fact, (), heading)
    label = words.words.label_of(heading)
    return _Column(label.fact, label.languages, heading) if label is not None and label.at < 0 else None


def _heading(cell: str) -> str:
    return _BRACKETS.split(cell.strip(), maxsplit=1)[0].strip(" :")[:80]


def _id_fault(cells: list[str], table: _Table) -> str:
    """Why the row's cell for the ID holds none; empty where it holds one."""
    text = _cell(cells, table.place(VOUCHER_ID))
    if text.startswith(LOST_DIGITS):
        return "the voucher ID is a number that lost digits: keep the column as text"
    if not text:
        return "no voucher ID"
    read = ids_at(text, whole=True)
    return "" if len(read.found) == 1 and not read.problem else f'"{text[:40]}" is no voucher ID'


def _cell(cells: list[str], at: int | None) -> str:
    return cells[at].strip() if at is not None and at < len(cells) else ""


def _row(
    table: _Table, number: int, cells: list[str], words: Recogniser, settled: Mapping[int, str]
) -> ExportRow | str:
    """The row, or why it cannot be read."""
    fault = _id_fault(cells, table)
    if fault:
        return fault
    status = _cell(cells, table.place(STATUS))
    known = next((name for name, forms in _STATUSES.items() if label_key(status) in forms), None)
    if table.place(STATUS) is None:
        known = RESERVED if _cell(cells, table.place("reserved_on")) else AVAILABLE
    if known is None:
        return f'the status "{status[:40]}" is neither available nor reserved'
    facts: dict[str, str] = {}
    for at, column in table.columns.items():
        text = _cell(cells, at)
        if not text or column.fact in (VOUCHER_ID, STATUS, "partner"):
            continue
        value, fault = _value(column, text, words, settled.get(at, ""))
        if fault:
            return fault
        facts[column.fact] = value
    reserved_on = facts.pop("reserved_on", "")
    return ExportRow(
        number=number,
        voucher=shown_id(ids_at(_cell(cells, table.place(VOUCHER_ID)), whole=True).found[0][0]),
        status=known,
        facts={name: value for name, value in facts.items() if name in (*_FACTS, "engagement_on")},
        partner=_cell(cells, table.place("partner")),
        reserved_on=reserved_on,
    )


def _value(column: _Column, text: str, words: Recogniser, order: str) -> tuple[str, str]:
    """What a cell says, normalised, and why it cannot be read."""
    if column.fact.endswith("_on"):
        return _day(column, text, order)
    if column.fact == "days":
        number = re.search(r"\d{1,6}", text)
        if number is None or not 1 <= int(number[0]) <= 99:
            return "", f'{column.heading} "{text[:40]}" is no number of days from 1 to 99'
        return str(int(number[0])), ""
    if column.fact == "customer_admin":
        return (text.casefold(), "") if "@" in text else ("", f'{column.heading} "{text[:40]}" is no address')
    return (words.offering(text) if column.fact == "offering" else text[:200]), ""


def _day(column: _Column, text: str, order: str) -> tuple[str, str]:
    languages = (order,) if order else column.languages or ("",)
    reading = read_date(text, languages[0], also=tuple(languages[1:]))
    if len(reading.candidates) == 1:
        return reading.candidates[0].isoformat(), ""
    shown = " or ".join(day.isoformat() for day in reading.candidates)
    why = f"can be read as {shown}" if shown else f"cannot be read: {reading.why}"
    return "", f'{column.heading} "{text[:40]}" {why}'


def _settled_orders(table: _Table) -> dict[int, str]:
    """Columns of dates like 5/28/2021, where one row shows for all which of day and month comes first."""
    settled: dict[int, str] = {}
    for at, column in table.columns.items():
        if not column.fact.endswith("_on"):
            continue
        seen = set()
        for _, _, cells in table.rows:
            match = _NUMERIC_DATE.fullmatch(_cell(cells, at))
            if match is not None and match[2] != ".":
                first, second = int(match[1]), int(match[3])
                seen |= {"en-GB"} if first > 12 else {"en-US"} if second > 12 else set()
        if len(seen) == 1:
            settled[at] = seen.pop()
    return settled
