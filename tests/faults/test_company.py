"""Runs side by side on one sink, writers that are killed, and readers who look all the while. Processes of their own, without Ray: many at once."""

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pipeline import read
from pipeline.verify import verify

COMPANION = Path(__file__).with_name("companion.py")
PATIENCE_S = 1800  # seventeen runs at once take long on a machine that has much else to do
SHARDS = 16


def _start(what: str, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(COMPANION), what, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_nightly_run_and_sixteen_shards_of_a_backfill_share_a_sink(nights, tmp_path):
    """All seventeen start at once on one source and one sink: each ends well, and every page has one row that knows what both jobs asked."""
    documents = {
        f"{number:03}.pdf": nights.pdf(*(f"document {number}, page {page}" for page in range(1 + number % 3)))
        for number in range(48)
    }
    source, sink = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name, data in documents.items():
        (source / name).write_bytes(data)
    runs = [_start("run", "nightly", str(source), str(sink), "1/1", "ocr")]
    runs += [
        _start("run", "backfill", str(source), str(sink), f"{number}/{SHARDS}", "answer") for number in range(1, SHARDS + 1)
    ]
    ended = [(*run.communicate(timeout=PATIENCE_S), run.returncode) for run in runs]
    for said, complained, code in ended:
        assert code == 0, complained
        assert json.loads(said)["left"] == 0
    report = verify(str(sink))
    assert report.is_exact, report.findings
    assert (report.documents, report.pages) == (len(documents), 96)
    for name, task in (
        ("nightly", "ocr"),
        ("backfill", "answer"),
    ):  # one after the other, as what one publishes moves rows the other adds to
        said, complained = (last := _start("run", name, str(source), str(sink), "1/1", task)).communicate(timeout=PATIENCE_S)
        assert last.returncode == 0, complained
        assert json.loads(said)["left"] == 0
    report = verify(str(sink))
    assert report.is_exact, report.findings
    assert (report.documents, report.pages, report.fields) == (len(documents), 96, 96)
    pages = read(str(sink), "pages").to_pylist()
    assert {tuple(sorted(item["task"] for item in page["completions"])) for page in pages} == {("answer.total", "ocr")}


def test_readers_see_every_page_once_while_all_are_superseded_and_the_writer_is_killed(nights, tmp_path, moments, seed):
    """A thousand pages get new rows round after round, are published and compacted; the writer dies by SIGKILL at seeded moments.

    Whoever reads at any moment finds each page exactly once, and afterwards nothing is lost and nothing lies about.
    """
    rng, sink = random.Random(seed), str(tmp_path / "out")  # noqa: S311 (no secret)
    first = _start("write", sink, "0", "1")
    said, complained = first.communicate(timeout=PATIENCE_S)
    assert first.returncode == 0, complained
    words: Counter[str] = Counter()
    written = nights.on_files(Path(sink))
    for number in range(moments):
        moment = written() + rng.randrange(20, 250)  # a round writes about a hundred objects
        writer = _start("write", sink, str(number + 1), "1000")
        while written() < moment:
            assert writer.poll() is None, writer.communicate()
            words += _look(sink)
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
        words += _look(sink)
    last = _start("write", sink, "999", "1")
    said, complained = last.communicate(timeout=PATIENCE_S)
    assert last.returncode == 0, f"{said}{complained}"
    assert set(_look(sink)) == {"round 999"}
    assert len(words) > 1  # some were superseded while we looked
    report = verify(sink)
    assert report.is_exact, report.findings
    assert report.pages == 1000
    assert list(Path(sink, "_pagemill", "staging").rglob("*.parquet")) == []
    replaced = Path(sink, "_pagemill", "ledger", "replaced").glob("*")
    assert [
        path for path in replaced if not path.name.startswith(".")
    ] == []  # what was just being written as its writer died is no file


def _look(sink: str) -> Counter[str]:
    """Read all pages as they are now; return how many are of which round."""
    rows = read(sink, "pages").select(["source_uri", "page_index", "text"]).to_pylist()
    seen = Counter((row["source_uri"], row["page_index"]) for row in rows)
    assert len(rows) == 1000
    assert max(seen.values()) == 1
    return Counter(str(row["text"]).rsplit(" ", 1)[0] for row in rows)


@pytest.mark.parametrize("what", ["run", "write"])
def test_a_companion_that_fails_says_so(what):
    """What is run beside is no test: an error in it must not look like success."""
    process = _start(what)
    _, complained = process.communicate(timeout=PATIENCE_S)
    assert process.returncode != 0
    assert complained
