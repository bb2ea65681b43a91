"""A proxy before an S3 server that fails now and then, as networks and stores do: by a seed, at a rate, and counted."""

import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FAULTS = ("500", "503", "reset", "lost_answer", "stall", "half_body")
_ERRORS = {"500": (500, "InternalError"), "503": (503, "SlowDown")}
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect"}


class FaultyProxy(ThreadingHTTPServer):
    """Passes requests on to `upstream_url`, and spoils `rate` of them (at most `most`).

    `counts` says how many of each fault, and of "requests"; `writes` how many of these would put an object. `refusal`,
    once set, is the status and the code that every request to put one is answered. `upstream_failures` counts what the server behind
    it failed by itself, as one on a busy machine does.
    """

    daemon_threads = True

    def __init__(
        self,
        upstream_url: str,
        *,
        rate: float,
        seed: int,
        faults: Sequence[str] = FAULTS,
        stall_s: float = 1.0,
        most: int | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream_url).netloc
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.rate, self.faults, self.stall_s = rate, faults, stall_s
        self.most = most
        self.counts: Counter[str] = Counter()
        self.writes = 0
        self.upstream_failures = 0
        self.refusal: tuple[int, str] | None = None
        self._random = random.Random(seed)  # noqa: S311 (no secret)
        self._lock = threading.Lock()

    def draw(self, method: str) -> str | None:
        """Return what to do wrong with the next request."""
        with self._lock:
            self.writes += method == "PUT"
            may = self.most is None or self.spoiled < self.most
            fault = self._random.choice(self.faults) if may and self._random.random() < self.rate else None
            self.counts["requests"] += 1
            return fault

    def disturb(self, *, rate: float, seed: int | str) -> None:
        """Spoil another share of the requests from now on, and count them anew."""
        with self._lock:
            self.rate, self._random = rate, random.Random(seed)  # noqa: S311 (no secret)
            self.counts.clear()
            self.upstream_failures = 0

    def failed_upstream(self) -> None:
        """Note that the server behind failed by itself."""
        with self._lock:
            self.upstream_failures += 1

    def count(self, fault: str) -> None:
        """Note that a request was spoiled."""
        with self._lock:
            self.counts[fault] += 1

    @property
    def spoiled(self) -> int:
        """Return how many requests were spoiled so far."""
        return sum(self.counts.values()) - self.counts["requests"]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are what this is for."""


@contextmanager
def running(proxy: FaultyProxy) -> Iterator[FaultyProxy]:
    """Serve within the block."""
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyProxy

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.draw(self.command)
        if self.command == "PUT" and self.server.refusal:
            self._refuse(*self.server.refusal)
        elif fault in _ERRORS:
            self.server.count(fault)
            self._refuse(*_ERRORS[fault])
        elif fault in {"reset", "stall"}:
            self.server.count(fault)
            time.sleep(self.server.stall_s if fault == "stall" else 0)
            self._reset()
        else:
            self._forward(body, fault)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _handle  # noqa: N815 (the base class's names)

    def _forward(self, body: bytes, fault: str | None) -> None:
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=60)
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    upstream.putheader(name, value)
            upstream.endheaders(body)
            answer = upstream.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.server.failed_upstream()
            self._reset()
            return
        finally:
            upstream.close()
        if answer.status >= http.client.INTERNAL_SERVER_ERROR:
            self.server.failed_upstream()
        if fault == "lost_answer":
            self.server.count(fault)
            self._reset()
            return
        self.send_response(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP | {"content-length", "date", "server"}:
                self.send_header(name, value)
        # a HEAD has the length of a body that it does not have
        self.send_header(
            "Content-Length", answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        )
        self.end_headers()
        if fault == "half_body" and len(content) > 1:
            self.server.count(fault)
            self.wfile.write(content[: (len(content) + 1) // 2])
            self._reset()
            return
        self.wfile.write(content)

    def _refuse(self, status: int, code: str) -> None:
        content = (
            f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>by a proxy</Message></Error>".encode()
        )
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _reset(self) -> None:
        """Hang up rudely: what was not sent is lost, and the client gets a reset."""
        self.wfile.flush()
        time.sleep(0.01)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""
