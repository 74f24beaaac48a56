"""Programme files: found by name or path, read, and checked for what no single key can show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from voucherd.domain.programme import Programme, Vocabulary
from voucherd.errors import Fault
from voucherd.resources import shipped_programmes
from voucherd.settings.faults import faults_of
from voucherd.settings.programme_tables import ProgrammeFile, VocabularyTable
from voucherd.settings.refusal import meant, shown
from voucherd.settings.toml_file import read_toml


def load_programmes(
    names: Sequence[str], base: Path, file: str, key: str = "desk.programmes"
) -> tuple[tuple[Programme, ...], list[Fault]]:
    """The programmes that `names` name (a shipped one, or a file from `base`), and all faults."""
    programmes: list[Programme] = []
    faults: list[Fault] = []
    for index, name in enumerate(names):
        at = f"{key}[{index}]"
        path = find_programme(name, base)
        if path is None:
            what = "is neither a shipped programme nor a file that ends in .toml"
            faults.append(Fault(file, at, shown(at, name), what, meant(name, shipped_programmes())))
            continue
        programme, wrong = read_programme(path, at)
        faults += wrong
        if programme and any(each.id == programme.id for each in programmes):
            faults.append(Fault(file, at, shown(at, name), f"is {programme.id} again", "name it once"))
        elif programme:
            programmes.append(programme)
    return tuple(programmes), faults


def find_programme(name: str, base: Path) -> Path | None:
    """The file of a programme: what ends in .toml is a path, anything else the name of a shipped one."""
    return base / name if name.endswith(".toml") else shipped_programmes().get(name)


def read_programme(path: Path, key: str = "") -> tuple[Programme | None, list[Fault]]:
    """The programme of one file, or None and every fault of the file."""
    data = read_toml(path, key)
    if isinstance(data, Fault):
        return None, [data]
    try:
        table = ProgrammeFile.model_validate(data, context={"base": path.parent})
    except ValidationError as error:
        return None, faults_of(error, ProgrammeFile, data, str(path))
    vocabulary, faults = _vocabulary(table)
    faults += _contradictions(table, str(path))
    if faults:
        return None, faults
    return _programme(table, vocabulary, path), []


def _programme(table: ProgrammeFile, vocabulary: Vocabulary, path: Path) -> Programme:
    return Programme(
        id=table.id,
        name=table.name,
        domains=table.domains,
        deadlines=table.deadlines.value(),
        timezone=table.timezone,
        lengths=table.lengths,
        last_assignment=table.last_assignment.value() if table.last_assignment else None,
        payments=tuple(each.value() for each in table.payments),
        offerings=table.offerings,
        vocabulary=vocabulary,
        reminders=table.reminders.own(str(path)),
    )


def _vocabulary(table: ProgrammeFile) -> tuple[Vocabulary, list[Fault]]:
    """The words of the programme's own file and of the file that it names, the own ones first."""
    own = table.vocabulary.value()
    if table.vocabulary_file is None:
        return own, []
    data = read_toml(table.vocabulary_file, "vocabulary_file")
    if isinstance(data, Fault):
        return own, [data]
    try:
        named = VocabularyTable.model_validate(data).value()
    except ValidationError as error:
        return own, faults_of(error, VocabularyTable, data, str(table.vocabulary_file))
    patterns = tuple(dict.fromkeys(own.id_patterns + named.id_patterns))
    return Vocabulary(_joined(own.labels, named.labels), _joined(own.kinds, named.kinds), patterns), []


_Words = dict[str, dict[str, tuple[str, ...]]]


def _joined(first: _Words, second: _Words) -> _Words:
    result: _Words = {}
    for words in (first, second):
        for fact, languages in words.items():
            known = result.setdefault(fact, {})
            for language, more in languages.items():
                known[language] = tuple(dict.fromkeys(known.get(language, ()) + more))
    return result


def _contradictions(table: ProgrammeFile, file: str) -> Iterator[Fault]:
    """What is wrong between keys that are each well formed."""
    rules = {rule.name: rule for rule in table.deadlines.value()}
    for name, rule in rules.items():
        at = f"deadlines.{name}"
        if not (rule.after or rule.cutoffs or rule.windows or rule.lead_time or rule.stated):
            yield Fault(file, at, "", "says nothing", "give it `after`, `cutoffs`, `windows` or `lead_time`")
        if rule.lead_time and (rule.lead_time.before not in rules or rule.lead_time.before == name):
            before, known = rule.lead_time.before, rules.keys() - {name}
            key = f"{at}.lead_time.before"
            yield Fault(file, key, shown(key, before), "is not another deadline", meant(before, known))
    if table.payments and sum(part.percent for part in table.payments) != 100:
        total = sum(part.percent for part in table.payments)
        yield Fault(file, "payments", "", f"add up to {total} percent", "make them add up to 100")
    owners: dict[str, str] = {}
    for code, aliases in table.offerings.items():
        for word in (code, *aliases):
            first = owners.setdefault(word.lower(), code)
            if first != code:
                key = f"offerings.{code}"
                yield Fault(file, key, shown("", word), f"stands for {first} already", "name it once")
