"""Amounts as integers in minor units of their ISO 4217 currency; never floats.

Text of the machine's own form only (`1250.00`); what people write is read by `written_amounts`.
"""

from __future__ import annotations

import re

_NONE = """
BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
"""
_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK
HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR
MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP
SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER
ZAR ZMW ZWG ZWL
"""
_THREE = """
BHD IQD JOD KWD LYD OMR TND
"""
EXPONENTS: dict[str, int] = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_NONE.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
    "CLF": 4,
    "UYW": 4,
}
"""Decimals of each currency (ISO 4217, list one; HRK, SLL and ZWL for the years of the programmes)."""

MAX_DIGITS = 15
"""Digits of an amount, minor units included: far above any invoice, and sums of millions stay in 64 bits."""

_PLAIN = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,4}))?", re.ASCII)


def exponent(currency: str) -> int:
    """Decimals of `currency`; ValueError where ISO 4217 does not know the code."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise ValueError(f"{currency!r} is not a currency of ISO 4217") from None


def minor_units(whole: str, decimals: str, currency: str) -> int:
    """Digits before and after the mark as minor units; ValueError where the currency has fewer decimals.

    Zeros beyond the currency's decimals are taken (`5000.00 JPY`): they change nothing.
    """
    places = exponent(currency)
    if decimals[places:].strip("0"):
        raise ValueError(f"more decimals than {currency} has ({places})")
    digits = (whole or "0") + decimals[:places].ljust(places, "0")
    if len(digits.lstrip("0")) > MAX_DIGITS:
        raise ValueError(f"more than {MAX_DIGITS} digits")
    return int(digits)


def parse_amount(text: str, currency: str) -> int:
    """`1250.00` as minor units of `currency`; ValueError for anything else."""
    match = _PLAIN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an amount like 1250.00")
    amount = minor_units(match[2], match[3] or "", currency)
    return -amount if match[1] else amount


def format_amount(amount: int, currency: str) -> str:
    """Minor units as text with the currency's decimals: `1250.00`, `-0.05`, `5000` for JPY."""
    places = exponent(currency)
    if not places:
        return str(amount)
    digits = str(abs(amount)).rjust(places + 1, "0")
    return f"{'-' if amount < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def money(amount: int, currency: str) -> str:
    """An amount for people and logs: `1250.00 EUR`."""
    return f"{format_amount(amount, currency)} {currency}"


def spread(amount: int, weights: list[int]) -> list[int]:
    """`amount` divided in proportion to `weights`, exactly, by largest remainder (RECONCILIATION.md, payment).

    The parts add up to `amount` to the minor unit; among equal remainders the earlier part gets the unit.
    ValueError where the weights are negative or add up to nothing.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("an amount is spread over weights that are not negative and not all 0")
    size = abs(amount)
    parts = [size * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: -(size * weights[at] % whole))
    for at in by_remainder[: size - sum(parts)]:
        parts[at] += 1
    return [-part for part in parts] if amount < 0 else parts
