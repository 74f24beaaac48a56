"""The way in when the server does not do its part: a mailbox that is full, a folder that goes under way, and a
conversation that is broken at many bytes, each in another way: whatever is cut off, every mail is recorded once
and nothing is lost (PROMISES.md, P1, P2 and T5). Real Dovecot, behind a proxy that counts decrypted bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.mails import voucher_mails
from tests.acceptance.desk import Desk
from tests.servers.certificates import TlsFiles
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.proxy import Break, Fault, Proxy, Way
from tests.worlds import instant
from voucherd.adapters.imap import ImapMailbox
from voucherd.domain.handling import Gate
from voucherd.errors import PermanentError, TemporaryError
from voucherd.service.inspect import audit_json
from voucherd.service.intake import Folders
from voucherd.service.passes import Post, Works, drain, drain_open
from voucherd.settings.reading import load
from voucherd.wiring import Application

pytestmark = pytest.mark.server

NOW = instant("2021-07-01")
AT_ONCE = 2
PLAN = (
    (Way.TO_CLIENT, Break.END, 16),
    (Way.TO_SERVER, Break.END, 7),
    (Way.TO_CLIENT, Break.RESET, 4),
    (Way.TO_CLIENT, Break.GARBAGE, 6),
    (Way.TO_CLIENT, Break.VANISH, 1),
    (Way.TO_SERVER, Break.VANISH, 1),
)


@pytest.fixture
def works(tmp_path: Path, tls_files: TlsFiles) -> Iterator[Works]:
    desk = Desk(tmp_path, tls_files).maildir().maildir_out()
    app = Application(load(desk.config, {}), {})
    yield app.works()
    app.close()


def post_of(proxy: Proxy, tls_files: TlsFiles, user: str, folder: str = "INBOX") -> Post:
    def connect() -> ImapMailbox:
        return ImapMailbox(
            "vouchers",
            "localhost",
            proxy.port,
            user,
            lambda: PASSWORD,
            tls="implicit",
            ca_file=tls_files.ca,
            timeout=1.0,
            folder=folder,
        )

    return Post("vouchers", Gate("vouchers", "mx.desk.example"), Folders(), 60, connect)


def contoso_mails(number: int) -> Iterator[bytes]:
    """Mails that hand a voucher in for the partner Contoso."""
    for mail in voucher_mails(number):
        yield mail.replace(b"<vouchers@desk.example>", b"<vouchers+contoso@desk.example>")


def recorded(works: Works) -> tuple[int, int]:
    """How many messages were seen and recorded."""
    with works.store.read() as tx:
        rows = audit_json(tx)
    return sum(row["seen"] for row in rows), sum(row["recorded"] for row in rows)


def test_a_mailbox_that_is_full_keeps_nothing_from_being_recorded_and_is_emptied_when_there_is_room(
    works: Works, dovecot_full: Dovecot, tls_files: TlsFiles, mail_user: str
) -> None:
    with closing(Proxy(dovecot_full.imaps_port, tls_files)) as proxy:
        post = post_of(proxy, tls_files, mail_user)
        dovecot_full.append(mail_user, contoso_mails(3))
        for _ in range(2):
            with pytest.raises(TemporaryError, match="the mailbox is full: make room"):
                drain(works, post, lambda: NOW, lambda: False)
            assert recorded(works) == (3, 3)
        assert len(dovecot_full.contents(mail_user)) == 3

        with dovecot_full.client(mail_user) as client:
            client.select_folder("INBOX")
            client.delete_messages([1])
            client.expunge()
        drain(works, post, lambda: NOW, lambda: False)
        assert dovecot_full.contents(mail_user) == []
        assert len(dovecot_full.contents(mail_user, "Processed")) == 2


def test_folders_that_are_renamed_or_made_anew_under_way_lose_and_double_nothing(
    works: Works, dovecot: Dovecot, tls_files: TlsFiles, mail_user: str
) -> None:
    mails = list(contoso_mails(6))
    with closing(Proxy(dovecot.imaps_port, tls_files)) as proxy, dovecot.client(mail_user) as client:
        client.create_folder("Vouchers")
        post = post_of(proxy, tls_files, mail_user, "Vouchers")
        box = post.connect()

        def look(*new: bytes) -> None:
            dovecot.append(mail_user, new, "Vouchers")
            drain_open(works, post, box, lambda: NOW, lambda: False)

        look(*mails[:2])
        client.rename_folder("Processed", "Done last year")
        look(*mails[2:4])
        assert dovecot.contents(mail_user, "Done last year") == mails[:2]
        assert dovecot.contents(mail_user, "Processed") == mails[2:4]

        client.rename_folder("Vouchers", "Before the move")
        with pytest.raises(PermanentError, match=r"cannot be opened.*make it, or correct the mailbox's url"):
            drain_open(works, post, box, lambda: NOW, lambda: False)
        client.create_folder("Vouchers")  # with another UIDVALIDITY, and the UIDs begin again
        look(mails[0], *mails[4:])  # one comes again, as a restored folder brings it
        assert proxy.connections == 1, "none of it needed a new connection"
        box.close()
    assert recorded(works) == (7, 7)
    assert dovecot.contents(mail_user, "Vouchers") == []
    with works.store.read() as tx:
        assert sum(len(events) for _, events in tx.ledger.histories()) == len(mails)


def test_a_conversation_that_breaks_at_any_byte_loses_and_doubles_nothing(
    works: Works, dovecot: Dovecot, tls_files: TlsFiles, mail_user: str
) -> None:
    mails = contoso_mails(AT_ONCE * (1 + sum(times for _, _, times in PLAN)))
    given: list[bytes] = []

    def deliver() -> None:
        given.extend(new := [next(mails) for _ in range(AT_ONCE)])
        dovecot.append(mail_user, new)

    with closing(Proxy(dovecot.imaps_port, tls_files)) as proxy:
        post = post_of(proxy, tls_files, mail_user)
        deliver()
        drain(works, post, lambda: NOW, lambda: False)
        whole = dict(proxy.carried)
        broke = 0
        for way, what, times in PLAN:
            for place in range(times):
                deliver()
                proxy.fault = fault = Fault(way, whole[way] * place // times, what)
                try:
                    drain(works, post, lambda: NOW, lambda: False)
                except TemporaryError:
                    broke += 1
                proxy.fault = None
                drain(works, post, lambda: NOW, lambda: False)
                assert recorded(works) == (len(given), len(given)), fault

    assert broke > 0.8 * sum(times for _, _, times in PLAN), (
        "a break near the end may go unnoticed, others may not"
    )
    assert sorted(dovecot.contents(mail_user, "Processed")) == sorted(given)
    assert dovecot.contents(mail_user) == []
    with works.store.read() as tx:
        assert sum(len(events) for _, events in tx.ledger.histories()) == len(given)
        assert [mail.kind for mail in tx.outbox.mails()] == ["receipt"] * len(given)
