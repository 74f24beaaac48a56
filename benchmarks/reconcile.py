"""Reconciliation at scale: the full run, the report as a file, and one invoice of 20 lines, in a store of so many
vouchers and lines.

Beside it the floor (the same lines through `csv.reader`) and what a user would otherwise take: a merge with the sums
per voucher in pandas, and the same in DuckDB, without reasons, copies, credits in order or anything else that voucherd
concludes. Those two are no part of voucherd: install them into an environment of their own (`pip install pandas
duckdb`) and name its interpreter with `--peers`.

Vouchers are dense nine-digit serials; 3 % each have no line, two lines, half of their value, a line of another partner,
one in another currency, and one with a slip in its ID.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, insert

from voucherd.adapters.invoicefile.csv_invoices import CsvInvoices
from voucherd.adapters.report.csv_files import CsvReport
from voucherd.adapters.report.html_page import HtmlReport
from voucherd.adapters.report.xlsx import XlsxReport
from voucherd.adapters.store import SqlStore, schema
from voucherd.adapters.store.ledger import voucher_row
from voucherd.adapters.store.upgrade import ensure
from voucherd.domain.events import EventKind, Role
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.partner import Partner
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.domain.reconciliation.frozen import frozen_row
from voucherd.domain.reconciliation.lines import LineClass
from voucherd.domain.reconciliation.rates import Rate, RateTable
from voucherd.domain.reconciliation.tolerance import tolerance_of
from voucherd.domain.reconciliation.verdict import LineVerdict, VoucherVerdict
from voucherd.domain.rulebook import Desk, Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import ReminderPolicy, Step
from voucherd.domain.voucher import State, Voucher
from voucherd.service.full_run import full_run
from voucherd.service.invoice_files import read_file
from voucherd.service.judging import Judging, verdict_key
from voucherd.service.reconcile import take_in
from voucherd.service.recording import record_instant, wanted_steps
from voucherd.service.records import VoucherKey
from voucherd.service.report import ReportWriter
from voucherd.service.reporting import make_report
from voucherd.service.verdicts import tell
from voucherd.settings.programme_file import load_programmes

PROGRAMME = "planning-services"
ASSIGNED, REDEEMED = date(2021, 5, 12), date(2021, 9, 1)
NOW = datetime(2021, 11, 15, 11, tzinfo=UTC)
VALUE = 500_000
LINES_OF_A_DOCUMENT = 20
UNBILLED = 3  # in a hundred; each other fault comes as often
_CHUNK = 5_000
_PEERS = {
    "pandas": """
import pandas
vouchers = pandas.read_csv(sys.argv[1], dtype={"voucher": str, "partner": str, "value": "int64", "currency": str})
lines = pandas.read_csv(sys.argv[2], dtype={"voucher": str, "net": "int64", "currency": str, "supplier": str})
both = vouchers.merge(lines, on="voucher", how="outer", indicator=True)
good = both[(both.currency_x == both.currency_y) & (both.partner == both.supplier)]
sums = vouchers.set_index("voucher").join(good.groupby("voucher").net.sum())
print(len(sums), int(sums.net.fillna(0).sum()))
""",
    "duckdb": """
