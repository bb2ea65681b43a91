"""Mutual exclusion on any store, conditional writes or not: one claim, held by one process at a time.

How: put one's own claim into a folder, then list the folder. Only who finds his own there, and no other live one, holds it; everyone else
withdraws. Of several that want it at the same moment, the one whose name sorts first waits for the others to withdraw.

Why two can never hold it: suppose A and B do. Each found its own claim in a listing that lacked the other's. One of these listings came
later, say B's. A's claim was in the earlier one and was not withdrawn, and yet it is missing from the later. So what is relied on is just
this: **a listing never loses what an earlier listing showed, unless it was removed**. Amazon S3 (since 2020), MinIO, Ceph and local file
systems promise more (what is written is listed at once). Swift lists late at times, but then one does not find one's own, and tries on.
A claim is put once and never replaced, because POSIX lets a folder's reader miss a name that is replaced while it reads.

Signs of life are an object of their own, replaced every 15 s, that also says whether the claim is wanted or held, and whose it is, since who is
killed between the two leaves a sign alone. A claim is dead when its last sign is `dead_after_s` older than one's own (both by the store's
clock, so that machines' clocks don't matter), or when its process was on this very machine and is gone. That makes it a lease: a process that
sleeps for longer and wakes has lost its claim without knowing it. Whoever holds one therefore calls `check()` right before a step that must
not happen twice.
"""

import logging
import os
import random
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import ValidationError

from pipeline.errors import JobLocked, ObjectMissing, StorageError
from pipeline.process import machine, started
from pipeline.storage import Store, StoredObject, join
from schemas.claim import Claim, Sign

BEAT_S = 15.0
DEAD_AFTER_S = 90.0
_CLAIM, _SIGN = ".claim.json", ".sign"
_UNSEEN_TRIES = 20
_LONGEST_PAUSE_S = 5.0
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # it goes on while the machine is suspended
_log = logging.getLogger(__name__)


@contextmanager
def claim(
    store: Store, folder_uri: str, owner: str, *, wait: bool = False, beat_s: float = BEAT_S, dead_after_s: float = DEAD_AFTER_S
) -> Iterator["Held"]:
    """Hold the claim of a folder within the block; `owner` is what others are told.

    Raises JobLocked, naming who has it; with `wait`, waits instead for as long as others live.
    """
    pauses = _pauses()
    while isinstance(taken := _take(store, folder_uri, owner, dead_after_s), Other):
        if not wait:
            raise JobLocked(taken.words(dead_after_s))
        _log.info("waiting: %s", taken.words(dead_after_s))
        time.sleep(next(pauses))
    stop = threading.Event()
    beat = threading.Thread(target=taken.beat, args=(stop, beat_s), name=f"claim of {owner}", daemon=True)
    beat.start()
    try:
        yield taken
    finally:
        stop.set()
        beat.join()
        taken.withdraw()


@dataclass(frozen=True, slots=True)
class Other:
    """Someone else's live claim."""

    name: str
    sign: Sign
    silent_s: float

    def words(self, dead_after_s: float) -> str:
        """Return the sentence for the person who was refused."""
        who, left_s = self.sign, max(1, round(dead_after_s - self.silent_s))
        return (
            f"{who.owner} is at work here: process {who.pid} on {who.host}, since {who.since:%Y-%m-%d %H:%M:%S} UTC; "
            f"let it end, or, if it was killed, try again in {left_s} s"
        )


