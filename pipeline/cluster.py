"""Ray, behind one adapter: rows in shards on storage go through a pool of actors and come back as they are done.

Rows that travel are references (a few hundred bytes); whatever is heavy is fetched and left where it is worked on.
It knows nothing of documents or units.
"""

import io
import logging
import os
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import NOT_COMPLETE, DocumentError, PagemillError, RunError, StorageError, WorkersLost
from pipeline.process import children, end, wait
from pipeline.shards import Shards
from pipeline.sockets import folder_for
from pipeline.storage import open_store
from schemas.job import Job, Workers

STARTS = 3
RESTARTS = 2  # Ray's own default is for ever
CPUS_PER_ACTOR = 0.5  # a whole core each would starve the reads on a small machine
READER_CPUS = 0.25
CUTTER_CPUS = 0.2
LEAST_CPUS = 2  # for those two, and more than one actor
CORES_PER_MODEL = 4
CALLS_PER_GPU = 12  # each is drawing pages, or waits for its answers: together they ask for more than vLLM answers at once
SOCKET = "/ray/session_2026-12-31_23-59-59_123456_4194304/sockets/plasma_store"
"""The longest name that Ray gives a socket in the folder for temporary files."""


@dataclass(frozen=True, slots=True)
class Pool:
    """How many actors, and what each holds. `calls` run at once in one actor; native code there may use `threads`."""

    actors: int
    calls: int = 1
    gpus: float = 0.0
    threads: int = 1
    restarts: int = RESTARTS


def connect(workers: Workers) -> None:
    """Join the cluster that RAY_ADDRESS names, or start Ray on this machine; once a process."""
    import ray

    if ray.is_initialized():
        return
    here = not os.environ.get("RAY_ADDRESS")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers
    tells = bool(os.environ.get("PAGEMILL_RAY_LOGS"))
    on_sigterm = signal.getsignal(signal.SIGTERM)
    begin = partial(
        ray.init,
        address="local" if here else None,  # left alone, Ray would join whatever cluster was started last on this machine
        num_cpus=_cpus_here(workers) if here else None,
        num_gpus=ceil(workers.gpus) if here and workers.gpus else None,
        include_dashboard=False if here else None,
        log_to_driver=tells,
        logging_level=logging.ERROR,
        **(_folders() if here else {}),
    )
    with _native_silence():  # Ray's native part says on stderr that it will say nothing on stderr
        _begin(begin, tries=STARTS if here else 1)
    if here and sys.platform == "linux":
        node: Any = ray._private.worker._global_node  # noqa: SLF001 (nothing else says whom to watch)
        watched = (node.all_processes["raylet"][0].process.pid, ray.is_initialized)
        threading.Thread(target=_end_without, args=watched, name="pagemill-node", daemon=True).start()
    ray._private.worker._worker_logs_enabled = tells  # noqa: SLF001 (it would print on stdout, which is for results, that a node is gone)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, on_sigterm)  # Ray's own would end the process before what is done is published


def _cpus_here(workers: Workers) -> int:
    """Return as how many CPUs this machine is to count: those that the job names or there are, but never too few for anything to run."""
    import ray

    there = ray._private.utils.get_num_cpus()  # noqa: SLF001 (os.cpu_count() knows no container's share)
    return max(LEAST_CPUS, workers.cpus or int(there or 1))


def _folders() -> dict[str, Any]:
    """Return where Ray is to keep its files, if it cannot have its sockets where it would; what memory has no room for goes there all the same.

    Raises StorageError where no folder will do.
    """
    given = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or tempfile.gettempdir()  # as Ray looks for it
    short = folder_for(SOCKET, given, setting="RAY_TMPDIR")
    return {} if short == given else {"_temp_dir": f"{short}/ray", "object_spilling_directory": tempfile.gettempdir()}


def _begin(begin: Callable[[], object], tries: int) -> None:
    """Start Ray, and start it anew where its node took longer than the 30 s that Ray gives it; what the failed start left is ended.

    Raises StorageError where Ray cannot have its files.
    """
    before = children()
    try:
        begin()
    except Exception as error:  # Ray raises just that where one of its processes is slow to start
        if isinstance(error, OSError) and error.filename:
            said = f"{error.filename}: {error.strerror}"
            raise StorageError(f"Ray did not start: {said}; RAY_TMPDIR names the folder that it works in") from error
        if tries == 1:
            raise RunError(f"Ray did not start: {_first_line(error)} Run it again once this machine has less to do") from error
        for pid in children() - before:
            end(pid)
        _begin(begin, tries - 1)


def _end_without(pid: int, is_needed: Callable[[], bool]) -> None:
    """Wait for the end of Ray's node, and if it was still needed, end this process as one that did not complete.

    Ray's native code would end it all the same, seconds later, without a word and with 1, which says that the run is complete.
    """
    wait(pid)
    if is_needed():
        os.write(2, b"\npagemill: Ray's node on this machine is gone; the same command goes on where this one ended\n")
        os._exit(NOT_COMPLETE)


def cores(workers: Workers) -> int:
    """Return how many CPUs there are to use: those that the job names, as a cluster may have to grow to them, or all there are."""
    import ray

    return workers.cpus or max(1, int(ray.cluster_resources().get("CPU", 1)))  # type: ignore[no-untyped-call]


