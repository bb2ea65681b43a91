"""From Iceberg's schema to the Arrow schema of our files: the same columns in the types that every engine reads, each with its field id."""

import pyarrow as pa
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.schema import Schema


def arrow_schema(schema: Schema) -> pa.Schema:
    """Return the schema that files of a table have."""
    return pa.schema([_plain(field) for field in schema_to_pyarrow(schema, include_field_ids=True)])


def _plain(field: pa.Field) -> pa.Field:
    # PyIceberg reads text and lists with 64-bit offsets, which mean nothing in a file.
    kind = field.type
    if pa.types.is_large_string(kind):
        kind = pa.string()
    elif pa.types.is_large_list(kind) or pa.types.is_list(kind):
        kind = pa.list_(_plain(kind.value_field))
    elif pa.types.is_struct(kind):
        kind = pa.struct([_plain(inner) for inner in kind])
    return field.with_type(kind)
