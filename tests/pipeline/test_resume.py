"""A process that ends anywhere is resumed by the next run, and what comes of it is what an undisturbed run makes."""

import pytest

pytestmark = pytest.mark.formats
STEPS = ["list", "inspect", "select", "read", "commit"]


@pytest.fixture
def job_of(machine):
    return lambda mill: mill.job(machine.OCR, machine.answer("total"))


@pytest.fixture
def documents(mill, machine):
    """Fill the source with a document of two units, one of two kinds of page, a copy and something broken."""
    mill.put("a.pdf", machine.pdf(*(f"page {number}" for number in range(34))))
    mill.put("b.pdf", machine.pdf("one", ""))
    mill.put("copy.pdf", machine.pdf("one", ""))
    mill.put("broken.pdf", b"%PDF-1.4 no more")


def _state(mill):
    return {name: mill.values(name) for name in ("documents", "pages", "fields")}


@pytest.mark.usefixtures("documents")
def test_a_run_that_ends_after_any_step_is_resumed(machine, tmp_path, children, job_of, sink_format):
    """After every step, and after a part of the parts, the next run gives what an undisturbed one gives, and leaves nothing lying about."""
    whole = machine.Mill(tmp_path, children, str(tmp_path / "whole"), sink_format)
    whole.run(job_of(whole))
    wanted, report = _state(whole), whole.verify()
    assert report.is_exact
    assert (report.pages, report.fields) == (38, 38)
    for step in (*STEPS, "parts"):
        cut = machine.Mill(tmp_path, children, str(tmp_path / step), sink_format)
        job = job_of(cut)
        first = cut.run(job, parts=1, units_per_part=1) if step == "parts" else cut.run(job, until=step)
        again = cut.run(job)
        assert _state(cut) == wanted, step
        assert cut.verify() == report.model_copy(update={"sink_uri": cut.sink_uri}), step
        assert machine.files(cut.sink_uri, "_pagemill/staging", "_pagemill/in_flight") == {}, step
        if step == "commit":
            assert (again.inspected, again.selected.units, again.requests) == (0, 0, 0)
        if step == "parts":
            assert (first.requests + again.requests, again.inspected) == (70, 0)  # no page was read twice
        final = cut.run(job)
        assert (final.inspected, final.selected.units) == (0, 0), step


@pytest.mark.usefixtures("documents")
def test_a_run_that_dies_at_any_write_of_its_publication_is_resumed(mill, machine, job_of):
    """The real rows too come through publications that were cut off one after another."""
    job, cut = job_of(mill), 0
    while True:
        cut += 3
        try:
            mill.run(job, store=machine.Faltering(mill.store, cut))
            break
        except machine.Stopped:
            machine.bury(mill.sink_uri)
    assert cut > 9
    report = mill.verify()
    assert report.is_exact
    assert (report.documents, report.pages, report.fields) == (4, 38, 38)
    mill.run(job)
    assert machine.files(mill.sink_uri, "_pagemill/staging", "_pagemill/ledger/replaced") == {}
