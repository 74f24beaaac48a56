"""What voucherd makes of one message by its content alone: hops, original, candidates, kind.

Runs in a worker process on untrusted text: every step is linear in the text and stops at the limits of
`text_lines`; no authority, no ledger, no clock.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from voucherd.domain import mail_kinds
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.mail_parts import Place, chain_of, messages_in
from voucherd.domain.message import Candidate, ParsedMail, Reading
from voucherd.domain.own_words import own_words
from voucherd.domain.programme import Programme
from voucherd.domain.recognition import (
    CUSTOMER_ADMIN,
    TOO_MUCH,
    Recognised,
    Recogniser,
    recogniser,
    renumbered,
)
from voucherd.domain.reply_token import MARK
from voucherd.domain.sheets import Export
from voucherd.domain.voucher_blocks import ALL
from voucherd.domain.voucher_labels import VOUCHER_ID
from voucherd.domain.voucher_sheets import export_of, named_in, read_sheet


def read(mail: ParsedMail, programmes: tuple[Programme, ...]) -> Reading:
    """The reading of a message. Never raises on what a message holds.

    Where text and HTML say the same words and the text alone tells everything, the HTML is not read a second time.
    """
    words = _words(programmes)
    if mail.html and _same_words(mail.text, mail.html):
        reading = _Reader(replace(mail, html=""), programmes, words).reading()
        if not reading.problems and {one.fact for one in reading.candidates} >= _EVERYTHING:
            return replace(reading, mail=mail)
    return _Reader(mail, programmes, words).reading()


# what a voucher mail states in full: with all of it read from the text, its twin in HTML adds nothing
_EVERYTHING = frozenset(
    {VOUCHER_ID, CUSTOMER_ADMIN, "customer", "offering", "days", "assigned_on", "expires_on"}
)

_MAX_JOINED = 20_000
"""Candidates of all messages in one: what a message says of all its vouchers is told of each of them."""


def _same_words(text: str, html: str) -> bool:
    """Whether both parts say the same, but for blanks, line ends, colons and asterisks."""
    return _bare(text) == _bare(html)


def _bare(text: str) -> str:
    return "".join(text.split()).replace(":", "").replace("*", "")


class _Memory:
    """The last programmes read with and their recogniser: a worker reads many messages with the same ones, and
    building it costs more than reading a message."""

    programmes: tuple[Programme, ...] = ()
    words: Recogniser | None = None


def _words(programmes: tuple[Programme, ...]) -> Recogniser:
    if _Memory.words is None or (_Memory.programmes is not programmes and _Memory.programmes != programmes):
        _Memory.words = recogniser(programmes)
    _Memory.programmes = programmes
    return _Memory.words


class _Reader:
    def __init__(self, mail: ParsedMail, programmes: tuple[Programme, ...], words: Recogniser) -> None:
        self._mail = mail
        self._programmes = programmes
        self._words = words
        self._messages = messages_in(mail)
        self._sheets = [sheet for message in self._messages for sheet in message.mail.sheets]
        self._chain = list(chain_of(self._messages))
        self._from_programme = [place for place in self._chain if self._is_programme(place.hop.from_addr)]
        self._original = next(iter(self._from_programme or self._chain[-1:]), None)
        self._direct = not self._chain and len(mail.from_) == 1 and self._is_programme(mail.from_[0].addr)
        self._reply = (
            not self._direct
            and mail_kinds.is_answer(mail)
            and (not self._chain or (mail_kinds.quotes_by_headers(mail) and not self._from_programme))
        )

    def reading(self) -> Reading:
        sources = self._sources()
        found = _joined([self._recognise(place) for place in sources])
        exports = self._exports() if not found.blocks else ()
        sheets = Recognised() if exports else self._in_sheets()
        if exports:
            found = named_in(exports)
        elif found.blocks:
            found = _with_sheets(found, sheets)
        else:
            found = self._elsewhere(found, sheets)
        candidates = (*found.candidates, *self._admins())
        original = self._original.hop if self._original is not None else None
        spoken = Counter(found.languages).most_common(1)
        return Reading(
            mail=self._mail,
            hops=tuple(place.hop for place in self._chain),
            original=original,
            candidates=candidates,
            programme=self._programme(candidates),
            kind=mail_kinds.EXPORT if exports else self._kind(found, sources),
            language=spoken[0][0] if spoken else original.language if original is not None else "",
            problems=tuple(dict.fromkeys((*self._doubts(), *found.problems, *_admin_doubt(sources)))),
            exports=exports,
            own=own_words(self._messages[0]) if self._answers() else (),
        )

    def _answers(self) -> bool:
        """Whether the mail may answer one of ours: by its headers, or by the form of an address that it went to."""
        shown = (*self._mail.to, *self._mail.cc)
        return mail_kinds.is_answer(self._mail) or any(f"+{MARK}" in one.addr for one in shown)

    def _sources(self) -> list[Place | None]:
        """What is read first: in each message the nearest hop of the programme; else the innermost hop; None
        is the message's own text."""
        nearest: dict[int, Place | None] = {}
        for place in self._from_programme:
            nearest.setdefault(id(place.message), place)
        return list(nearest.values()) or [self._original]

    def _recognise(self, place: Place | None, *, strictly: bool = False) -> Recognised:
        message, index = (place.message, place.index) if place is not None else (self._messages[0], -1)
        text = self._words.text(
            message.own_lines(message.text, index, strictly=strictly), message.label or "text"
        )
        if place is None and self._reply and any(line.text for line in message.text.lines):
            return text  # the HTML of an answer may hold the answered mail without any mark
        part = f"{message.label} (html)" if message.label else "html"
        html = self._words.text(message.own_lines(message.html, index, strictly=strictly), part)
        return _agreed(text, html)

    def _in_sheets(self) -> Recognised:
        """What the attached spreadsheets state; nothing where the mail hands in an invoice."""
        if not self._sheets or mail_kinds.looks_like_invoice(self._mail):
            return Recognised()
        return _joined([read_sheet(sheet, self._words) for sheet in self._sheets])

    def _exports(self) -> tuple[Export, ...]:
        made = (export_of(sheet, self._words) for sheet in self._sheets)
        return tuple(one for one in made if one is not None)

    def _elsewhere(self, found: Recognised, sheets: Recognised) -> Recognised:
        """The ID where the original states none: in what a forwarder wrote above it, in a spreadsheet, then in a
        subject."""
        other = self._above()
        if not other.blocks and (sheets.blocks or sheets.problems):
            other = sheets
        for subject in self._subjects() if not (other.blocks or other.problems) else ():
            other = self._words.subject(subject)
            if other.blocks:
                break
        if not (other.blocks or other.problems):
            return found
        stated = {candidate.fact for candidate in other.candidates}
        return Recognised(
            (*other.candidates, *(one for one in found.candidates if one.fact not in stated)),
            (*other.problems, *found.problems),
            (*other.languages, *found.languages),
        )

    def _above(self) -> Recognised:
        """What those who forwarded the original wrote themselves, the nearest first."""
        if self._original is None:
            return Recognised()
        before = self._chain[: self._chain.index(self._original)]
        for place in (*reversed(before), None):
            found = self._recognise(place, strictly=True)
            if found.blocks:
                return found
        return Recognised()

    def _subjects(self) -> list[str]:
        subjects = [self._original.hop.subject] if self._original is not None else []
        subjects += [place.hop.subject for place in reversed(self._chain)]
        return list(dict.fromkeys((*subjects, self._mail.subject)))

    def _admins(self) -> list[Candidate]:
        """Each To of the original, in order (RULES.md, `customer_admin`); the service takes the first that is
        neither the desk's, a partner's nor the programme's."""
        if self._original is not None:
            part, shown = self._original.message.label or "text", self._original.hop.to
        else:
            part, shown = "text", tuple(one.addr for one in self._mail.to) if self._direct else ()
        return [
            Candidate(CUSTOMER_ADMIN, address, address, part, "To of the original", ALL) for address in shown
        ]

    def _doubts(self) -> list[str]:
        """Doubts about senders, up to the original (what is quoted below it does not matter), and about a
        message that is longer than what is read of it."""
        end = self._chain.index(self._original) + 1 if self._original is not None else 0
        cut = (
            ["the message is longer than what is read of it"]
            if any(one.cut for one in self._messages)
            else []
        )
        return [place.doubt for place in self._chain[:end] if place.doubt] + cut

    def _kind(self, found: Recognised, sources: list[Place | None]) -> str:
        from_programme = bool(self._from_programme) or self._direct
        facts = {candidate.fact for candidate in found.candidates} - {VOUCHER_ID, CUSTOMER_ADMIN}
        if self._reply and (self._chain or not (found.blocks and facts)):
            return mail_kinds.REPLY
        if found.blocks or from_programme:
            notice = mail_kinds.notice_kind(self._announcing(sources), self._words.phrases)
            if notice and (notice != mail_kinds.ASSIGNED or found.blocks):
                return notice
        if found.blocks and (from_programme or facts):
            return mail_kinds.ASSIGNED
        if mail_kinds.looks_like_invoice(self._mail):
            return mail_kinds.INVOICE
        return mail_kinds.OTHER

    def _announcing(self, sources: list[Place | None]) -> list[str]:
        """Where a notice says what it is: its subject, and its lines before the first label."""
        texts: list[str] = []
        for place in sources:
            message, index = (place.message, place.index) if place is not None else (self._messages[0], -1)
            texts.append(place.hop.subject if place is not None else self._mail.subject)
            part = message.text if any(line.text for line in message.text.lines) else message.html
            lead: list[str] = []
            for line in message.own_lines(part, index):
                if self._words.words.label_of(line.text.split("\t", 1)[0]) is not None:
                    break
                lead.append(line.text)
            texts += mail_kinds.lead_of(lead)
        return texts

    def _is_programme(self, address: str | None) -> bool:
        return any(_owns(programme, address) for programme in self._programmes)

    def _programme(self, candidates: tuple[Candidate, ...]) -> str:
        """The programme that the mail is of: by its ID pattern, its offerings, its domains; the first one
        configured where these do not tell. Empty where neither a voucher nor a sender points to one."""
        ids = [one.value for one in candidates if one.fact == VOUCHER_ID]
        offerings = {one.value for one in candidates if one.fact == "offering"}
        senders = {place.hop.from_addr for place in self._from_programme}
        if self._direct:
            senders.add(self._mail.from_[0].addr)
        if not ids and not senders:
            return ""

        def points(programme: Programme) -> tuple[int, int, int]:
            match = self._words.matchers.get(programme.id)
            return (
                sum(bool(list(match(one))) for one in ids) if match is not None else 0,
                len(offerings & programme.offerings.keys()),
                sum(_owns(programme, sender) for sender in senders),
            )

        best = max(self._programmes, key=points, default=None)
        return best.id if best is not None else ""


