"""Publish: committed parts become the datasets that readers see.

New files are written first, then a list of what they replace, then the ledger's `current.json` moves, in one write, then what is
listed is removed, and the list last. Whatever is killed in between is put right by the next publication: files that the ledger does
not name are removed, parts that it does not hold as published are merged again, and a list that is still there is worked off. Only
one publication is at work on a sink at a time.

Iceberg tables follow the ledger once it has moved (pipeline/lake), and files that their older snapshots need stay.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.claim import Held, claim
from pipeline.errors import ObjectMissing
from pipeline.format import lake_of, shown_files
from pipeline.ledger import Ledger
from pipeline.merge import kept, write
from pipeline.places import Places, fields_beside, published
from pipeline.register import document_rows, judge, stale_dates
from pipeline.storage import Store, StoredObject
from schemas.arrow import DATASETS
from schemas.ledger import Current

if TYPE_CHECKING:
    from pipeline.lake import Lake

FILE_BYTES = 128 * 2**20
SMALL_BYTES = FILE_BYTES // 2  # published files below it are worth merging
DOCUMENTS_PER_FILE = 500_000

# The ranges that show, and the files in which this publication has put their rows: `merged` says which file became which.
_LIVE = """
CREATE OR REPLACE TEMP TABLE merged (input VARCHAR, output VARCHAR);
CREATE OR REPLACE TEMP VIEW live AS
SELECT cover.* REPLACE (coalesce(output, pages_file) AS pages_file, output IS NOT NULL OR is_published AS is_published)
FROM cover SEMI JOIN (SELECT source_id FROM source WHERE is_live) USING (source_id) LEFT JOIN merged ON pages_file = input
"""

_UNITS = """
SELECT * FROM live UNION ALL BY NAME
SELECT cover.* FROM cover SEMI JOIN (SELECT source_id FROM source WHERE is_newest AND NOT is_live AND NOT is_removed) USING (source_id)
"""

_SNAPSHOT = {
    "sources": """
        SELECT source.* EXCLUDE (covered, committed_at, pages_ok, pages_blank, pages_partial, pages_failed,
            is_whole, missing, is_newest, is_live, is_removed, row_state, row_at), said AS row_state, stands_at AS row_at
        FROM source LEFT JOIN (SELECT source_id, said, stands_at FROM judged) USING (source_id) ORDER BY uri""",
    "units": _UNITS,
    "files": "SELECT * FROM files ORDER BY dataset, file",
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """Files of pages/, relative to the sink, that become one; each goes with its companion in fields/."""

    processed_date: str
    inputs: tuple[str, ...]


def publish(ledger: Ledger, store: Store, places: Places, run_id: str, *, compact: bool = False, purge: bool = False) -> None:
    """Bring the datasets up to date with all that is committed on this sink; with `compact`, merge small files too.

    With `purge`, older snapshots of Iceberg tables go, so that rows which were dropped are nowhere any more. Waits while another run
    publishes.
    """
    with claim(store, places.claim("publication"), run_id, wait=True) as held, lake_of(store, places) or nullcontext() as lake:
        ledger.reload()
        _Publication(ledger, store, places, run_id, held, lake).run(compact=compact, purge=purge)
        ledger.reload()


def sweep(ledger: Ledger, store: Store, places: Places, ended: Collection[str], killed: Collection[str] = ()) -> None:
    """Remove what runs that are over left behind without committing it; the ledger must be as of after their end.

    A worker may outlive its run, and write for a while: runs that ended long ago are looked at again, in one listing for all of them.
    What runs that were killed had in flight stays, as evidence of what killed them.
    """
    needed = {file for (file,) in ledger.rows("SELECT DISTINCT pages_file FROM cover")}
    needed = {places.file(file) for file in needed | set(map(fields_beside, needed))}
    over = {*ended, *killed}
    staged = [item.uri for item in _listed(store, places.staging()) if places.run_of(item.uri) in over]
    in_flight = [item.uri for item in _listed(store, places.in_flight()) if places.run_of(item.uri) in ended]
    store.delete([*(uri for uri in staged if uri not in needed), *in_flight])


class _Publication:
    """One publication, while the sink's claim is held."""

    def __init__(
        self, ledger: Ledger, store: Store, places: Places, run_id: str, held: Held, lake: "Lake | None" = None
    ) -> None:
        self._ledger, self._store, self._places, self._held, self._lake = ledger, store, places, held, lake
        self._run_id = run_id
        number = int(ledger.current.generation.split("-")[0] or 0) + 1
        self._generation = f"{number:08d}-{run_id}"
        self._replaced: list[str] = []
        self._written = 0

    def run(self, *, compact: bool, purge: bool = False) -> None:
        if self._lake:
            self._lake.prepare()
        self._remove_strays()
        self._remove_replaced()
        self._ledger.execute(_LIVE)
        for bundle in (*self._dirty(), *self._fresh()):
            self._merge(bundle)
        if compact:
            for bundle in self._small():
                self._merge(bundle)
        self._write_documents()
        if self._written or self._replaced or self._ledger.unfolded:
            self._switch()
        elif self._lake:
            self._follow(self._lake, self._ledger.current.generation)
        if purge and self._lake:
            self._lake.forget_history(self._held.check)
            self._remove_strays()

    def _dirty(self) -> list[Bundle]:
        """Return the published files in which some rows no longer hold."""
        found = self._ledger.rows(
            "SELECT processed_date, file FROM files LEFT JOIN live ON live.pages_file = files.file "
            "WHERE dataset = 'pages' GROUP BY processed_date, file, n_rows HAVING coalesce(sum(n_pages), 0) <> n_rows ORDER BY file"
        )
        return [Bundle(date, (file,)) for date, file in found]

    def _fresh(self) -> list[Bundle]:
        """Return the committed parts that are not published, in bundles that make a file of the right size."""
        found = self._ledger.rows(
            "SELECT strftime(processed_at, '%Y-%m-%d') AS date, pages_file FROM live WHERE NOT is_published GROUP BY ALL ORDER BY ALL"
        )
        sizes = self._staged_sizes() if found else {}
        return list(_bundles((date, file, sizes.get(self._places.file(file), 0)) for date, file in found))

    def _small(self) -> list[Bundle]:
        found = self._ledger.rows(
            "SELECT processed_date, file, n_bytes FROM files WHERE dataset = 'pages' AND n_bytes < $1 ORDER BY ALL",
            [SMALL_BYTES],
        )
        return [bundle for bundle in _bundles(found) if len(bundle.inputs) > 1]

    def _staged_sizes(self) -> dict[str, int]:
        return {item.uri: item.size_bytes for item in _listed(self._store, self._places.staging())}

    def _merge(self, bundle: Bundle) -> None:
        """Write a bundle's rows into a new file each of pages/ and fields/, and let the ledger's ranges point there."""
        ranges = self._ranges(bundle.inputs)
        pages = [kept(self._store, self._places, file, ranges[file]) for file in bundle.inputs]
        output = None
        if any(len(rows) for rows in pages):
            fields = [kept(self._store, self._places, fields_beside(file), ranges[file]) for file in bundle.inputs]
            output = published(self._folder("pages"), bundle.processed_date, self._next_name())
            self._write("pages", bundle.processed_date, pages, output)
            self._write("fields", bundle.processed_date, fields, fields_beside(output))
        self._drop([*bundle.inputs, *map(fields_beside, bundle.inputs)])
        inputs = list(bundle.inputs)
        self._ledger.execute("UPDATE merged SET output = $1 WHERE output IN (SELECT unnest($2::VARCHAR[]))", [output, inputs])
        self._ledger.execute("INSERT INTO merged SELECT unnest($2::VARCHAR[]), $1", [output, inputs])

    def _ranges(self, files: Sequence[str]) -> dict[str, pa.Table]:
        """Return which pages of which sources each file of pages/ holds; looked for once for all of them, as there may be many ranges."""
        query = "SELECT pages_file, source_id, first_page, n_pages FROM live WHERE pages_file IN (SELECT unnest($1::VARCHAR[]))"
        found = self._ledger.table(query, [list(files)])
        return {file: found.filter(pc.field("pages_file") == file) for file in files}

    def _write_documents(self) -> None:
        """Write documents/ anew for every day on which a row says something else than before."""
        judge(self._ledger)
        for date in stale_dates(self._ledger):
            old = self._ledger.rows("SELECT file FROM files WHERE dataset = 'documents' AND processed_date = $1", [date])
            rows = document_rows(self._ledger, date)
            for start in range(0, len(rows), DOCUMENTS_PER_FILE):
                output = published(self._folder("documents"), date, self._next_name())
                self._write("documents", date, [rows.slice(start, DOCUMENTS_PER_FILE)], output)
            self._drop([file for (file,) in old])

    def _write(self, dataset: str, date: str, tables: list[pa.Table], output: str) -> None:
        schema = self._lake.schema(dataset) if self._lake else None
        size = write(self._store, self._places, dataset, tables, output, schema)
        self._ledger.execute(
            "INSERT INTO files VALUES ($1, $2, $3, $4, $5)", [dataset, output, date, size.n_rows, size.n_bytes]
        )

    def _drop(self, files: list[str]) -> None:
        """Strike files from the list; they are removed once the ledger has moved on."""
        self._ledger.execute("DELETE FROM files WHERE file IN (SELECT unnest($1::VARCHAR[]))", [files])
        self._replaced.extend(files)

    def _folder(self, dataset: str) -> str:
        return self._lake.folder(dataset) if self._lake else dataset

    def _next_name(self) -> str:
        self._written += 1
        return f"{self._generation}-{self._written:05d}"

    def _switch(self) -> None:
        """Let the ledger name the new files, and remove what nobody needs any more."""
        self._ledger.save(self._generation, _SNAPSHOT)
        staged = {file for (file,) in self._ledger.rows("SELECT DISTINCT pages_file FROM cover")}
        needed = {file for (file,) in self._ledger.rows(f"SELECT DISTINCT pages_file FROM ({_UNITS})")}  # noqa: S608 (our own)
        gone = {*self._replaced, *staged, *map(fields_beside, staged)} - {*needed, *map(fields_beside, needed)}
        self._store.write(self._replaced_uri(self._generation), "\n".join(sorted(gone)).encode())
        before = self._ledger.current
        self._held.check()  # another run may have published while this one slept
        current = Current(generation=self._generation, folded=(*self._ledger.folded_and_there, *self._ledger.unfolded))
        self._store.write(self._places.ledger("current.json"), current.model_dump_json().encode())
        if self._lake:
            self._follow(self._lake, self._generation)
        # Snapshots before records: who still loads an older snapshot must miss it, rather than records that it lacks.
        self._remove_snapshots(keep={self._generation, before.generation})
        self._store.delete(self._places.ledger(*name.split("/")) for name in self._ledger.folded_and_there)
        self._remove(gone)
        self._store.delete([self._replaced_uri(self._generation)])

    def _remove_strays(self) -> None:
        """Remove files of an earlier publication that was cut off: written but not named, or replaced but not yet removed."""
        named = {file for (file,) in self._ledger.rows("SELECT file FROM files")} | self._kept()
        named = {self._places.file(file) for file in named}
        for dataset in DATASETS:
            found = (item.uri for item in _listed(self._store, self._places.dataset(dataset)))
            self._store.delete([uri for uri in found if uri not in named and uri.rsplit("/", 1)[-1].startswith("part-")])

    def _remove_replaced(self) -> None:
        """Work off the list of an earlier publication that was cut off after it had moved the ledger; one that had not is void."""
        for item in list(_listed(self._store, self._places.ledger("replaced"))):
            if item.uri == self._replaced_uri(self._ledger.current.generation):
                self._remove(self._store.read(item.uri).decode().splitlines())
            self._store.delete([item.uri])

    def _follow(self, lake: "Lake", generation: str) -> None:
        """Let the Iceberg tables show what the ledger names."""
        lake.follow(shown_files(self._ledger), generation, self._run_id, self._held.check)

    def _remove(self, files: Iterable[str]) -> None:
        self._store.delete(self._places.file(file) for file in sorted(set(files) - self._kept()))

    def _kept(self) -> set[str]:
        """Return the files that older snapshots of Iceberg tables still need."""
        return self._lake.kept() if self._lake else set()

    def _replaced_uri(self, generation: str) -> str:
        return self._places.ledger("replaced", f"{generation}.txt")

    def _remove_snapshots(self, keep: set[str]) -> None:
        found = [item.uri for item in _listed(self._store, self._places.ledger("snapshots"))]
        self._store.delete([uri for uri in found if uri.split("/")[-2] not in keep])


def _listed(store: Store, uri: str) -> Iterator[StoredObject]:
    try:
        yield from store.list(uri)
    except ObjectMissing:
        return


def _bundles(files: Iterable[tuple[str, str, int]]) -> Iterator[Bundle]:
    """Group (date, file, bytes), sorted by date, into bundles of one date and at most FILE_BYTES."""
    date, inputs, total = "", list[str](), 0
    for next_date, file, n_bytes in files:
        if inputs and (next_date != date or total + n_bytes > FILE_BYTES):
            yield Bundle(date, tuple(inputs))
            inputs, total = [], 0
        date, total = next_date, total + n_bytes
        inputs.append(file)
    if inputs:
        yield Bundle(date, tuple(inputs))