import duckdb
print(duckdb.sql(f\"\"\"
select count(*), sum(billed) from (
  select v.voucher, sum(l.net) filter (where l.currency = v.currency and l.supplier = v.partner) as billed
  from read_csv('{sys.argv[1]}', types={{'voucher': 'varchar'}}) v
  left join read_csv('{sys.argv[2]}', types={{'voucher': 'varchar'}}) l using (voucher)
  group by v.voucher)\"\"\").fetchall())
""",
    "floor": """
import csv
with open(sys.argv[2], newline="") as file:
    print(sum(1 for row in csv.reader(file)))
""",
}
_SPENT = """
used = resource.getrusage(resource.RUSAGE_SELF)
with open("/proc/self/status") as file:
    peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
print(json.dumps({"cpu_s": round(used.ru_utime + used.ru_stime, 2), "peak_mb": peak // 1024}))
"""


def rules() -> Rulebook:
    """One programme, two partners, one rate."""
    programmes, _ = load_programmes([PROGRAMME], Path(), "benchmark")
    partners = [
        Partner(
            id=name,
            name=name,
            addresses=(f"billing@{name}.example",),
            domains=(),
            timezone="Europe/Berlin",
            country="DE",
            locale="en",
        )
        for name in ("contoso", "fabrikam")
    ]
    return Rulebook(
        desk=Desk("desk@desk.example", "desk@desk.example", zone=ZoneInfo("Europe/Berlin")),
        programmes={one.id: one for one in programmes},
        partners={one.id: one for one in partners},
        reminders=ReminderPolicy(steps={"bill": (30, 14, 7, 3, 1, 0)}),
        tolerance=tolerance_of("0.02", "0.1"),
        rates=RateTable([Rate("DE", "SDPS", 5, "EUR", VALUE)]),
    )


def voucher_id(number: int) -> str:
    """Dense serials: their order as numbers is not the order in which lines come."""
    return f"{100_000_000 + number * 7919 % 900_000_000}"


def lines_of(number: int) -> list[tuple[str, int, str, str]]:
    """The lines of one voucher: the ID as written, net, currency, supplier."""
    name, fault = voucher_id(number), number % 100
    if fault < UNBILLED:
        return []
    if fault < 6:
        return [(name, VALUE, "EUR", "contoso")] * 2
    if fault < 9:
        return [(name, VALUE // 2, "EUR", "contoso")]
    if fault < 12:
        return [(name, VALUE, "EUR", "fabrikam")]
    if fault < 15:
        return [(name, VALUE, "USD", "contoso")]
    if fault < 18:
        return [(f"{name[:4]}O{name[5:]}", VALUE, "EUR", "contoso")]
    return [(name, VALUE, "EUR", "contoso")]


def chunks(rows: Iterable[Any], size: int = _CHUNK) -> Iterator[list[Any]]:
    """The rows in lists of `size`."""
    every = iter(rows)
    while part := list(islice(every, size)):
        yield part


def put(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Rows straight into a table; for SQLite without a step of the library for each value."""
    if not rows:
        return
    if connection.dialect.name != "sqlite":
        connection.execute(insert(table), rows)
        return
    names = ", ".join(f'"{name}"' for name in rows[0])
    marks = ", ".join("?" * len(rows[0]))
    values = [tuple(map(plain, row.values())) for row in rows]
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", values)  # noqa: S608 -- our own names


def plain(value: Any) -> Any:
    """A value as SQLite keeps it."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, datetime):
        return schema.instant_text(value)
    return value.isoformat() if isinstance(value, date) else json.dumps(value)


def fill(store: SqlStore, count: int) -> None:
    """So many redeemed vouchers with their histories and their lines, and what incoming documents would have stored."""
    book = rules()
    with store.write() as tx:
        run = tx.connection
        for part in chunks(range(count)):
            put(run, schema.event, [row for number in part for row in events(number)])
            put(run, schema.voucher, [voucher(number, book) for number in part])
            tx.steps.add([step for number in part if unbilled(number) for step in steps(number, book)])
        billed = (line for number in range(count) for line in lines_of(number))
        number = 0
        for part in chunks(billed):
            documents = list(enumerate(chunks(part, LINES_OF_A_DOCUMENT), number + 1))
            put(run, schema.invoice, [invoice(at, lines) for at, lines in documents])
            lines = [stored_line(at, n, one) for at, ls in documents for n, one in enumerate(ls, 1)]
            put(run, schema.invoice_line, lines)
            number += len(documents)
    with store.read() as reading, store.write() as tx:
        verdicts = (one for one in Judging(reading, book, NOW).plain() if isinstance(one, VoucherVerdict))
        for rows in chunks((verdict_key(one), one, frozen_row(one)) for one in verdicts):
            tx.verdicts.put(rows)
    with store.write() as tx:
        if store.file is None:  # the documents were numbered here
            tx.connection.exec_driver_sql(
                "SELECT setval('invoice_number_seq', (SELECT max(number) FROM invoice))"
            )
        tx.connection.exec_driver_sql("ANALYZE")


def unbilled(number: int) -> bool:
    """Whether nothing was billed for a voucher yet."""
    return number % 100 < UNBILLED


def steps(number: int, book: Rulebook) -> list[Step]:
    """The reminders that a voucher waits for until it is billed."""
    if not _STEPS:
        _STEPS.extend(wanted_steps(book, standing(number, book)))
    return [replace(step, key=replace(step.key, voucher=voucher_id(number))) for step in _STEPS]


_STEPS: list[Step] = []


def events(number: int) -> list[dict[str, Any]]:
    """The history of one voucher: assigned and redeemed."""
    name = voucher_id(number)
    shared = {
        "programme": PROGRAMME,
        "voucher_key": name,
        "voucher": name,
        "recorded_at": datetime(2021, 9, 1, 10, tzinfo=UTC),
        "by": "ops@desk.example",
        "role": Role.OPERATOR.value,
        "partner": "contoso",
        "message": None,
        "handed_in_on": None,
        "spans": {},
        "note": "",
    }
    facts = {"country": "DE", "offering": "SDPS", "days": "5"}
    return [
        {**shared, "kind": EventKind.ASSIGNED.value, "on": ASSIGNED, "facts": facts},
        {**shared, "kind": EventKind.REDEEMED.value, "on": REDEEMED, "facts": {}},
    ]


def standing(number: int, book: Rulebook) -> Standing:
    """A voucher as its history makes it."""
    one = Voucher(
        id=voucher_id(number),
        programme=PROGRAMME,
        state=State.REDEEMED,
        partner="contoso",
        offering="SDPS",
        days=5,
        country="DE",
        assigned_on=ASSIGNED,
        redeemed_on=REDEEMED,
        redeemed_by="contoso",
    )
    stood = book.stand(one)
    assert stood is not None
    return stood


def voucher(number: int, book: Rulebook) -> dict[str, Any]:
    """The stored row of one voucher."""
    name = voucher_id(number)
    if not _TEMPLATE:
        _TEMPLATE.update(voucher_row(VoucherKey(PROGRAMME, name), standing(number, book)))
    return {**_TEMPLATE, "voucher_key": name, "voucher": name, "skeleton": name, "reversed_key": name[::-1]}


_TEMPLATE: dict[str, Any] = {}


def invoice(number: int, lines: list[tuple[str, int, str, str]]) -> dict[str, Any]:
    """The stored row of one document."""
    return {
        "number": number,
        "file": f"{number}.csv",
        "sha256": f"{number:064x}",
        "content_sha256": f"{number:064x}",
        "supplier": lines[0][3],
        "invoice": f"INV-{number}",
        "invoice_key": f"INV-{number}",
        "counts_as": f"INV-{number}",
        "corrects": "",
        "refers_to": "",
        "kind": "invoice",
        "issued_on": REDEEMED + timedelta(days=1 + number % 70),
        "currency": lines[0][2],
        "total": sum(line[1] for line in lines),
        "totals": None,
        "message": None,
        "recorded_at": datetime(2021, 9, 2, 10, tzinfo=UTC),
    }


def stored_line(document: int, at: int, line: tuple[str, int, str, str]) -> dict[str, Any]:
    """One stored line."""
    name, net, currency, _ = line
    return {
        "document": document,
        "line": str(at),
        "voucher_text": name,
        "voucher_key": voucher_key(name),
        "net": net,
        "tax": None,
        "currency": currency,
        "placed_at": None,
    }


def write_csv(folder: Path, count: int) -> tuple[Path, Path]:
    """The same vouchers and lines as files, for the floor and the peers."""
    vouchers, lines = folder / "vouchers.csv", folder / "lines.csv"
    with vouchers.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["voucher", "partner", "value", "currency"])
        out.writerows([voucher_id(number), "contoso", VALUE, "EUR"] for number in range(count))
    with lines.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["voucher", "net", "currency", "supplier"])
        out.writerows(line for number in range(count) for line in lines_of(number))
    return vouchers, lines


def measure_full(url: str) -> dict[str, Any]:
    """The full run with its comparison, in this process alone."""
    store = SqlStore(url)
    before = time.process_time()
    with store.read() as tx:
        run = full_run(tx, rules(), NOW)
    spent, peak = round(time.process_time() - before, 2), peak_mb()
    digest = hashlib.sha256()
    with store.read() as tx:
        for key, row in tx.verdicts.every():
            digest.update(f"{key.programme}|{key.key}|{row}\n".encode())
    return {
        "cpu_s": spent,
        "peak_mb": peak,
        "verdicts_sha256": digest.hexdigest()[:16],
        "vouchers": run.vouchers,
        "lines": run.lines,
        "differences": len(run.differences),
    }


def measure_report(url: str, kind: str, folder: Path) -> dict[str, Any]:
    """One report of everything as a file, in this process alone."""
    place = folder / f"report.{kind}"
    writer: ReportWriter
    if kind == "xlsx":
        writer = XlsxReport(place, "benchmark")
    else:
        writer = CsvReport(place) if kind == "csv" else HtmlReport(place, "benchmark")
    before = time.process_time()
    with SqlStore(url).read() as tx:
        make_report(tx, rules(), NOW, [writer])
    size = sum(one.stat().st_size for one in folder.glob("report*"))
    return {
        "cpu_s": round(time.process_time() - before, 2),
        "peak_mb": peak_mb(),
        "file_mb": round(size / 1e6, 1),
    }


def peak_mb() -> int:
    """The most memory that this process held, what it was forked from aside."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:"))


def measure_invoices(url: str, count: int, rounds: int = 60) -> dict[str, Any]:
    """One invoice of 20 lines after another, as a daemon takes them in that runs already: read, its totals added up,
    matched, the verdicts and the mail about them stored, the deadlines met and their reminders ended, committed.

    Each bills 20 vouchers that nothing billed or credited yet. What the process needs for its own start and for the
    first invoice of all (libraries, statements) is told apart. Times are of the processor; `wall_ms` is not.
    """
    started = time.process_time()
    store, book, reader = SqlStore(url), rules(), CsvInvoices()
    opened = time.process_time()
    free = [number for number in range(count) if unbilled(number)]
    rounds = min(rounds, len(free) // LINES_OF_A_DOCUMENT)
    files = [billing(f"NEW-{at}", at, free, rounds) for at in range(rounds)]
    spent: list[tuple[float, float, float]] = []
    wall: list[float] = []
    for at, content in enumerate(files):
        begun, at_wall = time.process_time(), time.perf_counter()
        [document] = read_file([reader], f"new-{at}.csv", "text/csv", content, "contoso") or [None]
        assert isinstance(document, InvoiceDocument)
        read = time.process_time()
        told: dict[int, LineVerdict] = {}
        with store.write() as tx:
            now = record_instant(tx, NOW)
            new = take_in(tx, book, [document], f"new-{at}.csv", f"{10**9 + at:064x}", None, now, told=told)
            judged = time.process_time()
            tell(tx, book, new, None, b"k" * 32, now, told)
        done = time.process_time()
        spent.append(((read - begun) * 1000, (judged - read) * 1000, (done - judged) * 1000))
        wall.append((time.perf_counter() - at_wall) * 1000)
        assert len(told) == LINES_OF_A_DOCUMENT
        assert {one.line_class for one in told.values()} == {LineClass.MATCHED}
    whole = sorted(map(sum, spent[1:]))
    return {
        "start_ms": round(started * 1000, 1),
        "open_ms": round((opened - started) * 1000, 1),
        "first_ms": round(sum(spent[0]), 1),
        "warm_ms": round(statistics.median(whole), 1),
        "fastest_ms": round(whole[0], 1),
        "slowest_ms": round(whole[-1], 1),
        "read_match_tell_ms": [round(statistics.median(part), 1) for part in zip(*spent[1:], strict=True)],
        "wall_ms": round(statistics.median(wall[1:]), 1),
    }


def billing(number: str, at: int, free: list[int], rounds: int) -> bytes:
    """An invoice over twenty vouchers from all over the ledger, in full, as a CSV file."""
    step = max(len(free) // (rounds * LINES_OF_A_DOCUMENT), 1)
    places = range(at * LINES_OF_A_DOCUMENT, (at + 1) * LINES_OF_A_DOCUMENT)
    named = [voucher_id(free[place * step % len(free)]) for place in places]
    rows = [f"{number},2021-10-01,{line},{name},5000.00,EUR" for line, name in enumerate(named, 1)]
    return "\r\n".join(["invoice,date,line,voucher,net,currency", *rows, ""]).encode()


def in_a_process(python: str, code: str, *words: str) -> dict[str, Any] | None:
    """What a program spent by itself; None where it cannot run."""
    program = f"import json, resource, sys\n{code}\n{_SPENT}"
    done = subprocess.run([python, "-c", program, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1], file=sys.stderr)
        return None
    spent: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return spent


def own_process(*words: str) -> dict[str, Any]:
    """One measurement of this module in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.reconcile", *words], stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measured(count: int, url: str, peers: str | None) -> dict[str, Any]:
    """Everything at one size."""
    with tempfile.TemporaryDirectory() as folder:
        where = url or f"sqlite:///{folder}/store.db"
        store = SqlStore(where)
        ensure(store)
        begun = time.perf_counter()
        fill(store, count)
        store.close()
        found: dict[str, Any] = {"vouchers": count, "filled_s": round(time.perf_counter() - begun, 1)}
        found["full"] = own_process("--measure-full", where)
        found["report"] = {}
        for kind in ("csv", "html", "xlsx"):
            with tempfile.TemporaryDirectory() as reports:
                found["report"][kind] = own_process("--measure-report", where, kind, reports)
        found["invoice_of_20"] = own_process("--measure-invoices", where, "--sizes", str(count))
        vouchers, lines = write_csv(Path(folder), count)
        for name, code in _PEERS.items():
            python = sys.executable if name == "floor" else peers
            if python is not None:
                found[name] = in_a_process(python, code, str(vouchers), str(lines))
    return found


def main() -> None:
    """Prints one JSON document."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    options.add_argument("--postgresql", action="store_true", help="on a server of its own instead of SQLite")
    options.add_argument("--peers", help="an interpreter that has pandas and duckdb")
    options.add_argument("--measure-full", metavar="URL", help=argparse.SUPPRESS)
    options.add_argument(
        "--measure-report", nargs=3, metavar=("URL", "KIND", "FOLDER"), help=argparse.SUPPRESS
    )
    options.add_argument("--measure-invoices", metavar="URL", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.measure_full:
        print(json.dumps(measure_full(chosen.measure_full)))
    elif chosen.measure_invoices:
        print(json.dumps(measure_invoices(chosen.measure_invoices, chosen.sizes[0])))
    elif chosen.measure_report:
        url, kind, folder = chosen.measure_report
        print(json.dumps(measure_report(url, kind, Path(folder))))
    elif chosen.postgresql:
        from tests.servers.postgresql import PostgreSQL

        server = PostgreSQL()
        try:
            found = [measured(size, server.fresh_database(), None) for size in chosen.sizes]
        finally:
            server.stop()
        print(json.dumps(found, indent=2))
    else:
        print(json.dumps([measured(size, "", chosen.peers) for size in chosen.sizes], indent=2))


if __name__ == "__main__":
    main()