def _owns(programme: Programme, address: str | None) -> bool:
    domain = address.rpartition("@")[2] if address else ""
    return any(domain == own or domain.endswith("." + own) for own in programme.domains)


def _admin_doubt(sources: list[Place | None]) -> list[str]:
    """Several voucher mails in one message name one administrator, or a person has to look."""
    shown = {place.hop.to for place in sources if place is not None}
    return ["the voucher mails in this message were sent to different people"] if len(shown) > 1 else []


def _agreed(text: Recognised, html: Recognised) -> Recognised:
    """Text and HTML of one message: the text counts, the HTML adds what the text lacks."""
    if not html.candidates:
        return text if text.candidates or text.problems else html
    if not text.blocks:
        return html if html.blocks or not text.candidates else text
    if not html.blocks:
        return text
    in_text, in_html = text.blocks, html.blocks
    if in_html.keys() != in_text.keys():
        problem = f"text and HTML name different voucher IDs: {_named(text)} and {_named(html)}"
        return replace(text, problems=(*text.problems, problem))
    same = {block: in_text[key] for key, block in in_html.items()}
    stated = {(one.fact, one.block) for one in text.candidates}
    said = {(one.fact, one.block, one.value) for one in text.candidates}
    added: list[Candidate] = []
    problems: list[str] = []
    for one in renumbered(html.candidates, same):
        everywhere = (one.fact, ALL) in stated
        if (one.fact, one.block) not in stated and not everywhere:
            added.append(one)
        elif (one.fact.endswith("_on") or one.fact == "days") and not (
            {(one.fact, one.block, one.value), (one.fact, ALL, one.value)} & said
        ):
            problems.append(f'text and HTML differ: {one.fact.replace("_", " ")} "{one.text[:80]}"')
    return Recognised((*text.candidates, *added), (*text.problems, *problems), text.languages)


