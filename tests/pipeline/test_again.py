"""Rows that are made again: of chosen pages by reading, of all by decoding; they replace what stood there, and nothing else."""

import pytest

pytestmark = pytest.mark.formats


def test_chosen_pages_are_read_again_and_all_are_decoded_again(mill, machine):
    """A rerun replaces the rows of the pages that it is told, and redecoding those of all, here by the very same values; each page stays once."""
    job = mill.job(machine.OCR, machine.answer("total"))
    mill.put("a.pdf", machine.pdf("one", "", "three"))
    mill.put("b.pdf", machine.pdf("another"))
    mill.run(job)
    values = [mill.values(dataset) for dataset in ("documents", "pages", "fields")]
    reread = mill.rerun(job, "page_index = 2")
    assert (reread.requests, _pages_of(mill, reread)) == (2, {("a.pdf", 2)})
    assert [mill.values(dataset) for dataset in ("documents", "pages", "fields")] == values
    decoded = mill.redecode(job)
    assert _pages_of(mill, decoded) == {("a.pdf", 0), ("a.pdf", 1), ("a.pdf", 2), ("b.pdf", 0)}
    assert [mill.values(dataset) for dataset in ("documents", "pages", "fields")] == values
    assert mill.verify().is_exact
    assert mill.run(job).selected.units == 0


def _pages_of(mill, ran):
    """Return the pages whose rows a run made."""
    rows = [row for row in mill.rows() if row["run_id"] == ran.run_id]
    return {(row["source_uri"].rsplit("/", 1)[1], row["page_index"]) for row in rows}