class Held:
    """One's own claim, wanted first and then held."""

    def __init__(self, store: Store, folder_uri: str, owner: str, dead_after_s: float) -> None:
        self._store, self._folder_uri, self._dead_after_s = store, folder_uri, dead_after_s
        self._name = secrets.token_hex(8)
        self._own = _own(owner)
        self._signed_at = 0.0
        self._is_lost = False

    def check(self) -> None:
        """Raise JobLocked if the claim may have passed to someone else: it was taken for dead, or no sign of life got through for too long."""
        if self._is_lost or self._is_overdue():
            raise JobLocked(
                f"{self._own.owner} lost its claim: no sign of life reached the store in time; run it again to go on"
            )

    def contend(self) -> Other | None:
        """Return None once the claim is held, or whoever has it."""
        self._sign("wanting")
        self._store.write(self._uri(_CLAIM), self._own.model_dump_json().encode())
        pauses = _pauses()
        for _ in range(_UNSEEN_TRIES):
            while (others := self._others()) is not None:
                ahead = [other for other in others if other.sign.state == "holding" or other.name < self._name]
                if ahead:
                    return min(ahead, key=lambda other: other.sign.state)  # "holding" sorts before "wanting"
                if not others and not self._is_overdue():
                    self._sign("holding")
                    return None
                time.sleep(next(pauses))
                self._sign("wanting")
            time.sleep(next(pauses))
        raise StorageError(
            f"{self._folder_uri}: the store does not list what was written to it, so runs cannot be kept apart on it"
        )

    def beat(self, stop: threading.Event, beat_s: float) -> None:
        """Give signs of life until `stop`; a claim that someone has removed is lost for good."""
        while not stop.wait(beat_s):
            try:
                if self._is_overdue() or not self._store.exists(self._uri(_CLAIM)):
                    self._is_lost = True
                    return
                self._sign("holding")
            except StorageError as exc:
                _log.warning("a sign of life did not get through: %s", exc)

    def withdraw(self) -> None:
        """Remove the claim; one that cannot be removed dies by itself."""
        try:
            self._remove(self._name)
        except StorageError as exc:
            _log.warning("a claim stays behind, and counts as dead in %d s: %s", self._dead_after_s, exc)

    def _sign(self, state: Literal["wanting", "holding"]) -> None:
        signed_at = time.clock_gettime(_CLOCK)
        sign = Sign(**self._own.model_dump(), state=state)
        self._store.write(self._uri(_SIGN), sign.model_dump_json().encode())
        self._signed_at = signed_at

    def _is_overdue(self) -> bool:
        return time.clock_gettime(_CLOCK) - self._signed_at > self._dead_after_s

    def _others(self) -> list[Other] | None:
        """Return the other live claims, and remove the dead; None where one's own is not listed (yet)."""
        listed = {item.uri.rpartition("/")[2]: item for item in self._store.list(self._folder_uri)}
        own_sign = listed.get(f"{self._name}{_SIGN}")
        if own_sign is None or f"{self._name}{_CLAIM}" not in listed:
            return None
        names = {name.partition(".")[0] for name in listed} - {self._name}
        return [other for name in sorted(names) if (other := self._other(name, listed, own_sign)) is not None]

    def _other(self, name: str, listed: dict[str, StoredObject], own_sign: StoredObject) -> Other | None:
        claimed = listed.get(f"{name}{_CLAIM}")
        try:
            # a sign that is just being replaced may be missing from a listing, never from the store
            sign = listed.get(f"{name}{_SIGN}") or self._store.stat(self._uri(_SIGN, name))
            silent_s = (
                (own_sign.modified_at - sign.modified_at).total_seconds() if own_sign.modified_at and sign.modified_at else 0.0
            )
            if silent_s > self._dead_after_s:
                self._remove(name)
                return None
            theirs = Sign.model_validate_json(self._store.read(sign.uri))
        except ObjectMissing:  # withdrawn since
            return None
        except ValidationError as exc:
            raise JobLocked(
                f"{self._uri(_SIGN, name)}: this version cannot read it; update, or remove it if nothing runs"
            ) from exc
        if self._is_gone(theirs):
            self._remove(name)
            return None
        return Other(name, theirs, silent_s) if claimed else None

    def _is_gone(self, theirs: Sign) -> bool:
        """Return whether it is certain that its process runs no more."""
        if theirs.machine is None or theirs.machine != self._own.machine or theirs.process_started is None:
            return False
        return started(theirs.pid) != theirs.process_started

    def _remove(self, name: str) -> None:
        self._store.delete([self._uri(_CLAIM, name)])
        self._store.delete([self._uri(_SIGN, name)])

    def _uri(self, suffix: str, name: str = "") -> str:
        return join(self._folder_uri, f"{name or self._name}{suffix}")


def _own(owner: str) -> Claim:
    pid = os.getpid()
    return Claim(
        owner=owner,
        host=socket.gethostname(),
        pid=pid,
        machine=machine(),
        process_started=started(pid),
        since=datetime.now(UTC),
    )


def _take(store: Store, folder_uri: str, owner: str, dead_after_s: float) -> Held | Other:
    """Try once under a new name; return the claim, held, or who has it, after withdrawing."""
    held = Held(store, folder_uri, owner, dead_after_s)
    other: Other | None = None
    try:
        other = held.contend()
    except BaseException:
        held.withdraw()
        raise
    if other is not None:
        held.withdraw()
    return other or held


def _pauses() -> Iterator[float]:
    """Yield ever longer random pauses, in seconds, so that those who wait do not come back together."""
    longest_s = 0.2
    while True:
        yield random.uniform(0.05, longest_s)  # noqa: S311 (no secret)
        longest_s = min(longest_s * 2, _LONGEST_PAUSE_S)
