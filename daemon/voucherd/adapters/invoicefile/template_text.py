"""An invoice's text read by a template: which one is for it, and what it then says (docs/invoice-templates.md).

Every pattern is RE2 and every row is looked at once per pattern: time grows with the text, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from voucherd.adapters.invoicefile.einvoice import RawDocument, RawLine
from voucherd.adapters.invoicefile.refusal import RefusedFileError
from voucherd.adapters.invoicefile.written_dates import WrittenDates
from voucherd.domain.dates import read_date
from voucherd.domain.reconciliation.amounts import exponent
from voucherd.domain.reconciliation.decimal_marks import WrittenDocument, decimal_mark
from voucherd.domain.reconciliation.invoice_template import InvoiceTemplate, LineRules
from voucherd.domain.reconciliation.totals import Stated
from voucherd.domain.reconciliation.written_amounts import WrittenAmount, read_written

_MEMORY: Final = 8 << 20
_MAX_MATCHES: Final = 200
_MAX_VALUE: Final = 200
_MAX_LINES: Final = 5_000
_BLANKS: Final = re.compile(r"\s+")
_GAPS: Final = re.compile(r"\s{3,}")
_RATE: Final = re.compile(r"(\d{1,3}(?:[.,]\d{1,4})?)\s*%?", re.ASCII)
_WHAT: Final = {
    "invoice": "number of the invoice",
    "date": "date of issue",
    "currency": "currency",
    "net": "total without tax",
    "tax": "total of the tax",
    "gross": "total with tax",
}


def template_for(
    pages: Sequence[str], templates: Iterable[InvoiceTemplate], supplier: str | None
) -> InvoiceTemplate | None:
    """The one template that is for this text, None where none is. RefusedFileError, which names them, where several
    are: their order never settles it."""
    text = "\n".join(pages)
    plain = _plain(text)
    claiming = [one for one in templates if _is_for(one, text, plain, supplier)]
    if len(claiming) > 1:
        names = " and ".join(f"{one.name} ({one.file})" for one in claiming)
        raise RefusedFileError(f"several templates claim the document: {names}")
    return claiming[0] if claiming else None


def read_by(template: InvoiceTemplate, pages: Sequence[str]) -> RawDocument:
    """What the text states. Raises RefusedFileError where something that the template asks for is missing, is there
    in several ways, or reads two ways."""
    try:
        return _Document(template, pages).read()
    except ValueError as error:
        raise RefusedFileError(f"by template {template.name}: {error}") from None


@dataclass(slots=True)
class _Line:
    """A line while its rows are gathered."""

    name: str
    net: str
    voucher: str
    tax: str = ""
    rate: str = ""
    rows: list[str] = field(default_factory=list)


class _Document:
    def __init__(self, template: InvoiceTemplate, pages: Sequence[str]) -> None:
        self._template = template
        self._rows = [row for page in pages for row in page.split("\n")]
        self._text = "\n".join(self._rows)

    def read(self) -> RawDocument:
        template = self._template
        currency = template.currency or self._field("currency").upper()
        exponent(currency)  # ValueError where it is none
        found = self._lines(template.lines) if template.lines else []
        if template.lines and not found:
            raise ValueError("no row of the text is a line of the invoice")
        named = [(f"line {line.name or at}", line) for at, line in enumerate(found, 1)]
        lines = [_amount(name, line.net, currency) for name, line in named]
        taxes = [
            _amount(f"{name}, its tax", line.tax, currency) if line.tax else None for name, line in named
        ]
        totals = {name: _amount(_WHAT[name], self._total(name), currency) for name in template.totals}
        mark = decimal_mark(
            WrittenDocument(lines, taxes=[one for one in taxes if one is not None], **totals),
            template.decimal_mark,
        )
        value = _values(mark, currency)
        return RawDocument(
            name="invoice",
            number=self._field("invoice"),
            kind="381" if template.credit and _compiled(template.credit).search(self._text) else "380",
            issued_on=_day(self._field("date"), template.locale),
            currency=currency,
            seller=template.supplier,
            lines=tuple(
                RawLine(
                    line.name,
                    value(net),
                    _words(line.rows),
                    priced=False,
                    voucher=line.voucher,
                    rate=_rate(line.rate),
                    tax=None if tax is None else value(tax),
                )
                for line, net, tax in zip(found, lines, taxes, strict=True)
            ),
            stated=Stated(**{name: value(one) for name, one in totals.items()}),
            words=_words(self._rows),
            itemised=template.lines is not None,
        )

    def _field(self, name: str) -> str:
        return self._one(_WHAT[name], self._template.fields[name], f"fields.{name}")

    def _total(self, name: str) -> str:
        return self._one(_WHAT[name], self._template.totals[name], f"totals.{name}")

    def _one(self, what: str, pattern: str, key: str) -> str:
        """The one value that a pattern finds, however often it stands there."""
        found: dict[str, str] = {}
        for number, match in enumerate(_compiled(pattern).finditer(self._text)):
            value = (match[1] or "").strip()
            if value:
                found.setdefault(_plain(value), value)
            if number >= _MAX_MATCHES:
                break
        if not found:
            raise ValueError(f"its {what} is not where the pattern {key} looks for it")
        first, *others = found.values()
        if others:
            raise ValueError(f"its {what} is stated in several ways: {first[:60]!r} and {others[0][:60]!r}")
        if len(first) > _MAX_VALUE:
            raise ValueError(f"its {what} has more than {_MAX_VALUE} characters; see the pattern {key}")
        return first

    def _lines(self, rules: LineRules) -> list[_Line]:
        pattern, skip = _compiled(rules.pattern), [_compiled(one) for one in rules.skip]
        groups = pattern.groupindex
        lines: list[_Line] = []
        for row in _section(self._rows, rules):
            if any(one.search(row) for one in skip):
                continue
            match = pattern.search(row)
            if match is not None:
                said = {name: (match[at] or "").strip() for name, at in groups.items()}
                tax, rate = said.get("tax", ""), said.get("rate", "")
                lines.append(_Line(said.get("line", ""), said["net"], said.get("voucher", ""), tax, rate))
            if lines:
                lines[-1].rows.append(row.strip())
            if len(lines) > _MAX_LINES:
                raise ValueError(f"it has more than {_MAX_LINES:,} lines")
        if rules.voucher:
            for line in lines:
                line.voucher = line.voucher or _voucher(line, _compiled(rules.voucher))
        return lines


def _section(rows: Sequence[str], rules: LineRules) -> Iterator[str]:
    """The rows in which lines stand: on every page anew between the two bounds."""
    inside = not rules.first_after
    for row in rows:
        if rules.first_after and _compiled(rules.first_after).search(row):
            inside = True
        elif rules.last_before and _compiled(rules.last_before).search(row):
            inside = False
        elif inside and row:
            yield row


def _voucher(line: _Line, pattern: Any) -> str:
    """The vouchers that the rows of a line name, as written; two that differ make the line ambiguous."""
    found = (match[1].strip() for row in line.rows for match in pattern.finditer(row) if match[1])
    return ", ".join(dict.fromkeys(found))


def _amount(what: str, text: str, currency: str) -> WrittenAmount:
    try:
        return read_written(text, currency)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def _rate(text: str) -> Decimal | None:
    """A percentage as written: `19 %`, `7,7`; ValueError for anything else than 0 to 100."""
    if not text:
        return None
    match = _RATE.fullmatch(text)
    rate = Decimal(match[1].replace(",", ".")) if match else None
    if rate is None or rate > 100:
        raise ValueError(f"{text[:40]!r} is no rate of tax in percent")
    return rate


def _values(mark: str, currency: str) -> Any:
    places = exponent(currency)
    return lambda amount: Decimal(amount.value(mark or None)).scaleb(-places)


def _day(text: str, locale: str) -> date:
    if not locale:
        try:
            return WrittenDates([text]).read(text)
        except ValueError as error:
            raise ValueError(f"its date: {error}; `locale` of the template may tell") from None
    found = read_date(text, locale).only
    if found is None:
        raise ValueError(f"its date {text[:60]!r} does not read one way in {locale}")
    return found


def _is_for(template: InvoiceTemplate, text: str, plain: str, supplier: str | None) -> bool:
    if template.supplier and supplier is not None and supplier != template.supplier:
        return False
    return (
        all(_plain(words) in plain for words in template.contains)
        and all(_compiled(one).search(text) for one in template.matches)
        and not any(_compiled(one).search(text) for one in template.lacks)
    )


def _words(rows: Iterable[str]) -> tuple[str, ...]:
    """Rows as words are looked for in them: columns stay apart, but not by the width of a page."""
    return tuple(shown for row in rows if (shown := _GAPS.sub("  ", row.strip())))


def _plain(text: str) -> str:
    """Text for comparing words: columns and line ends count as one blank."""
    return _BLANKS.sub(" ", text).strip()


@lru_cache(maxsize=2_000)
def _compiled(pattern: str) -> Any:
    """A pattern as the templates mean it: `^` and `$` are the ends of a row."""
    import re2

    options = re2.Options()
    options.max_mem, options.log_errors = _MEMORY, False
    return re2.compile(f"(?m){pattern}", options)
