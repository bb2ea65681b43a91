"""The mapping from shapes to Arrow: types and names that every engine reads, nothing lost, and two schema versions side by side."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.arrow import DATASETS, from_table, schema_of, to_table
from schemas.box import Box
from schemas.field import FieldRow, FieldValue
from schemas.page import CompletionRecord, Failure, Line, PageRow
from schemas.shape import Shape
from schemas.source import DocumentRow
from schemas.table import Cell, Table

AT = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)
BOX = Box(x0=1.5, y0=2.0, x1=30.25, y1=40.0)
FAILURE = Failure(stage="decode", code="cut_off", message="the answer was cut off", task="ocr")
RUN = {"job_name": "job", "run_id": "run", "processed_at": AT}

DOCUMENT = DocumentRow(
    source_id="s1", document_id="d1", source_uri="s3://b/Größe #1 100%.pdf", source_version="etag", media_type="application/pdf",
    size_bytes=2**40, source_modified_at=AT, page_count=2, pages_ok=1, pages_failed=1, status="partial", failures=(FAILURE,), **RUN,
)  # fmt: skip
PAGE = PageRow(
    page_id="p1", source_id="s1", document_id="d1", source_uri="s3://b/a.pdf", page_index=0, width_pt=595.0, height_pt=842.0, rotation=90,
    status="partial", text="one\ntwo – 日本語", text_source="model", lines=(Line(text="one", box=BOX, confidence=0.5), Line(text="two")),
    tables=(Table(table_index=0, n_rows=1, n_cols=1, html="<table/>", cells=(Cell(row_index=0, col_index=0, text="x", box=BOX),)),),
    completions=(
        CompletionRecord(
            task="ocr", prompt="ocr", view="page", affine=(1.0, 0.0, 0.0, 1.0, 0.0, 0.0), rung=0, raw="…", finish_reason="length", tokens=9
        ),
    ),
    failures=(FAILURE,), seconds=0.125, **RUN,
)  # fmt: skip
BLANK = PageRow(
    page_id="p2", source_id="s1", document_id="d1", source_uri="s3://b/a.pdf", page_index=1, status="blank", seconds=0.0, **RUN
)
FIELD = FieldRow(
    field_id="f1", page_id="p1", source_id="s1", source_uri="s3://b/a.pdf", page_index=0, name="total", question="what is the total?",
    status="ok", value_text="€ 1,234.56", value_number=Decimal("1234.56"), value_date=date(2026, 3, 4), value_bool=True, currency="EUR",
    box=BOX, box_source="text_layer", value_source="model", task_fingerprint="t", resolution=448, rung=0, run_id="run", processed_at=AT,
)  # fmt: skip
ROWS: dict[str, list[Shape]] = {"documents": [DOCUMENT], "pages": [PAGE, BLANK], "fields": [FIELD]}

# Reserved somewhere: by Athena (DDL and SELECT), Snowflake and Spark in ANSI mode, from their documentation; DuckDB is asked itself.
RESERVED = frozenset(
    """
    all alter and any array as asc authorization between bigint binary boolean both by case cashe cast char check collate column commit
    conf connect connection constraint create cross cube current current_catalog current_date current_path current_role current_schema
    current_time current_timestamp current_user cursor database date dayofweek deallocate decimal delete desc describe distinct div double
    drop else end escape except exchange execute exists extended external extract false fetch filter first float floor following for
    foreign from full function grant group grouping having if ilike import in increment inner insert int integer intersect interval into
    is join last lateral leading left less like listagg local localtime localtimestamp macro map minus more natural none normalize not
    null numeric of offset on only or order out outer over overlaps partialscan partition percent preceding precision prepare preserve
    primary procedure qualify range reads recursive reduce references regexp revoke right rlike rollback rollup row rows sample select
    session_user set skip smallint some start table tablesample then time timestamp to trailing transform trigger trim true truncate
    try_cast uescape unbounded union unique uniquejoin unknown unnest update user using utc_timestamp values varchar views when whenever
    where window with within
    """.split()
)


def _fields(fields: pa.Schema | pa.StructType) -> Iterator[pa.Field]:
    for field in fields:
        yield field
        kind = field.type.value_type if pa.types.is_list(field.type) else field.type
        if pa.types.is_struct(kind):
            yield from _fields(kind)


@pytest.mark.parametrize("name", DATASETS)
def test_only_types_that_every_engine_reads(name):
    """No unsigned, nanosecond, map, dictionary, large or extension type appears at any depth."""
    allowed = {pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.date32(), pa.timestamp("us", "UTC"), pa.decimal128(38, 9)}
    for field in _fields(schema_of(DATASETS[name])):
        kind = field.type.value_type if pa.types.is_list(field.type) else field.type
        assert pa.types.is_struct(kind) or kind in allowed, field


@pytest.mark.parametrize("name", DATASETS)
def test_no_name_is_reserved_anywhere(name):
    """Columns and keys need no quotes in any of the engines' SQL."""
    reserved = RESERVED | {
        row[0]
        for row in duckdb.sql("SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'").fetchall()
    }
    names = {field.name for field in _fields(schema_of(DATASETS[name]))} | {name, "processed_date"}
    assert not names & reserved
    assert all(one == one.lower() and one.isidentifier() for one in names)


