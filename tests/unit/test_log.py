"""The log: one closed list of events, one form per reader, and nothing in it that must not be there."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd import log
from voucherd.log import Event

JOURNAL = {"JOURNAL_STREAM": "8:1234", "INVOCATION_ID": "synthetic"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def journal() -> io.StringIO:
    stream = io.StringIO()
    log.configure(JOURNAL, stream=stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_under_systemd_each_event_is_one_json_line(journal: io.StringIO) -> None:
    log.info(Event.MESSAGE_RECORDED, mailbox="vouchers", vouchers=2)
    (line,) = lines(journal)
    assert line.pop("timestamp")
    assert line == {"event": "message.recorded", "level": "info", "mailbox": "vouchers", "vouchers": 2}


@pytest.mark.parametrize(
    ("environ", "stream", "expected"),
    [
        ({}, io.StringIO(), False),
        (JOURNAL, io.StringIO(), True),
        ({"INVOCATION_ID": "x"}, io.StringIO(), True),
        (JOURNAL, Terminal(), False),
    ],
)
def test_json_is_for_journals_and_never_for_a_terminal(
    environ: dict[str, str], stream: io.StringIO, expected: bool
) -> None:
    assert log.under_systemd(environ, stream) is expected


def test_a_person_gets_a_line_to_read() -> None:
    stream = io.StringIO()
    log.configure({}, stream=stream)
    log.warning(Event.MAILBOX_FAILED, mailbox="vouchers", detail="connection refused")
    (line,) = stream.getvalue().splitlines()
    assert "mailbox.failed" in line
    assert "mailbox=vouchers" in line
    assert "\x1b" not in line


def test_everything_within_a_block_carries_the_id_of_its_message(journal: io.StringIO) -> None:
    with log.bind(message="ab12"):
        log.info(Event.MESSAGE_RECORDED)
        other = threading.Thread(target=lambda: log.info(Event.OUTBOX_SENT))
        other.start()
        other.join()
    log.info(Event.MAILBOX_READ)
    assert [(line["event"], line.get("message")) for line in lines(journal)] == [
        ("message.recorded", "ab12"),
        ("outbox.sent", None),
        ("mailbox.read", None),
    ]


@pytest.mark.parametrize(
    "key", ["password", "imap_password", "token", "body", "TEXT", "raw", "client-secret", "token_key"]
)
def test_keys_that_hold_secrets_or_bodies_are_dropped_at_any_depth(journal: io.StringIO, key: str) -> None:
    log.info(Event.MESSAGE_REVIEW, **{key: "canary", "inner": {key: "canary", "kept": [{key: "canary"}]}})
    assert "canary" not in journal.getvalue()
    assert lines(journal)[0]["inner"] == {"kept": [{}]}


def test_raw_bytes_are_counted_and_not_shown(journal: io.StringIO) -> None:
    log.info(Event.MESSAGE_REVIEW, detail=b"canary")
    assert lines(journal)[0]["detail"] == "<6 bytes>"


@given(text=st.text(max_size=600))
def test_no_value_can_forge_a_line(text: str) -> None:
    stream = io.StringIO()
    log.configure({}, stream=stream)
    log.info(Event.MESSAGE_IGNORED, detail=text)
    assert stream.getvalue().count("\n") == 1
    assert not any(char in stream.getvalue() for char in "\x1b\r\x85\u2028\u202e")


def test_libraries_speak_from_warning_on_in_the_same_form(journal: io.StringIO) -> None:
    logging.getLogger("synthetic.library").info("not heard")
    logging.getLogger("synthetic.library").warning("odd answer %s", "x")
    (line,) = lines(journal)
    assert (line["event"], line["library"], line["detail"], line["level"]) == (
        "library.message",
        "synthetic.library",
        "odd answer x",
        "warning",
    )


def test_debug_events_are_for_the_verbose() -> None:
    quiet, loud = io.StringIO(), io.StringIO()
    log.configure(JOURNAL, stream=quiet)
    log.debug(Event.OUTBOX_CLAIMED)
    log.configure(JOURNAL, stream=loud, verbose=True)
    log.debug(Event.OUTBOX_CLAIMED)
    assert quiet.getvalue() == ""
    assert len(lines(loud)) == 1


def test_a_traceback_is_shown_without_the_values_of_variables(journal: io.StringIO) -> None:
    def fails(secret_argument: str) -> None:
        raise ValueError("boom" if secret_argument else "")

    try:
        fails("canary")
    except ValueError as error:
        log.error(Event.JOB_FAILED, exc_info=error)
    (line,) = lines(journal)
    assert "ValueError: boom" in str(line["exception"])
    assert "canary" not in str(line["exception"]).replace('fails("canary")', "")


def test_event_names_are_a_thing_and_what_became_of_it() -> None:
    assert all(len(each.value.split(".")) == 2 for each in Event)
    assert len({each.value for each in Event}) == len(Event)


def test_a_process_that_logs_does_not_load_what_would_colour_its_tracebacks() -> None:
    code = (
        "import sys; from voucherd import log; log.configure({}); log.info(log.Event.DAEMON_STARTED)\n"
        "assert 'structlog' in sys.modules; assert not {'rich', 'pygments'} & sys.modules.keys()\n"
        "from rich.table import Table"  # who wants it has it afterwards
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, "daemon.started" in done.stderr) == (0, True), done.stderr
