"""Which template folder speaks to a reader: its own locale, its language, a sister region in the same script."""

from __future__ import annotations

from collections.abc import Iterable

from babel import Locale
from babel.core import get_global

from voucherd.adapters.letters.words import parse_locale


def widening(locale: str) -> list[str]:
    """A locale and its language, in that order: `de-AT`, `de`. Not where the bare language is written in another
    script than the locale: `zh-TW` alone."""
    name = locale.replace("_", "-")
    parsed = parse_locale(name)
    if parsed is None:
        return [name]
    bare = parse_locale(parsed.language)
    if bare is None or _script(bare) != _script(parsed):
        return [name]
    return list(dict.fromkeys((name, parsed.language)))


def nearest(locale: str, folders: Iterable[str]) -> list[str]:
    """The folders whose mails a reader of `locale` can read, the nearest first; empty where there is none.

    After the locale's own and its language's come other regions of the language, the most spoken one first, where they
    are written in the same script: `pt` and `pt-PT` find `pt-BR`, `zh` finds `zh-CN`, `zh-TW` does not.
    """
    known = {name.replace("_", "-").lower(): name for name in folders}
    own = [known[name.lower()] for name in widening(locale) if name.lower() in known]
    parsed = parse_locale(locale.replace("_", "-"))
    if parsed is None:
        return own
    sisters = [name for name in known.values() if name not in own and _may_read(parsed, name)]
    return [*own, *sorted(sisters, key=lambda name: (not _is_likely(name), name))]


def _may_read(reader: Locale, folder: str) -> bool:
    written = parse_locale(folder.replace("_", "-"))
    if written is None or written.language != reader.language:
        return False
    return _script(written) == _script(reader)


def _is_likely(folder: str) -> bool:
    """Whether the folder's region is the one that the bare language stands for: Brazil for Portuguese."""
    written = parse_locale(folder.replace("_", "-"))
    if written is None or written.territory is None:
        return True
    return _likely(written.language).endswith(f"_{written.territory}")


def _script(locale: Locale) -> str:
    """The script that a locale is written in: its own, else that of its region, else that of its language (CLDR)."""
    if locale.script:
        return str(locale.script)
    likely = _likely(f"{locale.language}_{locale.territory}") or _likely(locale.language)
    return likely.partition("_")[2].partition("_")[0]


def _likely(name: str) -> str:
    """`zh_Hans_CN` for `zh`; empty where CLDR says nothing."""
    found: str = get_global("likely_subtags").get(name, "")
    return found
