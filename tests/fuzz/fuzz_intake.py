"""Fuzzes parse -> unwrap -> recognise -> authorise with atheris (not among the project's dependencies).

    pip install atheris
    PYTHONPATH=daemon:. python tests/fuzz/fuzz_intake.py -max_total_time=600 -max_len=20000 CORPUS

CORPUS is a folder that atheris fills; without it the good mails of the tests are where it begins each time. Any
exception, and any decision that is neither recorded, ignored nor review, ends the run and leaves the mail in a file.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["voucherd", "mailparser", "email"]):
    from tests.unit.test_mail_mutations import GATES, NOW, RULES, good_mails, programme
    from voucherd.adapters.reader.task import read_here
    from voucherd.domain.handling import handle

PROGRAMMES = (programme(),)


def one_mail(content: bytes) -> None:
    """Decides about one mail at every gate."""
    reading = read_here(content, PROGRAMMES)
    for gate in GATES:
        done = handle(reading, gate, RULES, NOW)
        if done.outcome not in ("recorded", "ignored", "review") or not done.reason:
            raise AssertionError(done)


def main() -> None:
    """Runs until atheris stops."""
    logging.disable(logging.CRITICAL)
    arguments = list(sys.argv)
    with tempfile.TemporaryDirectory() as folder:
        if not any(Path(argument).is_dir() for argument in arguments[1:]):
            for number, mail in enumerate(good_mails()):
                (Path(folder) / f"{number:04}.eml").write_bytes(mail)
            arguments.append(folder)
        atheris.Setup(arguments, one_mail)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
