"""What `pagemill schema` prints: a JSON Schema that agrees with the loader, and table definitions that engines take."""

import json
from pathlib import Path

import duckdb
import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlglot
import yaml
from sqlglot import exp

from jobs.cli import _run
from jobs.ddl import ddl
from jobs.jobfile import load
from jobs.schema import job_schema
from pipeline.errors import JobError
from schemas.arrow import DATASETS, schema_of, to_table

EXAMPLES = sorted((Path(__file__).parents[2] / "jobs" / "examples").glob("*.yaml"))


def test_the_schema_is_a_json_schema(capsys):
    """It is valid itself, names its draft, and says how an editor finds it."""
    assert _run(["schema"]) == 0
    printed = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(printed)
    assert "yaml-language-server: $schema=" in printed["description"]
    keys = {"name", "source", "model", "render", "tasks", "limits", "accept", "canary", "confidence", "stop", "workers", "sink"}
    assert set(printed["properties"]) == keys


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_editors_accept_the_examples(path):
    """An editor that goes by the schema finds nothing wrong with an example job."""
    jsonschema.validate(yaml.safe_load(path.read_text()), job_schema())


@pytest.mark.parametrize(
    "line",
    [
        "limits: {bytes: 200 apples}",
        "model: {engine: vlm}",
        "tasks: [{type: ocrr}]",
        "sinks: {}",
        "tasks: [{type: detect}]",
        "render: {ladder: []}",
    ],
)
def test_editors_refuse_what_the_loader_refuses(line, tmp_path):
    """What is wrong with a job is underlined while it is written."""
    text = f"name: j\nsource: {{uri: in}}\nsink: {{uri: out}}\n{line}\n"
    (tmp_path / "job.yaml").write_text(text)
    with pytest.raises(JobError):
        load(tmp_path / "job.yaml")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), job_schema())


def test_duckdbs_tables_take_the_datasets(tmp_path):
    """DuckDB runs its definitions, and the tables then hold the files' rows with the files' types."""
    for name, shape in DATASETS.items():
        folder = tmp_path / name / "processed_date=2026-03-04"
        folder.mkdir(parents=True)
        pq.write_table(to_table([], shape), folder / "part-1.parquet", compression="zstd")
    connection = duckdb.connect()
    connection.execute(ddl("duckdb", str(tmp_path)))
    for name, shape in DATASETS.items():
        table = connection.sql(f"SELECT * EXCLUDE processed_date FROM {name}").to_arrow_table()
        assert _plain(table.schema) == _plain(schema_of(shape))


def _plain(schema: pa.Schema) -> list[tuple[str, str]]:
    # DuckDB calls the elements of a list otherwise, and UTC by its full name.
    return [
        (field.name, str(field.type).replace("child", "element").replace("l:", "element:").replace("Etc/UTC", "UTC"))
        for field in schema
    ]


@pytest.mark.parametrize("dialect", ["duckdb", "spark", "athena", "snowflake"])
def test_definitions_parse_and_have_every_column(dialect):
    """Each engine's grammar, as sqlglot knows it, takes its definitions: three tables, each with every column and the partition."""
    statements = sqlglot.parse(_without_maintenance(ddl(dialect, "s3://lake/it's")), dialect=dialect)
    tables = {one.find(exp.Table).name: one for one in statements if isinstance(one, exp.Create) and one.kind == "TABLE"}
    assert list(tables) == list(DATASETS)
    for name, statement in tables.items():
        columns = [column.name for column in statement.find(exp.Schema).expressions if isinstance(column, exp.ColumnDef)]
        expected = list(schema_of(DATASETS[name]).names)
        assert columns[: len(expected)] == expected
        assert "processed_date" in columns[len(expected) :] or dialect == "athena"


def _without_maintenance(text: str) -> str:
    # Statements that sqlglot has no grammar for.
    return "\n".join(line for line in text.splitlines() if not line.startswith(("MSCK", "ALTER EXTERNAL")))


@pytest.mark.parametrize(
    ("dialect", "lines"),
    [
        (
            "spark",
            [
                "page_index BIGINT,",
                "failures ARRAY<STRUCT<stage: STRING, code: STRING, message: STRING, task: STRING>>,",
                "processed_at TIMESTAMP,",
            ],
        ),
        (
            "athena",
            [
                "page_index bigint,",
                "failures array<struct<stage:string,code:string,message:string,task:string>>,",
                "PARTITIONED BY (processed_date string)",
            ],
        ),
        (
            "snowflake",
            [
                "page_index NUMBER(38, 0) AS (value:page_index::NUMBER(38, 0)),",
                "failures VARIANT AS (value:failures::VARIANT),",
            ],
        ),
        (
            "duckdb",
            [
                "page_index BIGINT,",
                "failures STRUCT(stage VARCHAR, code VARCHAR, message VARCHAR, task VARCHAR)[],",
                "processed_at TIMESTAMPTZ,",
            ],
        ),
    ],
)
def test_each_engine_gets_its_own_types(dialect, lines):
    """Numbers, nested values, times and partitions are written as each engine writes them."""
    text = ddl(dialect, "s3://lake/invoices/")
    assert all(f"    {line}" in text or line in text for line in lines)
    assert "s3://lake/invoices/pages" in text
    assert "value_number" in text
    assert "(38,9)" in text.replace(" ", "")


def test_the_command_prints_definitions(capsys):
    """`--ddl` takes an engine and the sink."""
    assert _run(["schema", "--ddl", "spark", "--location", "s3://lake/x"]) == 0
    assert "LOCATION 's3://lake/x/fields'" in capsys.readouterr().out
    assert _run(["schema", "--ddl", "oracle"]) == 2
