"""Processes for test_company.py: a run whose Ray is this process alone, and a writer that supersedes made-up pages for ever.

python companion.py run NAME SOURCE SINK SHARD TASK
python companion.py write SINK ROUND ROUNDS
"""

import importlib.util
import sys
from collections.abc import Generator
from pathlib import Path
from types import ModuleType

import pyarrow as pa

from jobs.cli import main as pagemill
from pipeline import cluster
from pipeline.cluster import Pool
from pipeline.flow import run
from pipeline.publish import publish, sweep
from pipeline.shards import Shards
from pipeline.storage import open_store
from schemas.job import AnswerField, AnswerTask, Job, Model, OcrTask, Render, Sink, Source, Workers

TASKS = {
    "ocr": OcrTask(type="ocr"),
    "answer": AnswerTask(type="answer", fields=(AnswerField(name="total", question="what is the total?"),)),
}
SOURCES, PAGES = 20, 50


def main() -> None:
    """Do what the command line says."""
    what, *arguments = sys.argv[1:]
    cluster.connect, cluster.cores, cluster.stream = _connect, _cores, _stream
    if what == "pagemill":
        sys.argv = [what, *arguments]
        pagemill()
    elif what == "run":
        _run(*arguments)
    else:
        _write(*arguments)


def _run(name: str, source: str, sink: str, shard: str, task: str) -> None:
    """Run a job of one task."""
    job = Job(
        name=name,
        source=Source(uri=source),
        model=Model(engine="scripted"),
        render=Render(text_layer="ignore"),
        tasks=(TASKS[task],),
        workers=Workers(cpus=1, shard=shard),
        sink=Sink(uri=sink),
    )
    sys.stdout.write(run(job).model_dump_json())


def _connect(workers: Workers) -> None:
    """Start no Ray."""
    del workers


def _cores(workers: Workers) -> int:
    """Return the one that this process has."""
    del workers
    return 1


def _stream(shards: Shards, worker: type, arguments: tuple[object, ...], *, rows_per_block: int, pool: Pool) -> Generator[str]:
    """Send rows through one worker here, as many at a time as would go to one of Ray's."""
    del pool
    here = worker(*arguments)  # what it starts ends with this process
    for uri in shards.uris:
        rows = cluster._read_shards(pa.table({"item": [uri]}))
        for start in range(0, len(rows), rows_per_block):
            yield from here(rows.slice(start, rows_per_block)).column(0).to_pylist()


def _write(sink: str, round_: str, rounds: str) -> None:
    """Give all pages new rows, commit them source by source, publish and compact; as often as is said."""
    book = _machine().Book(sink)
    book.runs = int(round_) * 1000  # names of its own, as later runs have
    book.tick(days=int(round_))
    for number in range(int(rounds)):
        word = f"round {round_}" if rounds == "1" else f"round {round_}.{number}"
        with book.run() as made:
            known = [made.inspect(f"{source}.pdf", "1", PAGES) for source in range(SOURCES)]
            for each in known:
                made.commit(made.stage(each, 0, PAGES, word=word))
            made.publish()
            publish(made.ledger, open_store(sink), book.places, made.run_id, compact=True)
            if rounds == "1":
                dead = {item.uri.split("/staging/")[1].split("/")[0] for item in open_store(sink).list(book.places.staging())}
                sweep(made.ledger, open_store(sink), book.places, dead)


def _machine() -> ModuleType:
    path = Path(__file__).parents[1] / "pipeline" / "machine.py"
    spec = importlib.util.spec_from_file_location("pagemill_tests_machine", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is not there")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