@pytest.mark.parametrize("name", DATASETS)
def test_rows_come_back_as_they_went(name):
    """Rows → table → rows is the identity, with every key filled and with none, and with no rows at all."""
    shape, rows = DATASETS[name], ROWS[name]
    assert from_table(to_table(rows, shape), shape) == rows
    assert to_table([], shape).schema == schema_of(shape)
    assert from_table(to_table([], shape), shape) == []


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.builds(
            FieldValue,
            status=st.just("ok"),
            value_text=st.none() | st.text(),
            value_number=st.none() | st.decimals(-(10**28), 10**28, places=9),
            value_date=st.none() | st.dates(),
            value_bool=st.none() | st.booleans(),
        )
    )
)
def test_any_value_survives(values):
    """Whatever text, number, date and truth value a field may hold comes back the same."""
    assert from_table(to_table(values, FieldValue), FieldValue) == values


def test_a_shape_without_an_arrow_type_is_refused():
    """A type that some engine cannot read fails when the schema is made, not when a reader meets it."""

    class Odd(Shape):
        value: dict[str, int]

    with pytest.raises(TypeError, match="every engine"):
        schema_of(Odd)


def test_a_default_that_null_would_hide_is_refused():
    """Null read back stands for the default, so a nullable key with another default could not come back as it went."""

    class Odd(Shape):
        value: int | None = 3

    with pytest.raises(TypeError, match="default must be None"):
        schema_of(Odd)


class LineNext(Line):
    """Line, a version later."""

    language: str | None = None


class PageNext(PageRow):
    """PageRow, a version later: a new column, and a new key of the structs in a list."""

    lines: tuple[LineNext, ...] = ()
    reviewed_by: str | None = None
    schema_version: int = 2


class BoxNext(Box):
    """Box, a version later."""

    unit: str | None = None


class FieldNext(FieldRow):
    """FieldRow, a version later: a new column, and a new key of a struct."""

    box: BoxNext | None = None
    reviewed_by: str | None = None


class DocumentNext(DocumentRow):
    """DocumentRow, a version later."""

    language: str | None = None
    schema_version: int = 2


@dataclass(frozen=True, slots=True)
class Evolved:
    """A dataset on disk, one file of version N and one of N+1, and the rows that a reader of N+1 must see."""

    folder: Path
    shape: type[Shape]
    rows: list[Shape]

    @property
    def files(self) -> str:
        return str(self.folder / "*" / "*.parquet")


@pytest.fixture(params=["documents", "pages", "fields"])
def evolved(request, tmp_path) -> Evolved:
    name = request.param
    later = {"documents": DocumentNext, "pages": PageNext, "fields": FieldNext}[name]
    new = {
        "documents": {"source_id": "s9", "language": "de"},
        "pages": {"page_id": "p9", "lines": [{"text": "neu", "language": "de"}], "reviewed_by": "ann"},
        "fields": {"field_id": "f9", "box": {**BOX.model_dump(), "unit": "pt"}, "reviewed_by": "ann"},
    }[name]
    old = ROWS[name]
    added = later.model_validate({**old[0].model_dump(exclude={"schema_version"}), **new})
    _write(tmp_path / "processed_date=2026-03-04" / "part-1.parquet", to_table(old, DATASETS[name]))
    _write(tmp_path / "processed_date=2026-03-05" / "part-2.parquet", to_table([added], later))
    upgraded = [later.model_validate(row.model_dump()) for row in old]
    return Evolved(tmp_path, later, [*upgraded, added])


def _write(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True)
    pq.write_table(table, path, compression="zstd")


def test_duckdb_reads_both_versions(evolved):
    """DuckDB unites the versions by name, structs within lists included, and sees the partition's date."""
    relation = duckdb.sql(
        f"FROM read_parquet('{evolved.files}', union_by_name = true, hive_partitioning = true) ORDER BY processed_date"
    )
    assert from_table(relation.to_arrow_table(), evolved.shape) == evolved.rows
    days = duckdb.sql("SELECT DISTINCT processed_date FROM relation ORDER BY 1").fetchall()
    assert days == [(date(2026, 3, 4),), (date(2026, 3, 5),)]


def test_polars_reads_both_versions(evolved):
    """Polars reads the versions with the newest file's schema, and fills what older files lack with null."""
    newest = pl.read_parquet_schema(max(evolved.folder.glob("*/*.parquet")))
    frame = pl.scan_parquet(
        evolved.files,
        schema=pl.Schema(newest),
        hive_partitioning=True,
        hive_schema={"processed_date": pl.Date},
        missing_columns="insert",
        cast_options=pl.ScanCastOptions(missing_struct_fields="insert"),
    ).collect()
    assert from_table(frame.sort("processed_date").to_arrow(), evolved.shape) == evolved.rows


def test_pyarrow_reads_both_versions(evolved):
    """Pyarrow reads the versions with the newest schema, which is the one that the code declares."""
    table = ds.dataset(evolved.folder, schema=schema_of(evolved.shape), partitioning="hive").to_table()
    assert from_table(table, evolved.shape) == evolved.rows


def test_the_older_code_reads_the_newer_files(evolved):
    """Code of version N leaves out what N+1 added, instead of failing on it."""
    name = next(name for name, shape in DATASETS.items() if issubclass(evolved.shape, shape))
    newest = pq.read_table(max(evolved.folder.glob("*/*.parquet")), partitioning=None)
    (row,) = from_table(newest, DATASETS[name])
    kept = {
        key: value for key, value in row.model_dump().items() if key not in ("lines", "box", "source_id", "page_id", "field_id")
    }
    expected = ROWS[name][0].model_dump() | {"schema_version": getattr(row, "schema_version", 1)}
    assert all(value == expected[key] for key, value in kept.items())
