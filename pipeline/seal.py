"""A seal on a finished job: what was listed and how the sink lay when nothing was left to do. While both are still so, nothing is.

Comparing takes a few listings of the machine's own files, where working it out anew takes the whole ledger. A seal that does not hold
says nothing: any other run's delivery breaks it, and so does a file of the datasets that came or went. Iceberg tables keep files of their
own among those, so that a sink with tables is always worked out anew, and its tables follow a publication that was cut off.
"""

from importlib.metadata import version

from pipeline.errors import ObjectMissing
from pipeline.ledger import Ledger, Records
from pipeline.places import Places
from pipeline.questions import questions
from pipeline.storage import Store
from schemas.arrow import DATASETS
from schemas.job import Job
from schemas.source import identity


class Seal:
    """The seal of one job, or of one of its shards; `backfill` is another question, and has an answer of its own."""

    def __init__(self, store: Store, places: Places, job: Job, *, backfill: bool) -> None:
        self._store, self._places = store, places
        part, parts = job.workers.shard_of
        self._uri = places.seal(f"{job.name}-{part + 1}-of-{parts}")
        asked = (question.fingerprint for question in questions(job))
        self._asked = identity(version("pagemill"), str(backfill), *asked)

    def holds(self, listed: str, ledger: Ledger) -> bool:
        """Return whether a run that lists this (a manifest's digest) over this sink would find nothing to do; the ledger need not be loaded."""
        try:
            sealed = self._store.read(self._uri).decode()
        except ObjectMissing:
            return False
        return sealed == self._digest(listed, ledger.stored(), self._published())

    def press(self, listed: str, ledger: Ledger) -> None:
        """Seal the sink as the loaded ledger knows it, in which a run that lists this finds nothing to do."""
        named = [self._places.file(file) for (file,) in ledger.rows("SELECT file FROM files")]
        if ledger.loaded is not None:
            self._store.write(self._uri, self._digest(listed, ledger.loaded, named).encode())

    def _digest(self, listed: str, records: Records, files: list[str]) -> str:
        names = sorted(records.names)
        return identity(self._asked, listed, records.generation, len(names), *names, *sorted(files))

    def _published(self) -> list[str]:
        """Return the files of the datasets, and with them any list of what a publication that was cut off has yet to remove."""
        return [
            uri
            for folder in (*map(self._places.dataset, DATASETS), self._places.ledger("replaced"))
            for uri in self._listed(folder)
        ]

    def _listed(self, folder_uri: str) -> list[str]:
        try:
            return [item.uri for item in self._store.list(folder_uri)]
        except ObjectMissing:
            return []
