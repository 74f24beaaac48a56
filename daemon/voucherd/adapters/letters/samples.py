"""Letters with made-up facts, one for each case that a template tells apart: for `check` and for previews."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from voucherd.adapters.letters.sample_reports import sample_alarms, sample_summaries, sample_verdicts
from voucherd.domain.letter import ANSWER, Due, Letter, LetterItem, LetterKind, Note, Sum

_DAY = date(2021, 12, 6)
_DATES = {"reserve": date(2021, 12, 10), "redeem": date(2021, 12, 27), "bill": date(2022, 2, 25)}
_VALUE, _REST = Sum(500_000, "EUR"), Sum(125_050, "EUR")
_LONG_NAME = "Wide World Importers Verwaltungs- und Beteiligungsgesellschaft mbH & Co. KG"
_CUSTOMERS = {
    "ko": "주식회사 한빛정보기술연구소 (Fabrikam Korea)",
    "ja": "株式会社ファブリカム情報システム研究所",
    "zh": "上海法布里卡姆信息技术有限公司",
    "fr": "Société Générale d’Études «\u202fL’Équerre\u202f»",
    "es": "Compañía Española de Ingeniería Núñez e Hijos, S. L.",
    "pt": "Fundação São João de Inovação e Educação Ltda.",
}


def sample_letters(locale: str) -> dict[str, Letter]:
    """Letters by name (`receipt`, `reminder-bill`, …): together they go through every branch of a template."""
    first = LetterItem(
        "PS-2021-0417", "Fabrikam GmbH", "it.admin@fabrikam.example", "SDPS", 5,
        _due("reserve"), (_due("redeem"),),
    )  # fmt: skip
    named = replace(first, customer=_CUSTOMERS.get(locale.partition("-")[0], _LONG_NAME), value=_VALUE)
    rest = replace(_billable(), value=_VALUE, remaining=_REST)
    second = LetterItem(
        "PS-2021-0398", "Northwind Traders", "vouchers@northwind.example", "DDPS", 1, _due("redeem")
    )
    third = _billable()
    bare = LetterItem(
        "PS-2021-0555", None, None, None, None, _due("reserve"), (_due("redeem"),),
        missing=("customer_admin", "customer", "offering"),
    )  # fmt: skip
    reminders = {
        f"reminder-{item.due.deadline}": _letter(LetterKind.REMINDER, locale, item)
        for item in (first, second, third)
        if item.due
    }
    misses = {
        f"missed-{name}": _letter(LetterKind.MISSED, locale, _missed(item))
        for name, item in (("reserve", first), ("redeem", second), ("bill", third))
    }
    unseen = replace(third, unseen_invoice="INV-1001")
    reminders["reminder-bill-unseen"] = _letter(LetterKind.REMINDER, locale, unseen)
    reminders["reminder-bill-rest"] = _letter(LetterKind.REMINDER, locale, rest)
    misses["missed-bill-rest"] = _letter(LetterKind.MISSED, locale, _missed(rest))
    known = replace(second, already_known=True)
    return {
        "receipt": _letter(LetterKind.RECEIPT, locale, first),
        "receipt-incomplete": _letter(LetterKind.RECEIPT, locale, first, bare, known),
        "receipt-valued": _letter(LetterKind.RECEIPT, locale, named),
        "receipt-known": _letter(LetterKind.RECEIPT, locale, known),
        **reminders,
        "digest": _letter(LetterKind.DIGEST, locale, first, second, third),
        "digest-unseen": _letter(LetterKind.DIGEST, locale, second, unseen),
        "digest-values": _letter(LetterKind.DIGEST, locale, named, second, rest),
        "digest-single": _letter(LetterKind.DIGEST, locale, second),
        **misses,
        **_queries(locale),
        "missed-several": _letter(LetterKind.MISSED, locale, *map(_missed, (first, second, third))),
        **_answers(locale, first, second),
        **sample_verdicts(locale, _DAY),
        **sample_alarms(locale, _DAY),
        **sample_summaries(locale, _DAY),
    }


def _billable() -> LetterItem:
    return LetterItem("PS-2021-0102", "Adventure Works", None, "SSDPS", 10, _due("bill"))


def _answers(locale: str, first: LetterItem, second: LetterItem) -> dict[str, Letter]:
    """What became of answers: recorded, taken back, asked back, left to a person, and the words for answers."""
    on, other = date(2021, 11, 5), date(2021, 5, 11)
    reserved = Note("recorded", first.voucher, "reserved", on)
    redeemed = Note("recorded", second.voucher, "redeemed", date(2021, 12, 6))
    other_day = date(2021, 11, 12)
    asked = Note("asked", first.voucher, "reserved", on, other, "05/11/2021")
    left = Note("left", second.voucher, "", text="INV-1001")
    cases = {
        "answer": ((first,), (reserved,)),
        "answer-several": ((first, second), (reserved, redeemed)),
        "answer-billed": (
            (first,),
            (Note("recorded", first.voucher, "billing-claimed", on, other_day, "INV-1001"),),
        ),
        "answer-held": ((first,), (Note("recorded", first.voucher, "held", other_day),)),
        "answer-administrator": (
            (first,),
            (Note("recorded", first.voucher, "administrator-named", on, text="it.admin@fabrikam.example"),),
        ),
        "answer-undone": ((first,), (replace(reserved, fate="undone"),)),
        "answer-asked": ((first,), (asked,)),
        "answer-mixed": ((first, second), (redeemed, asked, left)),
        "answer-left": ((second,), (left,)),
        "answer-conflict": ((first,), (replace(reserved, fate="left"),)),
        "answer-help": ((first, second), (Note("help"),)),
    }
    return {
        name: replace(_letter(LetterKind.RECEIPT, locale, *items), template=ANSWER, notes=notes)
        for name, (items, notes) in cases.items()
    }


def _queries(locale: str) -> dict[str, Letter]:
    """What is asked back: an ID that was not found, a date that reads two ways."""
    no_id = LetterItem("", None, None, None, None, None, missing=("voucher_id",))
    two_days = LetterItem("PS-2021-0417", None, None, None, None, None, missing=("expires_on",))
    asked = _letter(LetterKind.QUERY, locale, two_days)
    return {
        "query": _letter(LetterKind.QUERY, locale, no_id),
        "query-date": replace(asked, days=(date(2021, 5, 11), date(2021, 11, 5))),
    }


def _due(name: str) -> Due:
    on = _DATES[name]
    return Due(name, on, (on - _DAY).days, "made-up")


def _missed(item: LetterItem) -> LetterItem:
    """The item on the day after its deadline."""
    if item.due is None:
        return item
    today = item.due.on + timedelta(days=1)
    others = tuple(replace(other, days_left=(other.on - today).days) for other in item.others)
    return replace(item, due=replace(item.due, days_left=-1), others=others)


def _letter(kind: LetterKind, locale: str, *items: LetterItem) -> Letter:
    on = _DAY
    first = items[0].due
    if kind is LetterKind.MISSED and first:
        on = first.on + timedelta(days=1)
    subject = "Fwd: Your voucher" if kind in (LetterKind.RECEIPT, LetterKind.QUERY) else ""
    return Letter(kind, locale, on, "Contoso Consulting", "Planning Services", tuple(items), subject)
