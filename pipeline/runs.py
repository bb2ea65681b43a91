"""The record that every run leaves under `_pagemill/runs/<run_id>/`: how it was asked for, and what came of it.

`_SUCCESS-<job>` beside the datasets is for whatever starts next: it holds the summary of the job's run that ended last with exit code 0,
and is gone while a run of the job is at work and after one that fell short. Each shard of a job has its own, `_SUCCESS-<job>-2-of-16`.

A run without an end is at work, or was killed. Whoever holds the job's claim knows that it is the latter.
"""

from collections import defaultdict
from dataclasses import dataclass

from pipeline.errors import JobError, ObjectMissing
from pipeline.ledger import Ledger
from pipeline.places import Places
from pipeline.storage import Store
from schemas.job import Job
from schemas.run import RunRecord, RunSummary

BEGUN, ENDED, BURIED = "run.json", "summary.json", "abandoned"
SUCCESS = "_SUCCESS"


@dataclass(frozen=True, slots=True)
class Earlier:
    """Runs that are over. None of them commits any more; a worker that outlives one may still write what nobody needs."""

    killed: tuple[str, ...] = ()
    """Those of one job and shard whose leavings nobody has seen to."""
    ended: frozenset[str] = frozenset()
    """Those of any job that came to an end, or were killed and have been seen to."""


def require_sink(ledger: Ledger, store: Store, places: Places) -> None:
    """Raise JobError where no run has been, most likely as the name is misspelt; a sink whose runs found nothing is one."""
    if ledger.is_empty and not Runs(store, places).begun():
        raise JobError(f"{places.sink_uri} holds no results of Pagemill; name the folder that a job's `sink.uri` names")


class Runs:
    """The runs of a sink."""

    def __init__(self, store: Store, places: Places) -> None:
        self._store, self._places = store, places

    def begin(self, record: RunRecord) -> None:
        """Leave the record of a run that starts, and take away the marker of the job's last that ended well."""
        self._store.delete([self._marker(record.job.name, record.job.workers.shard)])
        self._write(record.run_id, BEGUN, record.model_dump_json(indent=1).encode())

    def end(self, summary: RunSummary) -> None:
        """Leave the summary of a run that ends, remove what it worked with, and mark the job where the run is complete and accepted."""
        said = summary.model_dump_json(indent=1).encode()
        self._write(summary.run_id, ENDED, said)
        self._remove_lists(summary.run_id)
        if summary.exit_code == 0:
            self._store.write(self._marker(summary.job_name, summary.shard), said)

    def earlier(self, job: Job, run_id: str) -> Earlier:
        """Return the runs that are over by now; `run_id` is the one at work, which holds the job's claim."""
        files: dict[str, set[str]] = defaultdict(set)
        for uri in self._list(self._places.runs()):
            files[self._places.run_of(uri)].add(uri.rpartition("/")[2])
        ended = {run for run, names in files.items() if names & {ENDED, BURIED}}
        unended = (run for run, names in files.items() if BEGUN in names and run not in {run_id, *ended})
        return Earlier(killed=tuple(sorted(run for run in unended if self._is_of(run, job))), ended=frozenset(ended))

    def begun(self) -> list[RunRecord]:
        """Return how every run was asked for, in the order of their ids, which is that of time; keys that others' versions wrote are left out."""
        return [RunRecord.model_validate_json(data, extra="ignore") for data in self._every(BEGUN)]

    def ended(self) -> list[RunSummary]:
        """Return what came of every run that ended, in the same order."""
        return [RunSummary.model_validate_json(data, extra="ignore") for data in self._every(ENDED)]

    def bury(self, run_id: str) -> None:
        """Mark a killed run as one whose leavings were seen to."""
        self._write(run_id, BURIED, b"")
        self._remove_lists(run_id)

    def _marker(self, job_name: str, shard: str) -> str:
        of = "" if shard == "1/1" else "-" + shard.replace("/", "-of-")
        return self._places.file(f"{SUCCESS}-{job_name}{of}")

    def _is_of(self, run_id: str, job: Job) -> bool:
        record = RunRecord.model_validate_json(self._store.read(self._places.runs(run_id, BEGUN)), extra="ignore")
        return (record.job.name, record.job.workers.shard) == (job.name, job.workers.shard)

    def _every(self, name: str) -> list[bytes]:
        return [self._store.read(uri) for uri in sorted(self._list(self._places.runs())) if uri.endswith(f"/{name}")]

    def _remove_lists(self, run_id: str) -> None:
        keep = {self._places.runs(run_id, name) for name in (BEGUN, ENDED, BURIED)}
        left = [*self._list(self._places.runs(run_id)), *self._list(self._places.in_flight(run_id))]
        self._store.delete([uri for uri in left if uri not in keep])

    def _write(self, run_id: str, name: str, data: bytes) -> None:
        self._store.write(self._places.runs(run_id, name), data)

    def _list(self, folder_uri: str) -> list[str]:
        try:
            return [item.uri for item in self._store.list(folder_uri)]
        except ObjectMissing:
            return []
