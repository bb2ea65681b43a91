"""A process that can be killed, its pipes, and the memory it shares; it knows bytes and deadlines, not documents.

Nothing stays behind when the caller is killed: the kernel ends the process with the thread that started it (PR_SET_PDEATHSIG), so
that thread is one of its own which lives exactly as long.
"""

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from pipeline.documents.sheets import Frames
from pipeline.documents.wire import HEADER, LARGEST_MESSAGE, frame

_KEPT_STDERR_BYTES = 4096
_READ_BYTES = 2**20


class Died(Exception):
    """The process ended before it answered; `code` is out_of_memory or crashed.

    `was_killed` says that somebody else ended it, by SIGKILL, which is nothing that a document can bring about.
    """

    def __init__(self, code: str, message: str, *, was_killed: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.was_killed = was_killed


class Process:
    """A started process that answers one message with one message."""

    def __init__(self, command: Sequence[str], folder: Path | None) -> None:
        self.frames = Frames()
        self._stderr = b""
        started: SimpleQueue[subprocess.Popen[bytes] | OSError] = SimpleQueue()
        arguments = (*command, str(os.getpid()), str(self.frames.descriptor))
        self._keeper = threading.Thread(
            target=_keep, args=(arguments, folder, self.frames.descriptor, started), name="pagemill-reader", daemon=True
        )
        self._keeper.start()
        popen = started.get()
        if isinstance(popen, OSError):
            self.frames.close()
            raise popen
        self._popen = popen
        self._pidfd = os.pidfd_open(popen.pid)
        self._stdin, self._stdout, self._stderr_pipe = _pipes(popen)
        self._selector = selectors.DefaultSelector()
        for pipe in (self._stdout, self._stderr_pipe):
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ)

    def ask(self, message: bytes, timeout_s: float) -> bytes:
        """Send a message and return the answer; raise TimeoutError or Died."""
        deadline = time.monotonic() + timeout_s
        try:
            self._stdin.write(frame(message))
        except BrokenPipeError as exc:
            raise self._died() from exc
        answer = bytearray()
        while not _is_whole(answer):
            wait_s = deadline - time.monotonic()
            if wait_s <= 0:
                raise TimeoutError
            for key, _ in self._selector.select(wait_s):
                self._take(key.fileobj, answer)
        return bytes(answer[HEADER.size :])

    def end(self) -> None:
        """Kill the process, wait until it is gone, and free what was shared with it."""
        self._kill()
        self._keeper.join()
        self._selector.close()
        for pipe in (self._stdin, self._stdout, self._stderr_pipe):
            pipe.close()
        os.close(self._pidfd)
        self.frames.close()

    def _take(self, pipe: object, answer: bytearray) -> None:
        if pipe is self._stderr_pipe:
            words = os.read(self._stderr_pipe.fileno(), _READ_BYTES)
            self._stderr = (self._stderr + words)[-_KEPT_STDERR_BYTES:]
            if not words:
                self._selector.unregister(self._stderr_pipe)
            return
        piece = os.read(self._stdout.fileno(), _READ_BYTES)
        if not piece:
            raise self._died()
        answer += piece
        if len(answer) >= HEADER.size and HEADER.unpack_from(answer)[0] > LARGEST_MESSAGE:
            raise Died("crashed", "the process that reads documents sent a message longer than any should be")

    def _kill(self) -> None:
        with suppress(ProcessLookupError):  # gone already
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _died(self) -> Died:
        """Say what the process died of; it has closed its output, so it is gone or as good as gone."""
        self._keeper.join(timeout=15)
        status = self._popen.returncode
        self._kill()
        if rest := self._rest_of_stderr():
            self._stderr = (self._stderr + rest)[-_KEPT_STDERR_BYTES:]
        words = self._stderr.decode(errors="replace").strip()
        if status == -signal.SIGKILL:
            return Died(
                "out_of_memory", "the process that reads documents was killed, as where memory runs short", was_killed=True
            )
        if "bad_alloc" in words or "MemoryError" in words:
            return Died("out_of_memory", "the process that reads documents ran out of memory")
        last = f": {words.splitlines()[-1]}" if words else ""
        return Died("crashed", f"the process that reads documents died ({_how(status)}){last}")

    def _rest_of_stderr(self) -> bytes:
        try:
            return os.read(self._stderr_pipe.fileno(), _READ_BYTES)
        except BlockingIOError:
            return b""


def _keep(
    arguments: Sequence[str], folder: Path | None, frames_fd: int, started: "SimpleQueue[subprocess.Popen[bytes] | OSError]"
) -> None:
    """Start the process and stay until it is gone, so that the kernel does not take this thread's end for its parent's."""
    pipe = subprocess.PIPE
    try:
        popen = subprocess.Popen(  # noqa: S603  (our own interpreter)
            arguments, stdin=pipe, stdout=pipe, stderr=pipe, env={}, cwd=folder, pass_fds=(frames_fd,), bufsize=0
        )
    except OSError as exc:
        started.put(exc)
        return
    started.put(popen)
    popen.wait()


def _pipes(popen: "subprocess.Popen[bytes]") -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
    if popen.stdin is None or popen.stdout is None or popen.stderr is None:
        raise AssertionError("all three were asked for as pipes")
    return popen.stdin, popen.stdout, popen.stderr


def _is_whole(answer: bytearray) -> bool:
    return len(answer) >= HEADER.size and len(answer) >= HEADER.size + HEADER.unpack_from(answer)[0]


def _how(status: int | None) -> str:
    if status is None:
        return "it closed its output"
    return signal.Signals(-status).name if status < 0 else f"exit status {status}"
