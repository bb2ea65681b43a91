"""A run from a notebook's cell: inside a running event loop, with Ray, and again with the Ray that the first cell has started."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CELLS = """
import asyncio, json, os, sys, threading
from pathlib import Path
from pipeline import read, run
from schemas.job import AnswerField, AnswerTask, Job, Model, OcrTask, Render, Sink, Source, Workers

folder = Path(sys.argv[1])
job = Job(
    name="cell",
    source=Source(uri=str(folder / "in")),
    model=Model(engine="scripted", checkpoint=str(folder / "in")),
    render=Render(text_layer="ignore"),
    tasks=(OcrTask(type="ocr"), AnswerTask(type="answer", fields=(AnswerField(name="total", question="total?"),))),
    workers=Workers(cpus=1),
    sink=Sink(uri=str(folder / "out")),
)

async def cells():
    loop, found = asyncio.get_running_loop(), {}
    found["first"] = run(job).exit_code
    found["pages"] = read(job.sink.uri).select(["status", "page_index"]).to_pylist()
    found["again"] = run(job).pages_selected
    await asyncio.sleep(0)  # the loop goes on
    found["in a thread"] = (await asyncio.to_thread(run, job.model_copy(update={"name": "other"}))).exit_code
    found["same loop"] = loop is asyncio.get_running_loop()
    return found

print(json.dumps(asyncio.run(cells())))
"""


@pytest.mark.slow
@pytest.mark.ray
def test_a_cell_runs_a_job_with_ray(machine, tmp_path):
    """One core is enough. What it did can be read in the next line, a second run does nothing, a thread may run another job, the loop goes on.

    Nor does it matter that the folder for temporary files has too long a name for Ray's sockets.
    """
    long = tmp_path / "with as long a name as schedulers give"
    long.mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.pdf").write_bytes(machine.pdf("one two three", "four five six"))
    script = tmp_path / "cells.py"
    script.write_text(textwrap.dedent(CELLS))
    ran = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, timeout=280, cwd=ROOT, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(long)},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(ran.stdout.splitlines()[-1])
    assert (found["first"], found["again"], found["in a thread"], found["same loop"]) == (0, 0, 0, True)
    assert [page["page_index"] for page in found["pages"]] == [0, 1]
