"""The floor of intake: how fast the bare libraries fetch and parse waiting mail, and do nothing else.

    python -m benchmarks.intake_floor [--count 10000] [--runs 3]

starts Dovecot, fills a mailbox with synthetic voucher mails of 6 KB, and prints one JSON document. One process,
IMAP over TLS, imapclient in batches of 500, mailparser.parse_from_bytes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import mailparser

from benchmarks.mails import voucher_mails
from tests.servers.certificates import make_certificates
from tests.servers.dovecot import Dovecot

USER = "vouchers@desk.example"
BATCH = 500


def fill(server: Dovecot, count: int, user: str = USER) -> None:
    """Puts `count` mails into the user's INBOX; Dovecot stands as after a delivery, nothing has been read."""
    mails = voucher_mails(count)
    for _ in range(0, count, BATCH):
        server.append(user, [mail for _, mail in zip(range(BATCH), mails, strict=False)])


def floor(server: Dovecot, user: str = USER) -> float:
    """Messages a second: connect, sign in, fetch everything in batches, parse each message, throw it away."""
    started = time.perf_counter()
    with server.client(user) as client:
        waiting = client.select_folder("INBOX", readonly=True)[b"EXISTS"]
        client.use_uid = False
        for first in range(1, waiting + 1, BATCH):
            numbers = list(range(first, min(first + BATCH, waiting + 1)))
            for item in client.fetch(numbers, ["BODY.PEEK[]"]).values():
                mailparser.parse_from_bytes(item[b"BODY[]"])
    return float(waiting / (time.perf_counter() - started))


def main() -> None:
    """Measures and prints."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=10_000)
    arguments.add_argument("--runs", type=int, default=3)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Dovecot(make_certificates(Path(folder)))
        try:
            fill(server, given.count)
            rates = [round(floor(server), 1) for _ in range(given.runs)]
            figures = {
                "what": "intake floor: fetch over TLS and mailparser.parse_from_bytes, one process",
                "server": f"Dovecot {server.version()}",
                "messages": given.count,
                "bytes_each": len(next(voucher_mails(1))),
                "batch": BATCH,
                "messages_per_second": statistics.median(rates),
                "runs": rates,
            }
        finally:
            server.stop()
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
