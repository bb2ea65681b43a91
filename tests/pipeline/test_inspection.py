"""Inspection of what brings out faults: in one document, and in every one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.documents.child import Child, Opened
from pipeline.errors import DocumentError, RunError
from pipeline.inspection import Findings, Inspection, Inspector
from pipeline.ledger import Ledger
from pipeline.progress import Silent
from schemas.arrow import to_table
from schemas.source import SourceObject


class Faulty:
    """A child of which the documents of certain names bring out a fault."""

    def __init__(self, child: Child, fault: Exception, but: str) -> None:
        self._child, self._fault, self._but = child, fault, but

    def open(self, path: Path, *, passwords: tuple[str, ...] = ()) -> Opened:
        if self._but not in path.name:
            raise self._fault
        return self._child.open(path, passwords=passwords)


def _inspect(mill, child) -> Inspection:
    objects = [SourceObject(uri=str(path), version="", size_bytes=1) for path in sorted(mill.source.iterdir())]
    (text,) = Inspector(mill.job(), "run", (), child=child)(to_table(objects, SourceObject)).column(0).to_pylist()
    return Inspection.model_validate_json(text)


@pytest.mark.parametrize(
    "fault",
    [ZeroDivisionError("no such thing\nas this"), ValueError("\udcff"), DocumentError("open", "crashed", "died of it")],
    ids=["a fault", "words that are no text", "a crash"],
)
def test_a_fault_is_the_reject_of_the_object_that_brings_it_out(mill, machine, children, fault):
    """The others are inspected, and the reject says what the fault was and where, in one line."""
    mill.put("b.pdf", machine.pdf("one"))
    mill.put("c.pdf", machine.pdf("two"))
    found = _inspect(mill, Faulty(children[0], fault, but="a"))  # of b.pdf and c.pdf, not of the blank page
    assert [item.page_count for item in found.inspected] == [None, None]
    mill.put("a.pdf", machine.pdf("three"))
    found = _inspect(mill, Faulty(children[0], fault, but="a"))
    assert [(Path(item.uri).name, item.page_count) for item in found.inspected] == [
        ("a.pdf", 1),
        ("b.pdf", None),
        ("c.pdf", None),
    ]
    (failure,) = found.inspected[1].failures
    assert failure.code == ("crashed" if isinstance(fault, DocumentError) else "fault")
    assert "\n" not in failure.message
    if failure.code == "fault":
        assert type(fault).__name__ in failure.message
        assert "test_inspection.py:" in failure.message
        assert "report it" in failure.message


@pytest.mark.parametrize(
    "fault", [ZeroDivisionError("broken"), DocumentError("open", "crashed", "broken")], ids=["a fault", "a crash"]
)
def test_a_fault_that_a_blank_page_brings_out_ends_the_run(mill, machine, children, fault):
    """Where nothing at all can be opened, no document is rejected for it."""
    mill.put("a.pdf", machine.pdf("one"))
    with pytest.raises(RunError, match=r"not even a blank page: .*broken.*see to the installation"):
        _inspect(mill, Faulty(children[0], fault, but="no such name"))


def test_what_is_found_can_be_stored_whatever_it_says(mill, machine, children):
    """An answer that is no text, as a broken document's might be, is a fault of that document and of no other."""

    class Odd(Faulty):
        def open(self, path: Path, *, passwords: tuple[str, ...] = ()) -> Opened:
            opened = self._child.open(path, passwords=passwords)
            return replace(opened, media_type="\udcff") if path.name == "odd.pdf" else opened

    mill.put("odd.pdf", machine.pdf("one"))
    mill.put("plain.pdf", machine.pdf("two"))
    found = _inspect(mill, Odd(children[0], ValueError(), but=""))
    assert [[failure.code for failure in item.failures] for item in found.inspected] == [["fault"], []]
    assert json.loads(found.inspected[0].model_dump_json())["page_count"] is None


def test_an_interrupt_before_findings_are_recorded_loses_none(mill, machine, children, monkeypatch):
    """What Ctrl-C kept from being recorded is recorded as the inspection ends, so that the next run need not look at it again."""
    mill.put("a.pdf", machine.pdf("one"))
    machine.interrupted_once(monkeypatch, mill.store, "write")
    with Ledger(mill.store, mill.places, "run") as ledger:
        findings = Findings(ledger, Silent())
        findings.add(_inspect(mill, children[0]).model_dump_json())
        with pytest.raises(KeyboardInterrupt), findings:
            findings.flush()
        ledger.reload()
        assert ledger.rows("SELECT uri, page_count FROM sources") == [(str(mill.source / "a.pdf"), 1)]
    assert findings.inspected == 1
