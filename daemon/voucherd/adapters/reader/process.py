"""One worker process as the pool sees it: started, asked, watched by the clock, and ended."""

from __future__ import annotations

import contextlib
import fcntl
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import voucherd
from voucherd.adapters.reader import answers, frames, worker
from voucherd.errors import PermanentError, TemporaryError

_START_SECONDS: Final = 60.0
_END_SECONDS: Final = 2.0
_PIPE_BYTES: Final = 1 << 20
# -I and an empty environment: nothing of the daemon's surroundings reaches the process. The folder that the
# package was imported from is handed over, and goes before whatever else is installed: both run the same code.
_BOOT: Final = (
    "import sys; places = [at for at, one in enumerate(sys.path) if one.endswith('-packages')]; "
    "sys.path.insert(places[0] if places else len(sys.path), sys.argv[1]); "
    "from voucherd.adapters.reader.worker import main; sys.exit(main())"
)


class LostError(Exception):
    """The worker is gone or was ended; `reason` says what the message at hand did, for a person to read.

    `certain` where the message at hand is to blame whatever was read before it: time is counted for each one.
    """

    def __init__(self, reason: str, *, certain: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.certain = certain


class WorkerProcess:
    """A running worker. `served` counts the messages that it has answered."""

    def __init__(self, start: worker.Start) -> None:
        self.served = 0
        self._limits = start.limits
        root = str(Path(voucherd.__file__).parent.parent)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-c", _BOOT, root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            bufsize=0,
        )
        assert self._process.stdin is not None  # noqa: S101 - PIPE was asked for
        assert self._process.stdout is not None  # noqa: S101
        self._ends = (self._process.stdin, self._process.stdout)
        self._pipe = frames.FramePipe(self._ends[0].fileno(), self._ends[1].fileno())
        for end in self._ends:
            with contextlib.suppress(OSError):  # a limit of the system: slower, not wrong
                fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._begin(start)

    def ask(self, job: str, batch: Sequence[tuple[object, ...]]) -> Iterator[object]:
        """The answers of one batch, one by one, in order. Raises LostError where the message at hand ends the
        worker or runs out of time, PermanentError where the job cannot be loaded at all."""
        try:
            self._pipe.send(pickle.dumps([(job, arguments) for arguments in batch]), self._limits.wall)
            for _ in batch:
                answer = answers.loads(self._pipe.receive(worker.MAX_ANSWER, self._limits.wall))
                if isinstance(answer, str):
                    raise PermanentError(answer, where="reader", remedy="reinstall voucherd")
                if not isinstance(answer, tuple) or len(answer) != 1:
                    raise LostError("its reader answered with something else")
                self.served += 1
                yield answer[0]
        except TimeoutError:
            raise LostError(f"it took longer than {self._limits.wall:g} s to read", certain=True) from None
        except frames.EndedError:
            raise self._obituary() from None
        except frames.TooLongError:
            raise LostError("what was read is too large") from None
        except pickle.UnpicklingError:
            raise LostError("its reader answered with something that is no value") from None

    def end(self) -> None:
        """Closes the pipe, on which the worker ends by itself, and kills it where it does not; never raises."""
        with contextlib.suppress(OSError):
            self._ends[0].close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._ends[1].close()

    def kill(self) -> None:
        """Ends the worker at once; never raises."""
        self._process.kill()
        self._process.wait()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.close()

    def _begin(self, start: worker.Start) -> None:
        try:
            self._pipe.send(pickle.dumps(start), _START_SECONDS)
            answers.loads(self._pipe.receive(1024, _START_SECONDS))
        except (frames.EndedError, frames.TooLongError, TimeoutError, pickle.UnpicklingError):
            self.kill()
            raise TemporaryError(
                f"a worker process does not start (status {self._process.returncode})",
                where="reader",
                remedy="see whether memory and processes are to be had",
            ) from None

    def _obituary(self) -> LostError:
        try:
            status = self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            return LostError("its reader closed the pipe")
        if status == worker.EXIT_MEMORY:
            return LostError(f"it needed more than {self._limits.memory // 2**20} MB of memory to read")
        if status == -signal.SIGXCPU:
            seconds = self._limits.processor
            return LostError(f"it took more than {seconds} s of processor time to read", certain=True)
        if status < 0:
            return LostError(f"its reader was ended by {signal.Signals(-status).name}")
        return LostError(f"its reader ended with status {status}")
