"""Results in a notebook: frames of Arrow, Polars and pandas, whatever loop is running, and nothing lost."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import pipeline
from pipeline.errors import JobError
from pipeline.frames import framed
from pipeline.verify import verify
from schemas.job import Job

TABLE = pa.table(
    {
        "page_index": pa.array([0, None], pa.int64()),
        "value_number": pa.array([Decimal("1234567890123456789.120000000"), None], pa.decimal128(38, 9)),
        "processed_at": pa.array([datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
        "lines": pa.array(
            [[{"text": "ä", "box": {"x0": 1.5}}], []],
            pa.list_(pa.struct([("text", pa.string()), ("box", pa.struct([("x0", pa.float64())]))])),
        ),
    }
)


def test_arrow_is_as_it_is():
    """No copy, no change."""
    assert framed(TABLE, "arrow") is TABLE


def test_polars_has_all_of_it():
    """Types and values go round."""
    frame = framed(TABLE, "polars")
    assert isinstance(frame, pl.DataFrame)
    assert frame.to_arrow().to_pylist() == TABLE.to_pylist()


def test_pandas_has_all_of_it():
    """A whole number beside a missing one stays whole, and an amount exact."""
    frame = framed(TABLE, "pandas")
    assert isinstance(frame, pd.DataFrame)
    assert frame["page_index"].dtype == pd.ArrowDtype(pa.int64())
    assert frame["value_number"][0] == Decimal("1234567890123456789.12")
    assert pa.Table.from_pandas(frame, preserve_index=False).cast(TABLE.schema).to_pylist() == TABLE.to_pylist()


@pytest.mark.parametrize("name", ["polars", "pandas"])
def test_a_library_that_is_not_there_is_named(name, monkeypatch):
    """With the command that installs it; the rows can be had as Arrow all the same."""
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(JobError, match=f"pip install {name}"):
        framed(TABLE, name)
    assert framed(TABLE, "arrow") is TABLE


def test_other_frames_are_refused():
    """The message names those that there are."""
    with pytest.raises(JobError, match="no frames of spark; there are arrow, polars, pandas"):
        framed(TABLE, "spark")


def test_rows_are_read_within_a_running_loop(book):
    """A notebook's cells run inside an event loop; reading needs none of its own. Every dataset comes as every frame."""
    with book.run() as run:
        run.commit(run.stage(run.inspect("a.pdf", "1", 2), 0, 2, word="hello"))
        run.publish()

    async def cell():
        return {
            (dataset, frame): len(pipeline.read(book.sink_uri, dataset, frame=frame))
            for dataset in ("documents", "pages", "fields", "answers")
            for frame in ("arrow", "polars", "pandas")
        }

    with ThreadPoolExecutor(1) as thread:  # of its own, as a browser's test leaves a loop running in this one
        lengths = thread.submit(lambda: asyncio.run(cell())).result()
    assert {key[0]: count for key, count in lengths.items()} == {"documents": 1, "pages": 2, "fields": 0, "answers": 0}
    assert len(set(lengths)) == 12


def test_a_folder_that_is_no_sink_is_refused(tmp_path):
    """A name that is misspelt gives no empty table; that of a sink whose runs found nothing does, and such a sink is exact."""
    with pytest.raises(JobError, match="holds no results of Pagemill; name the folder"):
        pipeline.read(str(tmp_path / "otu"))
    (tmp_path / "in").mkdir()
    job = Job.model_validate(
        {
            "name": "none",
            "source": {"uri": str(tmp_path / "in")},
            "model": {"engine": "scripted", "checkpoint": str(tmp_path / "in")},
            "sink": {"uri": str(tmp_path / "out")},
        }
    )
    pipeline.run(job)
    assert pipeline.read(str(tmp_path / "out")).num_rows == 0
    report = verify(str(tmp_path / "out"))
    assert (report.is_exact, report.documents, report.pages) == (True, 0, 0)
