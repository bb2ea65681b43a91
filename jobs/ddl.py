"""Table definitions of the datasets for four query engines, from the one Arrow schema.

Nothing is run here and no engine is imported: the text is for a person, or a migration, to run.
"""

from collections.abc import Callable

import pyarrow as pa

from schemas.arrow import DATASETS, schema_of

_PARTITION = "processed_date"

_SPARK = {"string": "STRING", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "date32[day]": "DATE"}
_SPARK |= {"timestamp[us, tz=UTC]": "TIMESTAMP", "decimal128(38, 9)": "DECIMAL(38, 9)"}
_DUCKDB = _SPARK | {"string": "VARCHAR", "timestamp[us, tz=UTC]": "TIMESTAMPTZ"}
_ATHENA = {arrow: name.lower().replace(" ", "") for arrow, name in _SPARK.items()}
_SNOWFLAKE = _DUCKDB | {
    "int64": "NUMBER(38, 0)",
    "double": "FLOAT",
    "timestamp[us, tz=UTC]": "TIMESTAMP_LTZ",
    "decimal128(38, 9)": "NUMBER(38, 9)",
}


def ddl(dialect: str, location: str) -> str:
    """Return the statements that make the three datasets under `location` tables of an engine: duckdb, spark, athena or snowflake."""
    write = _DIALECTS[dialect]
    place = location.rstrip("/")
    return "\n\n".join(write(name, schema_of(shape), place) for name, shape in DATASETS.items())


def _duckdb(name: str, schema: pa.Schema, location: str) -> str:
    files = _quoted(f"{location}/{name}/*/*.parquet")
    columns = _columns([f"{field.name} {_duckdb_type(field.type)}" for field in schema] + [f"{_PARTITION} DATE"])
    return (
        f"CREATE TABLE IF NOT EXISTS {name} (\n{columns}\n);\n"
        f"INSERT INTO {name} BY NAME\nSELECT * FROM read_parquet({files}, hive_partitioning = true, union_by_name = true);"
    )


def _spark(name: str, schema: pa.Schema, location: str) -> str:
    columns = _columns([f"{field.name} {_spark_type(field.type)}" for field in schema] + [f"{_PARTITION} DATE"])
    return (
        f"CREATE TABLE IF NOT EXISTS {name} (\n{columns}\n)\nUSING PARQUET\nPARTITIONED BY ({_PARTITION})\n"
        f"LOCATION {_quoted(f'{location}/{name}')};\nMSCK REPAIR TABLE {name};"
    )


def _athena(name: str, schema: pa.Schema, location: str) -> str:
    columns = _columns([f"{field.name} {_athena_type(field.type)}" for field in schema])
    # Projected partitions need no crawler and no repair after each run.
    properties = {
        "projection.enabled": "true",
        f"projection.{_PARTITION}.type": "date",
        f"projection.{_PARTITION}.format": "yyyy-MM-dd",
        f"projection.{_PARTITION}.range": "2020-01-01,NOW+1DAY",
        "storage.location.template": f"{location}/{name}/{_PARTITION}=${{{_PARTITION}}}/",
    }
    listed = _columns([f"'{key}' = {_quoted(value)}" for key, value in properties.items()])
    return (
        f"CREATE EXTERNAL TABLE IF NOT EXISTS {name} (\n{columns}\n)\nPARTITIONED BY ({_PARTITION} string)\nSTORED AS PARQUET\n"
        f"LOCATION {_quoted(f'{location}/{name}/')}\nTBLPROPERTIES (\n{listed}\n);"
    )


def _snowflake(name: str, schema: pa.Schema, location: str) -> str:
    columns = [
        f"{field.name} {_snowflake_type(field.type)} AS (value:{field.name}::{_snowflake_type(field.type)})" for field in schema
    ]
    partition = f"TO_DATE(SPLIT_PART(SPLIT_PART(METADATA$FILENAME, '{_PARTITION}=', 2), '/', 1), 'YYYY-MM-DD')"
    stage = (
        f"-- A private bucket's stage also needs STORAGE_INTEGRATION = …\n"
        f"CREATE STAGE IF NOT EXISTS pagemill_{name} URL = {_quoted(f'{location}/{name}/')};\n"
    )
    return (
        f"{stage}CREATE EXTERNAL TABLE IF NOT EXISTS {name} (\n{_columns([*columns, f'{_PARTITION} DATE AS ({partition})'])}\n)\n"
        f"PARTITION BY ({_PARTITION})\nLOCATION = @pagemill_{name}\nAUTO_REFRESH = FALSE\n"
        f"FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE);\nALTER EXTERNAL TABLE {name} REFRESH;"
    )


_DIALECTS: dict[str, Callable[[str, pa.Schema, str], str]] = {
    "duckdb": _duckdb,
    "spark": _spark,
    "athena": _athena,
    "snowflake": _snowflake,
}


def _duckdb_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"{_duckdb_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return f"STRUCT({', '.join(f'{field.name} {_duckdb_type(field.type)}' for field in kind)})"
    return _DUCKDB[str(kind)]


def _spark_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"ARRAY<{_spark_type(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"STRUCT<{', '.join(f'{field.name}: {_spark_type(field.type)}' for field in kind)}>"
    return _SPARK[str(kind)]


def _athena_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"array<{_athena_type(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{field.name}:{_athena_type(field.type)}' for field in kind)}>"
    return _ATHENA[str(kind)]


def _snowflake_type(kind: pa.DataType) -> str:
    return "VARIANT" if pa.types.is_nested(kind) else _SNOWFLAKE[str(kind)]


def _columns(lines: list[str]) -> str:
    return ",\n".join(f"    {line}" for line in lines)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