def _with_sheets(text: Recognised, sheets: Recognised) -> Recognised:
    """What a mail says and what its spreadsheets add to it; a spreadsheet that names other vouchers is a doubt."""
    in_text, in_sheets = text.blocks, sheets.blocks
    if not in_sheets:
        return text
    others = in_sheets.keys() - in_text.keys()
    if others:
        named = [one.value for one in sheets.candidates if one.fact == VOUCHER_ID]
        shown = ", ".join(one for one in named if voucher_key(one) in others)[:200]
        return replace(
            text, problems=(*text.problems, f"a spreadsheet names more vouchers than the text: {shown}")
        )
    same = {block: in_text[key] for key, block in in_sheets.items()}
    stated = {(one.fact, one.block) for one in text.candidates}
    added = [
        one
        for one in renumbered(sheets.candidates, same)
        if (one.fact, one.block) not in stated and (one.fact, ALL) not in stated
    ]
    return replace(text, candidates=(*text.candidates, *added))


def _named(found: Recognised) -> str:
    return ", ".join(one.value for one in found.candidates if one.fact == VOUCHER_ID)[:200]


def _joined(found: list[Recognised]) -> Recognised:
    """The vouchers of several messages in one: each its own blocks, a voucher named twice one block."""
    if len(found) == 1:
        return found[0]
    numbers: dict[str, int] = {}
    candidates: dict[tuple[str, str, int], Candidate] = {}
    problems = [problem for one in found for problem in one.problems]
    for one in found:
        own = {block: numbers.setdefault(key, len(numbers)) for key, block in one.blocks.items()}
        every = list(own.values()) or [ALL]
        for candidate in one.candidates:
            if len(candidates) > _MAX_JOINED:
                problems.append(TOO_MUCH)
                break
            for block in [own[candidate.block]] if candidate.block != ALL else every:
                key = (candidate.fact, voucher_key(candidate.value), block)
                candidates.setdefault(key, replace(candidate, block=block))
    return Recognised(
        tuple(candidates.values()),
        tuple(dict.fromkeys(problems)),
        tuple(language for one in found for language in one.languages),
    )
