"""`kill -9` at each step of the way: started again, voucherd has lost nothing and recorded nothing twice.

At most one mail is repeated, with the same Message-ID and the same bytes (PROMISES.md, P1 to P3).
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from tests import crash_at
from tests.acceptance.desk import ENGLISH, GERMAN, KOREAN, Desk, Ended, run, sample
from tests.servers.certificates import TlsFiles
from tests.servers.dovecot import Dovecot
from tests.smtp_server import SmtpServer
from voucherd.service import inspect
from voucherd.settings import load
from voucherd.wiring import Application

pytestmark = pytest.mark.server

AS_OF, DOUBT_OVER = "2021-11-15T12:00:00+01:00", "2021-11-15T12:11:00+01:00"
MAILS = (ENGLISH, GERMAN, KOREAN)
# three receipts, a digest to Contoso, a reminder to Fabrikam
RECIPIENTS = [
    "gutscheine@fabrikam.example",
    "jens.vogt@margies.example",
    "jiwoo.kim@fourthcoffee.example",
    "mara@adatum.example",
    "vouchers@contoso.example",
]

ARCHIVE = "voucherd.adapters.archive/FileArchive.keep"
IMAP_FILE = "voucherd.adapters.imap/ImapMailbox.file"
MAILDIR_FILE = "voucherd.adapters.maildir/MaildirMailbox.file"
SMTP_SEND = "voucherd.adapters.smtp/SmtpDelivery.send"
MAILDIR_SEND = "voucherd.adapters.maildir_delivery/MaildirDelivery.send"
SEEN, RECORDED, FILED = "commit/SqlMessages.see", "commit/SqlMessages.add", "commit/SqlMessages.filed"
REMINDED, COMPOSED = "commit/SqlSteps.take", "commit/SqlOutbox.composed"
CLAIMED, RESULT = "commit/SqlOutbox.claim", "commit/SqlOutbox.report!SqlOutbox.composed"

BEFORE_THE_CLAIM = (
    f"{SEEN}:before:1",
    f"{ARCHIVE}:before:1",
    f"{ARCHIVE}:after:1",
    f"{RECORDED}:before:1",
    f"{RECORDED}:after:1",
    f"{IMAP_FILE}:before:1",
    f"{IMAP_FILE}:after:1",
    f"{FILED}:before:1",
    f"{FILED}:after:1",
    f"{REMINDED}:before:1",
    f"{REMINDED}:after:1",
    f"{COMPOSED}:before:1",
    f"{COMPOSED}:after:1",
    f"{CLAIMED}:before:1",
)
FROM_THE_CLAIM_ON = (
    f"{CLAIMED}:after:1",
    f"{SMTP_SEND}:before:1",
    f"{SMTP_SEND}:after:1",  # the server has said 250, and nothing is stored yet
    f"{RESULT}:before:1",
    f"{RESULT}:after:1",
    f"{SMTP_SEND}:after:5",
    f"{RESULT}:after:5",
)
IN_FOLDERS = (
    f"{MAILDIR_FILE}:before:1",
    f"{MAILDIR_FILE}:after:1",
    f"{MAILDIR_SEND}:after:1",
)
ON_POSTGRESQL = (
    f"{RECORDED}:before:1",
    f"{RECORDED}:after:1",
    f"{RESULT}:before:1",
)


@dataclass
class Scene:
    """A desk with three mails waiting. `taken` says what was delivered, recipient and bytes; `left` what is in the
    inbox and what in `Processed`."""

    desk: Desk
    taken: Callable[[], list[tuple[str, bytes]]]
    left: Callable[[], tuple[int, int]]

    def start(self, as_of: str, point: str = "") -> Ended:
        """One pass as a process; with `point` it is killed there."""
        command = self.desk.command("run", "--once", as_of=as_of)
        if point:
            command[1:3] = [crash_at.__file__, point]
        return run(command, self.desk.folder, self.desk.environ)


@dataclass(frozen=True)
class Known:
    """What a store knows."""

    events: list[tuple[str, str, str]]
    vouchers: list[dict[str, Any]]
    messages: list[str]
    outbox: dict[str, str]
    lost: int


def known(desk: Desk) -> Known:
    """Reads the store of a desk that does not run; every message must be whole in its archive."""
    app = Application(load(desk.config, desk.environ), desk.environ)
    now, limit = datetime.fromisoformat(DOUBT_OVER), app.settings.delivery.burst_limit
    try:
        with app.store.read() as tx:
            messages = sorted(tx.messages.all_hashes())
            for each in messages:
                assert app.archive.load(each)
            return Known(
                events=sorted(
                    (k.key, e.kind.value, e.on.isoformat()) for k, es in tx.ledger.histories() for e in es
                ),
                vouchers=[inspect.voucher_json(s, now) for _, s in inspect.standings(tx, app.rules, now)],
                messages=messages,
                outbox={mail["message_id"]: mail["status"] for mail in inspect.outbox_json(tx, limit, now)},
                lost=sum(row["lost"] for row in inspect.audit_json(tx)),
            )
    finally:
        app.close()


@pytest.fixture
def on_servers(tmp_path: Path, tls_files: TlsFiles, desk: Desk, dovecot: Dovecot, smtp: SmtpServer) -> Scene:
    """Dovecot over TLS, SMTP with STARTTLS."""
    dovecot.append(desk.user, [sample(name) for name in MAILS])
    return Scene(
        desk,
        lambda: [(recipient, mail.content) for mail in smtp.received for recipient in mail.recipients],
        lambda: (len(dovecot.contents(desk.user)), len(dovecot.contents(desk.user, "Processed"))),
    )


def in_folders(folder: Path, tls: TlsFiles, store: str = Desk.store) -> Scene:
    """Maildir in, Maildir out."""
    desk = Desk(folder, tls, store=store).maildir().maildir_out()
    for name in MAILS:
        (folder / "in" / "new" / name).write_bytes(sample(name))

    def taken() -> list[tuple[str, bytes]]:
        return [
            (path.name.partition("=")[2], path.read_bytes()) for path in (folder / "out" / "new").iterdir()
        ]

    def left() -> tuple[int, int]:
        new = folder / "in" / ".Processed" / "new"
        waiting = [path for part in ("new", "cur") for path in (folder / "in" / part).iterdir()]
        return len(waiting), len([*(folder / "in" / ".Processed" / "cur").iterdir(), *new.iterdir()])

    return Scene(desk, taken, left)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, tls_files: TlsFiles) -> Known:
    """What a store knows after a pass that nobody killed."""
    scene = in_folders(tmp_path_factory.mktemp("undisturbed"), tls_files)
    assert scene.start(AS_OF).status == 0
    return known(scene.desk)


@pytest.mark.parametrize("point", BEFORE_THE_CLAIM)
def test_killed_before_anything_is_sent_it_makes_good_at_the_next_start(
    on_servers: Scene, undisturbed: Known, point: str
) -> None:
    dies(on_servers, point)
    assert on_servers.taken() == []
    assert on_servers.start(AS_OF).status == 0
    assert_whole(on_servers, undisturbed, repeated=0)


@pytest.mark.parametrize("point", FROM_THE_CLAIM_ON)
def test_killed_while_sending_it_repeats_at_most_one_mail_after_ten_minutes(
    on_servers: Scene, undisturbed: Known, point: str
) -> None:
    dies(on_servers, point)
    before = on_servers.taken()
    assert on_servers.start(AS_OF).status == 0
    assert on_servers.taken() == before  # what may have been sent is not sent again at once
    assert on_servers.start(DOUBT_OVER).status == 0
    assert_whole(on_servers, undisturbed, repeated=1 if is_between_answer_and_commit(point) else 0)


@pytest.mark.parametrize("point", IN_FOLDERS)
def test_killed_between_folders_it_makes_good_too(
    tmp_path: Path, tls_files: TlsFiles, undisturbed: Known, point: str
) -> None:
    scene = in_folders(tmp_path, tls_files)
    dies(scene, point)
    assert scene.start(DOUBT_OVER).status == 0
    assert_whole(scene, undisturbed, repeated=1 if is_between_answer_and_commit(point) else 0)


@pytest.mark.parametrize("point", ON_POSTGRESQL)
def test_killed_on_postgresql_it_makes_good_too(
    tmp_path: Path, tls_files: TlsFiles, postgresql_url: str, undisturbed: Known, point: str
) -> None:
    scene = in_folders(tmp_path, tls_files, postgresql_url)
    dies(scene, point)
    assert scene.start(DOUBT_OVER).status == 0
    assert_whole(scene, undisturbed, repeated=1 if is_between_answer_and_commit(point) else 0)


def is_between_answer_and_commit(point: str) -> bool:
    """Whether the mail had been taken, and that was not yet stored: the one case in which it must be repeated."""
    return ".send:after:" in point or point.startswith(f"{RESULT}:before:")


def dies(scene: Scene, point: str) -> None:
    ended = scene.start(AS_OF, point)
    assert ended.status == -signal.SIGKILL, (
        f"{point} was not reached, it ended with {ended.status}:\n{ended.err}"
    )


def assert_whole(scene: Scene, undisturbed: Known, repeated: int) -> None:
    """Nothing lost, nothing twice, everything sent; so many mails came once more, the same in every byte."""
    now = known(scene.desk)
    assert now.lost == 0
    assert now.messages == undisturbed.messages
    assert now.events == undisturbed.events
    assert now.vouchers == undisturbed.vouchers
    assert now.outbox == undisturbed.outbox
    assert set(now.outbox.values()) == {"sent"}
    assert scene.left() == (0, len(MAILS))
    taken = scene.taken()
    identities = Counter((to, str(message_from_bytes(content)["Message-ID"])) for to, content in taken)
    assert sorted(to for to, _ in identities) == RECIPIENTS
    assert {identity for _, identity in identities} == set(undisturbed.outbox)
    assert len(set(taken)) == len(RECIPIENTS)
    assert len(taken) == len(RECIPIENTS) + repeated
