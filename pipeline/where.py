"""Which pages of a sink are meant, by one of DuckDB's expressions over the columns of pages/ and fields/.

A column that both have is the page's; `fields.status` is the field's. It is an expression and nothing else: no statement, and no file is read.
"""

from typing import cast

import duckdb
import pyarrow as pa

from pipeline.errors import JobError
from pipeline.reader import Dataset, read
from schemas.arrow import schema_of
from schemas.field import FieldRow
from schemas.page import PageRow

_ROWS: tuple[tuple[Dataset, type[PageRow | FieldRow]], ...] = (("pages", PageRow), ("fields", FieldRow))
_ALWAYS = ("page_id", "source_id", "page_index")
_HINT = "Text stands in 'single quotes', and a column that pages/ and fields/ both have is a field's as in fields.status."


def checked(where: str) -> str:
    """Return the expression. Raises JobError, in DuckDB's words, on what is none, before any row is read."""
    _chosen(where, schema_of(PageRow).empty_table(), schema_of(FieldRow).empty_table())
    return where


def pages_where(sink_uri: str, where: str) -> pa.Table:
    """Return source_id and page_index of the pages of which, with any of its fields, the expression holds. Raises JobError on what is none."""
    checked(where)
    pages, fields = (read(sink_uri, name, columns=_named(where, row)) for name, row in _ROWS)
    return _chosen(where, pages, fields)


def _named(where: str, row: type[PageRow | FieldRow]) -> list[str]:
    """Return the columns that an expression may look at: a lake's pages as a whole are more than memory holds."""
    words = where.casefold()
    return [name for name in row.model_fields if name in _ALWAYS or name in words or "*" in words or "columns" in words]


def _chosen(where: str, pages: pa.Table, fields: pa.Table) -> pa.Table:
    with duckdb.connect(config={"enable_external_access": False}) as connection:
        connection.register("pages", pages)
        connection.register("fields", fields)
        try:
            expression = duckdb.SQLExpression(where)
            own = [f"fields.{name}" for name in fields.column_names if name not in pages.column_names]
            columns = ", ".join(["pages.*", *own, "pages AS pages", "fields AS fields"])
            values = connection.sql(f"SELECT {columns} FROM pages LEFT JOIN fields ON pages.page_id = fields.page_id")  # noqa: S608
            (kind,) = values.filter(expression).select(expression).types
            if str(kind) != "BOOLEAN":
                raise JobError(f"where {where!r} is of type {kind}, and neither true nor false: compare it with something")
            found = values.filter(expression).select("source_id, page_index").distinct().order("ALL").to_arrow_table()
        except duckdb.Error as error:
            raise JobError(f"where {where!r}: {_in_words(error)}") from error
    return cast("pa.Table", found)


def _in_words(error: duckdb.Error) -> str:
    """Return what DuckDB says, with the columns it might be, and without where in a query of ours it is."""
    said = [line.strip() for line in str(error).split("\nLINE ")[0].splitlines() if line.strip()]
    return ". ".join([*(line.rstrip(".!") for line in said), _HINT])
