"""A template that fails is told to operators once a day, and the mail goes out all the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.unit.test_letters_composer import HEAD, REMINDER, SHIPPED
from voucherd.adapters.letters import LetterComposer
from voucherd.service.fallbacks import Fallbacks

DAY = date(2021, 12, 6)


def test_many_mails_with_one_broken_template_are_one_alarm_a_day(tmp_path: Path) -> None:
    broken = tmp_path / "en" / "reminder.md"
    broken.parent.mkdir()
    broken.write_text("subject: a\n---\n{{ nothing }}\n", encoding="utf-8")
    fallbacks = Fallbacks()
    composer = LetterComposer(
        [tmp_path, SHIPPED], on_fallback=lambda one: fallbacks.note(one.file, one.reason)
    )
    for _ in range(3):
        assert "Please reserve" in composer.compose(REMINDER, HEAD).text
    [(about, alarm)] = fallbacks.taken(DAY)
    assert (alarm.code, alarm.subject) == ("template-fallback", str(broken))
    assert alarm.detail.startswith(f"{broken}:3: unknown name 'nothing'")
    composer.compose(REMINDER, HEAD)
    assert [again for again, _ in fallbacks.taken(DAY)] == [about]  # the store keeps it single
    composer.compose(REMINDER, HEAD)
    assert [later for later, _ in fallbacks.taken(date(2021, 12, 7))] != [about]


def test_what_was_told_is_forgotten() -> None:
    fallbacks = Fallbacks()
    fallbacks.note("en/reminder.md", "broken")
    assert len(fallbacks.taken(DAY)) == 1
    assert fallbacks.taken(DAY) == []
