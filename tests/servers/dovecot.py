"""Dovecot on loopback: imaps and imap with STARTTLS, any user, password `secret`."""

from __future__ import annotations

import getpass
import grp
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from imapclient import IMAPClient

from tests.servers.certificates import TlsFiles
from tests.servers.process import (
    ServerFailedError,
    ServerMissingError,
    find_program,
    free_port,
    greets,
    start,
    stop,
    traversable_folder,
)

PASSWORD = "secret"
_PACKAGE = "dovecot-imapd"
_IMAP = Path("/usr/lib/dovecot/imap")
_TEMPLATE = Path(__file__).with_name("dovecot.conf.template")
_UNPRIVILEGED = """
service anvil {
  chroot =
}
service stats {
  chroot =
}
service imap-login {
  chroot =
}
service auth {
  user = $user
}
service auth-worker {
  user = $user
}
service imap {
  user = $user
}
"""

_TOKENS = """
passdb {
  driver = oauth2
  mechanisms = $mechanisms
  args = $folder/oauth2.conf.ext
}
"""
_JUDGE = """
introspection_mode = post
introspection_url = $introspection
username_attribute = username
active_attribute = active
active_value = true
force_introspection = yes
tokeninfo_url =
"""


@dataclass(frozen=True)
class Variant:
    """How this Dovecot differs: what it says that it can do, and how it names folders."""

    capability: str = ""
    separator: str = "/"
    prefix: str = ""
    connections: int = 100
    most_messages: int = 0
    introspection: str = ""
    """Where tokens are judged (RFC 7662); then XOAUTH2 and OAUTHBEARER are offered."""
    mechanisms: str = "xoauth2 oauthbearer"


PLAIN = Variant()
WITHOUT_MOVE = Variant(capability="IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS")
BARE = Variant(capability="IMAP4rev1 LITERAL+")
DOTTED = Variant(separator=".", prefix="INBOX.")
TWO_CONNECTIONS = Variant(connections=2)
FULL_AT_FIVE = Variant(capability="IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS", most_messages=5)
_QUOTA = """
mail_plugins = quota
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_grace = 0
  quota_rule = *:messages=$most
}
"""


class Dovecot:
    """A running server; `stop` ends it and removes its folder."""

    host = "localhost"

    def __init__(self, tls: TlsFiles, variant: Variant = PLAIN) -> None:
        self.tls = tls
        self.variant = variant
        self.folder = traversable_folder("dovecot")
        try:
            self._start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def stop(self) -> None:
        """Ends the server and removes everything that it kept."""
        stop(self._process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def halt(self) -> None:
        """Ends the server; its mail stays, and `go_on` starts it again where it was."""
        stop(self._process)

    def go_on(self) -> None:
        """Starts it again, on the same ports."""
        self._launch()

    @contextmanager
    def client(self, user: str) -> Iterator[Any]:
        """An imapclient of the test's own, signed in over TLS."""
        context = ssl.create_default_context(cafile=self.tls.ca)
        with IMAPClient(self.host, self.imaps_port, ssl_context=context, timeout=30) as client:
            client._imap.debug = 0
            client.normalise_times = False
            client.login(user, PASSWORD)
            yield client

    def append(self, user: str, contents: Iterable[bytes], folder: str = "INBOX") -> None:
        """Puts messages into a folder, in one command."""
        messages = list(contents)
        with self.client(user) as client:
            if len(messages) == 1 or self.variant.capability:
                for message in messages:
                    client.append(folder, message)
            else:
                client.multiappend(folder, messages)

    def contents(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """The messages in a folder that are not marked as deleted, oldest first."""
        with self.client(user) as client:
            client.select_folder(folder, readonly=True)
            found = client.fetch(client.search("UNDELETED"), ["BODY.PEEK[]"])
            return [found[uid][b"BODY[]"] for uid in sorted(found)]

    def _start(self) -> None:
        if not _IMAP.exists():
            raise ServerMissingError(
                f"Dovecot has no IMAP, and these tests need it: apt-get install {_PACKAGE}"
            )
        for attempt in range(3):
            self.imap_port, self.imaps_port = free_port(), free_port()
            self._configure()
            try:
                self._launch()
            except ServerFailedError as error:  # another process may have taken the port meanwhile
                if attempt == 2 or "already in use" not in str(error):
                    raise
            else:
                return

    def _launch(self) -> None:
        self._process = start(
            [find_program("dovecot", _PACKAGE), "-F", "-c", str(self.folder / "dovecot.conf")],
            self.folder / "dovecot.log",
            lambda: greets(self.imap_port, b"* OK") and greets(self.imaps_port),
        )

    def _configure(self) -> None:
        root = os.geteuid() == 0
        user = "nobody" if root else getpass.getuser()
        group = "nogroup" if root else grp.getgrgid(os.getegid()).gr_name
        for name in ("run", "state", "mail"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "dovecot.log").touch()
        if root:
            shutil.chown(self.folder / "mail", user, group)
        capability = self.variant.capability
        tokens = self._judge() if self.variant.introspection else ""
        text = Template(_TEMPLATE.read_text()).substitute(
            folder=self.folder,
            certificate=self.tls.certificate,
            key=self.tls.key,
            internal_user="dovecot" if root else user,
            internal_group="dovecot" if root else group,
            login_user="dovenull" if root else user,
            mail_user=user,
            mail_group=group,
            connections=self.variant.connections,
            capability=f"imap_capability = {capability}" if capability else "",
            separator=self.variant.separator,
            prefix=self.variant.prefix,
            imap_port=self.imap_port,
            imaps_port=self.imaps_port,
            quota=Template(_QUOTA).substitute(most=self.variant.most_messages)
            if self.variant.most_messages
            else "",
            mechanisms=f"plain login {self.variant.mechanisms}" if tokens else "plain login",
            tokens=tokens,
            unprivileged="" if root else Template(_UNPRIVILEGED).substitute(user=user),
        )
        (self.folder / "dovecot.conf").write_text(text)

    def _judge(self) -> str:
        """Has tokens judged by an issuer; returns what the configuration says of it."""
        (self.folder / "oauth2.conf.ext").write_text(
            Template(_JUDGE).substitute(introspection=self.variant.introspection)
        )
        return Template(_TOKENS).substitute(mechanisms=self.variant.mechanisms, folder=self.folder)

    def kick(self, user: str) -> None:
        """Ends every connection of a user, as a server does whose tokens have lapsed."""
        doveadm = find_program("doveadm", _PACKAGE)
        configuration = str(self.folder / "dovecot.conf")
        subprocess.run([doveadm, "-c", configuration, "kick", user], check=True, capture_output=True)

    def version(self) -> str:
        """What the server calls itself, for figures that name it."""
        program = find_program("dovecot", _PACKAGE)
        answer = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
        return answer.stdout.split()[0]