def pool_for(job: Job) -> Pool:
    """Return the actors that read pages: one a GPU share, or few on CPUs, as each holds the model and computes on all of its threads."""
    workers = job.workers
    if workers.gpus and job.model.engine != "scripted":
        actors = max(1, int(round(workers.gpus / workers.gpus_per_worker, 6)))  # 1 // 0.1 is 9
        return Pool(actors=actors, calls=CALLS_PER_GPU, gpus=workers.gpus_per_worker)
    if job.model.engine == "scripted":
        return Pool(actors=cores(workers))
    actors = max(1, cores(workers) // CORES_PER_MODEL)
    return Pool(actors=actors, calls=2, threads=max(1, cores(workers) // actors))


def stream(
    shards: Shards, worker: Callable[..., object], arguments: tuple[object, ...], *, rows_per_block: int, pool: Pool
) -> Generator[str]:
    """Send the rows of Parquet shards through actors of `worker`, in blocks of at most `rows_per_block`, and yield the strings they give.

    `worker(*arguments)` is called with a table and returns a table with one string column. Results come in any order, each as soon
    as its block is done. Raises what the worker raises of pipeline.errors, and WorkersLost when actors died more often than they may be
    restarted, RunError when Ray's object store is full; what was yielded until then holds.
    """
    from ray.exceptions import RayError

    _set_up()
    try:
        results = _results(shards, worker, arguments, rows_per_block, pool)
        for row in results.iter_rows():
            if row["error"]:
                raise _raised(row["error"], row["said"])
            yield row["said"]
    except RayError as error:
        raise _given_up(error) from error


def _results(
    shards: Shards, worker: Callable[..., object], arguments: tuple[object, ...], rows_per_block: int, pool: Pool
) -> Any:  # noqa: ANN401 (Ray's types say nothing)
    """Return Ray's dataset of what workers say: rows of an error, or none, and what was said."""
    import ray

    actors = min(pool.actors, shards.rows)
    block = max(1, min(rows_per_block, ceil(shards.rows / (actors * pool.calls))))
    listed = ray.data.from_items(list(shards.uris), override_num_blocks=len(shards.uris))
    rows = listed.map_batches(_read_shards, batch_size=1, batch_format="pyarrow", num_cpus=READER_CPUS)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # restarts have no named parameter in this Ray, and are endless unless given
        cut: Any = rows.repartition(target_num_rows_per_block=block)
        # It would take a whole CPU, which no node has left where a lost one's actors moved in with the others: all would wait for ever.
        cut._logical_plan.dag.ray_remote_args["num_cpus"] = CUTTER_CPUS  # noqa: SLF001 (Ray offers no other way)
        return cut.map_batches(
            type(worker.__name__, (_Guarded,), {}),  # Ray's process titles and dashboards say the worker's name
            batch_size=None,
            batch_format="pyarrow",
            fn_constructor_args=(worker, arguments),
            compute=ray.data.ActorPoolStrategy(
                size=min(actors, ceil(shards.rows / block)),
                max_concurrent_calls_per_actor=pool.calls,
                max_tasks_in_flight_per_actor=pool.calls + 1,
                enable_true_multi_threading=pool.calls > 1,
            ),
            num_cpus=0 if pool.gpus else CPUS_PER_ACTOR,
            num_gpus=pool.gpus or None,
            runtime_env={"env_vars": {"OMP_NUM_THREADS": str(pool.threads)}},  # Ray would allow one thread a core reserved
            max_restarts=pool.restarts,
            max_task_retries=pool.restarts,
        )


def _given_up(error: Exception) -> RunError:
    """Return why Ray gave up: for want of room, which is no unit's fault, or because workers died."""
    from ray.exceptions import ObjectStoreFullError, OutOfDiskError

    if any(isinstance(each, ObjectStoreFullError | OutOfDiskError) for each in (error, getattr(error, "cause", None))):
        return RunError(
            "Ray's object store is full, and so is the disk that it spills to; make room there (`ray memory` tells who holds "
            "what, `df` what is left), and run again to go on"
        )
    return WorkersLost(f"Ray gave up on the workers: {_first_line(error)}")


class _Guarded:
    """A worker whose errors of ours travel as data: Ray keeps the words of an exception and loses which one it was.

    Any other exception is a fault that some unit brought out, and counts like a worker's death: the unit is found and rejected.
    """

    def __init__(self, worker: Callable[..., Callable[[pa.Table], pa.Table]], arguments: tuple[object, ...]) -> None:
        self._start = partial(worker, *arguments)
        self._worker: Callable[[pa.Table], pa.Table] | None = None
        self._lock = threading.Lock()

    def __call__(self, rows: pa.Table) -> pa.Table:
        try:
            with self._lock:
                self._worker = self._worker or self._start()
            said = self._worker(rows).column(0).to_pylist()
            return pa.table({"error": [""] * len(said), "said": said})
        except PagemillError as error:
            return pa.table({"error": [type(error).__name__], "said": [str(error)]})


def _raised(name: str, said: str) -> PagemillError:
    """Return the error that a worker raised for the whole run (a checkpoint that cannot be served), as it raised it."""
    known = {each.__name__: each for each in _with_children(PagemillError) if each is not DocumentError}
    return known.get(name, RunError)(said)


def _with_children(error: type[PagemillError]) -> list[type[PagemillError]]:
    return [error, *(below for child in error.__subclasses__() for below in _with_children(child))]


def _read_shards(batch: pa.Table) -> pa.Table:
    uris = batch["item"].to_pylist()
    return pa.concat_tables(pq.read_table(io.BytesIO(open_store(uri).read(uri))) for uri in uris)


@contextmanager
def _native_silence() -> Iterator[None]:
    """Send what native code writes to stderr nowhere, for a moment; exceptions are as loud as ever."""
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _set_up() -> None:
    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.max_errored_blocks = 0  # a dropped block would be lost pages
    # Never: a block may take more than half an hour of a CPU, and so may a cluster to grow.
    context.execution_no_progress_timeout_s = -1
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what it would say as an error is raised, and reported once


def _first_line(error: BaseException) -> str:
    cause: Any = getattr(error, "cause", None) or error
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
