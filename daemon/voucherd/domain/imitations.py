"""Domains and names that are made to be read as somebody else's (Unicode TS 39, confusables)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

from voucherd.domain.domain_names import ascii_form, shown_form
from voucherd.domain.message import Address

_PAIRS: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"))
# What a reader takes for a Latin letter: digits, letters of other scripts, and Latin letters with a twist.
_READ_AS: Final = str.maketrans(
    {
        **dict.fromkeys("1i|ıìíîïіӏιɩǀ", "l"),
        **dict.fromkeys("0оοօ", "o"),
        **dict.fromkeys("аαɑ", "a"),
        **dict.fromkeys("еєɛε", "e"),
        **dict.fromkeys("сϲ", "c"),
        **dict.fromkeys("рρ", "p"),
        **dict.fromkeys("ѕ5", "s"),
        **dict.fromkeys("уγ", "y"),
        **dict.fromkeys("хχ", "x"),
        **dict.fromkeys("кκ", "k"),
        **dict.fromkeys("тτ", "t"),
        **dict.fromkeys("нһհ", "h"),
        **dict.fromkeys("вß", "b"),
        **dict.fromkeys("мʍ", "m"),
        **dict.fromkeys("ηпո", "n"),
        **dict.fromkeys("υս", "u"),
        **dict.fromkeys("νѵ", "v"),
        **dict.fromkeys("ԁɖ", "d"),
        **dict.fromkeys("ɡցգ", "g"),
        "ј": "j",
        "ԛ": "q",
        "ԝ": "w",
        "-": None,
    }
)


def skeleton(domain: str) -> str:
    """What a reader sees: the domain without marks, hyphens, and the differences between letters that look alike."""
    shown = unicodedata.normalize("NFKD", shown_form(domain))
    bare = "".join(char for char in shown if not unicodedata.combining(char)).casefold().translate(_READ_AS)
    for pair, one in _PAIRS:
        bare = bare.replace(pair, one)
    return bare


def skeletons(domains: frozenset[str]) -> dict[str, str]:
    """The domains that are known, by what a reader sees of them."""
    return {skeleton(domain): domain for domain in sorted(domains)}


def resembles(domain: str, known: frozenset[str], seen: Mapping[str, str]) -> str:
    """The known domain that `domain` is made to look like; empty where it is one itself, below one, or like none.

    `seen` is what `skeletons` made of `known`. Every parent of two labels or more is compared as well:
    `mail.c0ntoso.example` looks like a host of contoso.example.
    """
    plain = (ascii_form(domain) or domain).lower()
    labels = plain.split(".")
    above = [".".join(labels[at:]) for at in range(max(1, len(labels) - 1))]
    if any(parent in known for parent in above):
        return ""
    return next((seen[skeleton(parent)] for parent in above if skeleton(parent) in seen), "")


def names_another(sender: Address) -> str:
    """The address of another domain that the display name shows; empty where it shows none.

    `"ceo@contoso.example" <x@evil.example>`: mail programmes show the name and hide the address.
    """
    shown = unicodedata.normalize("NFKC", sender.name).lower()
    for word in shown.translate(_BLANKS).split():
        local, at, domain = word.strip(".:!").partition("@")
        domain = domain.strip(".:!")
        if at and local and "." in domain and not _same_or_below(domain, sender.domain):
            return f"{local}@{domain}"
    return ""


_BLANKS: Final = str.maketrans(dict.fromkeys("<>()[]{}\"';,|=", " "))


def _same_or_below(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
