"""The pool: what a worker may do, and that a message that breaks one costs itself alone.

The jobs here are functions of the standard library that use up a limit or reach out of the process.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from tests.mailmaking import mail
from voucherd.adapters.reader import answers, frames
from voucherd.adapters.reader.pool import WorkerPool
from voucherd.adapters.reader.worker import JOBS, Limits
from voucherd.domain.message import Address, Unreadable
from voucherd.errors import PermanentError

LIMITS = Limits(memory=256 * 1024 * 1024, processor=1, wall=4.0)
HOSTILE = {
    "parse": "voucherd.adapters.reader.mail:parse",
    "length": "builtins:len",
    "fill": "operator:mul",
    "burn": "builtins:sum",
    "sleep": "time:sleep",
    "abort": "os:abort",
    "leave": "os:_exit",
    "open": "builtins:open",
    "connect": "socket:create_connection",
    "run": "subprocess:run",
    "shell": "os:system",
    "fork": "os:fork",
    "kill": "os:kill",
    "remove": "os:remove",
    "environment": "os:getenv",
    "who": "os:getpid",
    "signals": "signal:getsignal",
    "value": "decimal:Decimal",
    "missing": "nowhere.at.all:read",
}


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    made = WorkerPool((), 2, jobs=HOSTILE, limits=LIMITS)
    yield made
    made.close()


@pytest.fixture
def single() -> Iterator[WorkerPool]:
    made = WorkerPool((), 1, jobs=HOSTILE, limits=LIMITS)
    yield made
    made.close()


def test_answers_come_in_the_order_of_the_batch(pool: WorkerPool) -> None:
    assert pool.run("length", [(b"x" * n,) for n in range(300)]) == list(range(300))
    assert pool.run("length", []) == []


def test_what_a_worker_parses_is_what_is_parsed_here(pool: WorkerPool) -> None:
    from voucherd.adapters.reader.mail import parse

    contents = [mail(f"Voucher ID: A-{n}") for n in range(50)]

    assert pool.run("parse", [(one,) for one in contents]) == [parse(one) for one in contents]


@pytest.mark.parametrize(
    ("job", "good", "bad", "reason"),
    [
        ("fill", (b"ab", 2), (b"x" * 1000, 10**9), "it needed more than 256 MB of memory to read"),
        ("burn", ([1, 2],), (range(10**12),), "it took more than 1 s of processor time to read"),
        ("sleep", (0,), (60,), "it took longer than 4 s to read"),
    ],
)
def test_a_message_that_uses_up_a_limit_is_unreadable_and_its_neighbours_are_read(
    job: str, good: tuple[object, ...], bad: tuple[object, ...], reason: str
) -> None:
    wall = 4.0 if job == "sleep" else 60.0  # a busy machine gives a second of processor time late
    with closing(WorkerPool((), 1, jobs=HOSTILE, limits=replace(LIMITS, wall=wall))) as single:
        found = single.run(job, [good, good, bad, good])

    assert found[2] == Unreadable(reason)
    assert found[0] == found[1] == found[3] != found[2]


@pytest.mark.parametrize(
    ("job", "arguments", "reason"),
    [("abort", (), "its reader was ended by SIGABRT"), ("leave", (3,), "its reader ended with status 3")],
)
def test_a_message_that_ends_its_worker_twice_is_unreadable_with_the_signal_or_status(
    pool: WorkerPool, job: str, arguments: tuple[object, ...], reason: str
) -> None:
    assert pool.run("length", [(b"warm",)] * 4) == [4] * 4
    assert pool.run(job, [arguments]) == [Unreadable(reason)]
    assert pool.run("length", [(b"abc",)]) == [3]


def test_a_message_whose_worker_was_ended_from_outside_is_read_in_another(single: WorkerPool) -> None:
    (process,) = single.run("who", [()])
    assert isinstance(process, int)
    os.kill(process, signal.SIGKILL)

    assert single.run("length", [(b"abc",), (b"a",)]) == [3, 1]
    assert single.run("who", [()]) != [process]


@pytest.mark.parametrize(
    ("job", "arguments"),
    [
        ("open", ("/tmp/voucherd-must-not-be-there", "w")),
        ("connect", (("127.0.0.1", 9),)),
        ("run", (["true"],)),
        ("shell", ("true",)),
        ("fork", ()),
        ("kill", (os.getpid(), 0)),
        ("remove", ("/tmp/voucherd-must-not-be-there",)),
    ],
)
def test_a_worker_can_neither_write_nor_connect_nor_start_or_end_a_process(
    pool: WorkerPool, job: str, arguments: tuple[object, ...]
) -> None:
    assert pool.run(job, [arguments]) == [Unreadable("the message cannot be read (ForbiddenError)")]


def test_a_worker_sees_nothing_of_the_environment(pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOUCHERD_SECRET", "canary")

    assert pool.run("environment", [("VOUCHERD_SECRET",), ("HOME",), ("PATH",)]) == [None, None, None]


def test_a_worker_lives_on_when_the_daemon_is_asked_to_stop(single: WorkerPool) -> None:
    (process,) = single.run("who", [()])
    assert isinstance(process, int)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(process, number)

    assert single.run("who", [()]) == [process]


def test_workers_end_when_the_pool_is_closed_and_a_closed_pool_refuses(single: WorkerPool) -> None:
    (process,) = single.run("who", [()])
    assert isinstance(process, int)
    single.close()

    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    with pytest.raises(ValueError, match="closed"):
        single.run("length", [(b"",)])


def test_no_worker_is_started_before_the_first_message() -> None:
    pool = WorkerPool((), 2, jobs=HOSTILE)

    assert pool._idle == []
    pool.close()


def test_a_job_that_is_not_installed_is_a_fault_of_the_installation_and_not_of_the_message(
    pool: WorkerPool,
) -> None:
    with pytest.raises(PermanentError, match="the job 'missing' cannot be loaded"):
        pool.run("missing", [()])
    with pytest.raises(PermanentError, match="cannot be loaded"):
        pool.run("unheard-of", [()])


def test_a_value_that_a_worker_must_not_hand_back_is_refused(pool: WorkerPool) -> None:
    assert pool.run("value", [("1.5",)]) == [
        Unreadable("its reader answered with something that is no value")
    ]


def test_several_threads_may_read_at_once(pool: WorkerPool) -> None:
    found: dict[int, list[object]] = {}

    def read(number: int) -> None:
        found[number] = pool.run("length", [(b"x" * number,)] * 40)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == {number: [number] * 40 for number in range(6)}


def test_a_message_beyond_the_largest_size_is_refused_without_a_worker() -> None:
    pool = WorkerPool((), 1)

    (answer,) = pool.read([b"x" * (32 * 1024 * 1024 + 1)])

    assert isinstance(answer, Unreadable)
    assert answer.code == "too-large"
    assert pool._idle == []
    pool.close()


@pytest.mark.parametrize("named", [os.system, eval, pickle.loads, WorkerPool, sys.exit, Exception])
def test_an_answer_that_names_anything_but_a_value_is_refused(named: object) -> None:
    with pytest.raises(pickle.UnpicklingError):
        answers.loads(pickle.dumps(named))


@pytest.mark.parametrize("payload", [b"", b"\x80", b"garbage", b"\x80\x05.", b"cos\nsystem\n(S'true'\ntR."])
def test_an_answer_that_is_no_pickle_is_refused(payload: bytes) -> None:
    with pytest.raises(pickle.UnpicklingError):
        answers.loads(payload)


def test_value_classes_survive_the_way_back() -> None:
    assert answers.loads(pickle.dumps(Address("a@b.example", "김"))) == Address("a@b.example", "김")


def test_a_frame_beyond_the_agreed_size_is_not_read() -> None:
    reading, writing = os.pipe()
    pipe = frames.FramePipe(writing, reading)
    pipe.send(b"x" * 100, 1)

    with pytest.raises(frames.TooLongError):
        pipe.receive(99, 1)
    os.close(writing)
    os.close(reading)


def test_the_wait_for_a_frame_ends() -> None:
    reading, writing = os.pipe()
    pipe = frames.FramePipe(writing, reading)

    with pytest.raises(TimeoutError):
        pipe.receive(10, 0.05)
    os.close(writing)
    with pytest.raises(frames.EndedError):
        pipe.receive(10, 1)
    os.close(reading)


def test_the_jobs_are_named_and_not_imported_with_the_pool() -> None:
    readers = {"invoice", "structured-invoice", "sheet-invoice", "zip-invoice"}
    assert set(JOBS) == {"read", "sheet", "pdf-text"} | readers
    assert all(target.startswith("voucherd.adapters.") and ":" in target for target in JOBS.values())
