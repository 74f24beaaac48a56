"""Amounts as people write them: `1,234.56`, `1.234,56`, `1 234,56`, `(12.00)`, `12.00-`, `12.00 CR`.

Strict: ASCII digits in a form that is a number somewhere, or nothing. What reads two ways (`2,780`) stays open until
the other amounts beside it show which mark stands before the decimals; nothing is guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from voucherd.domain.reconciliation.amounts import EXPONENTS, exponent, minor_units

MAX_LENGTH = 40
"""Characters of a written amount."""

POINT, COMMA = ".", ","

_MINUS = dict.fromkeys(map(ord, "‐‑‒–−﹣"), "-") | dict.fromkeys(map(ord, "’‘`´"), "'")
# Every alternative fixes its length class by class: no pattern can backtrack over more than 40 characters.
_BODIES = {
    POINT: re.compile(
        r"([0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"
        r"|[1-9][0-9]{0,2}(?: [0-9]{3})+|[1-9][0-9]{0,2}(?:'[0-9]{3})+)(?:\.([0-9]+))?",
        re.ASCII,
    ),
    COMMA: re.compile(
        r"([0-9]+|[1-9][0-9]{0,2}(?:\.[0-9]{3})+"
        r"|[1-9][0-9]{0,2}(?: [0-9]{3})+|[1-9][0-9]{0,2}(?:'[0-9]{3})+)(?:,([0-9]+))?",
        re.ASCII,
    ),
}
_GROUPS = re.compile(r"[,. ']")
_DOLLARS = frozenset(code for code in EXPONENTS if code.endswith("D")) | {"ARS", "CLP", "COP", "MXN"}
_SYMBOLS: dict[str, frozenset[str]] = {
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP", "EGP", "GIP", "SHP", "FKP"}),
    "US$": frozenset({"USD"}),
    "R$": frozenset({"BRL"}),
    "$": _DOLLARS,
    "¥": frozenset({"JPY", "CNY"}),
    "円": frozenset({"JPY"}),
    "元": frozenset({"CNY"}),
    "₩": frozenset({"KRW"}),
    "원": frozenset({"KRW"}),
    "₹": frozenset({"INR"}),
    "Kč": frozenset({"CZK"}),
    "zł": frozenset({"PLN"}),
    "kr": frozenset({"SEK", "DKK", "NOK", "ISK"}),
}


@dataclass(frozen=True, slots=True)
class WrittenAmount:
    """One amount with what it says under either decimal mark: digits before and after it, None where it cannot.

    `text` is as written, `sign` 1 or -1.
    """

    text: str
    currency: str
    sign: int
    point: tuple[str, str] | None
    comma: tuple[str, str] | None

    @property
    def open(self) -> bool:
        """Whether it reads two ways."""
        return self.point is not None and self.comma is not None and self.point != self.comma

    @property
    def shows(self) -> str | None:
        """The decimal mark that the amount proves by its form, None where it proves neither."""
        if self.point is not None and self.comma is not None:
            return None
        return POINT if self.comma is None else COMMA

    def value(self, mark: str | None = None) -> int:
        """Minor units, with `mark` before the decimals where the amount is open.

        ValueError where it is open and no mark is given, and where it has more decimals than its currency.
        """
        if self.open and mark is None:
            raise ValueError(f"{self.text!r} reads two ways")
        said = self.comma if self.point is None or (mark == COMMA and self.comma is not None) else self.point
        if said is None:
            raise ValueError(f"{self.text!r} is not an amount")
        try:
            return self.sign * minor_units(said[0], said[1], self.currency)
        except ValueError as error:
            raise ValueError(f"{self.text!r} has {error}") from None


def read_written(text: str, currency: str) -> WrittenAmount:
    """Reads one amount that is in `currency`; ValueError with the reason where it is none.

    A currency written beside the digits must be the same. Three digits behind a single mark read two ways, except
    in a currency without decimals.
    """
    places = exponent(currency)
    if len(text) > MAX_LENGTH:
        raise ValueError("too long for an amount")
    sign, body = _unsigned(unicodedata.normalize("NFKC", text).translate(_MINUS).strip(), text, currency)
    said: dict[str, tuple[str, str] | None] = {}
    for mark, pattern in _BODIES.items():
        match = pattern.fullmatch(body)
        said[mark] = None if match is None else (_GROUPS.sub("", match[1]), match[2] or "")
    if places == 0 and None not in said.values():
        said = {mark: digits for mark, digits in said.items() if digits and not digits[1]} or said
    point, comma = said.get(POINT), said.get(COMMA)
    if point is None and comma is None:
        raise ValueError(f"{text!r} is not an amount")
    return WrittenAmount(text, currency, sign, point, comma)


def read_money(text: str) -> tuple[int, str]:
    """An amount with its currency beside it, `5.000,00 EUR`: minor units and the code.

    ValueError where it is none, where the currency is not told by its code or a mark of its own, or where it reads
    two ways.
    """
    shown = unicodedata.normalize("NFKC", text[: MAX_LENGTH + 1]).strip()
    codes = {code for code in (shown[:3].upper(), shown[-3:].upper()) if code in EXPONENTS}
    for symbol, meant in _SYMBOLS.items():
        if not codes and len(meant) == 1 and (shown.startswith(symbol) or shown.endswith(symbol)):
            codes = set(meant)
    if len(codes) != 1:
        raise ValueError(f"{text[:MAX_LENGTH]!r} names no currency")
    (code,) = codes
    return read_written(text, code).value(), code


def _unsigned(rest: str, text: str, currency: str) -> tuple[int, str]:
    """The sign and the digits with their marks, without currency, brackets, `CR` and `DR`; one sign at most."""
    if rest[:1].isdigit() and rest[-1:].isdigit():
        return 1, rest
    signs = 0
    sign = 1
    while True:
        rest = rest.strip()
        stripped, found = _without_sign(rest)
        if found:
            signs, sign = signs + 1, found
        else:
            stripped = _without_currency(rest, text, currency)
        if stripped == rest:
            break
        rest = stripped
    if signs > 1:
        raise ValueError(f"{text!r} has several signs")
    return sign, rest


def _without_sign(rest: str) -> tuple[str, int]:
    if rest.startswith("(") and rest.endswith(")"):
        return rest[1:-1], -1
    if rest[:1] in ("-", "+"):
        return rest[1:], -1 if rest[0] == "-" else 1
    if rest[-1:] in ("-", "+"):
        return rest[:-1], -1 if rest[-1] == "-" else 1
    if rest[-2:].upper() in ("CR", "DR") and not rest[-3:-2].isalpha():
        return rest[:-2], -1 if rest[-2:].upper() == "CR" else 1
    return rest, 0


def _without_currency(rest: str, text: str, currency: str) -> str:
    head, tail = rest[:3].upper(), rest[-3:].upper()
    found: tuple[str, frozenset[str]] | None = None
    if head in EXPONENTS:
        found = rest[3:], frozenset({head})
    elif tail in EXPONENTS:
        found = rest[:-3], frozenset({tail})
    else:
        for symbol, codes in _SYMBOLS.items():
            if rest.startswith(symbol):
                found = rest[len(symbol) :], codes
            elif rest.endswith(symbol):
                found = rest[: -len(symbol)], codes
            if found is not None:
                break
    if found is None:
        return rest
    if currency not in found[1]:
        raise ValueError(f"{text!r} is not in {currency}")
    return found[0]


def marks_shown(amounts: Iterable[WrittenAmount]) -> frozenset[str]:
    """The decimal marks that the amounts prove by their forms."""
    return frozenset(amount.shows for amount in amounts if amount.shows is not None)
