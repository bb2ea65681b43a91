"""Staged parts count once they are recorded, and only while the job's claim is held."""

from datetime import UTC, datetime

import pytest

from pipeline.commit import Commits
from pipeline.errors import JobLocked
from pipeline.ledger import Ledger
from pipeline.progress import Silent
from schemas.unit import StagedPart, UnitOutcome

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _part() -> StagedPart:
    outcome = UnitOutcome(
        source_id="s", document_id="d", first_page=0, n_pages=4, statuses="obpf", tasks=("ocr:1",), jobs=("job",)
    )
    return StagedPart(part_id="run/part", outcomes=(outcome,), n_fields=3, processed_at=NOW)


def test_a_part_counts_with_its_record(mill):
    """What is flushed is in the ledger for whoever opens it next, and in the run's numbers."""
    with Ledger(mill.store, mill.places, "run") as ledger, Commits(ledger, mill.job(), Silent(), lambda: None) as commits:
        commits.add(_part())
        commits.flush()
    assert (commits.pages, commits.fields) == ({"o": 1, "b": 1, "p": 1, "f": 1}, 3)
    with Ledger(mill.store, mill.places, "later") as ledger:
        assert ledger.rows("SELECT part_id, statuses FROM cover") == [("run/part", "obpf")]


def test_nothing_is_recorded_once_the_claim_is_lost(mill):
    """Another run of the job may have seen to the same pages, and removed what this one staged."""

    def lost() -> None:
        raise JobLocked("another run has taken over")

    with Ledger(mill.store, mill.places, "run") as ledger:
        commits = Commits(ledger, mill.job(), Silent(), lost)
        commits.add(_part())
        with pytest.raises(JobLocked):
            commits.flush()
    with Ledger(mill.store, mill.places, "later") as ledger:
        assert ledger.rows("SELECT part_id FROM cover") == []


@pytest.mark.parametrize("step", ["write", "insert"])
def test_an_interrupt_amid_a_record_loses_nothing(mill, machine, monkeypatch, step):
    """Whether Ctrl-C comes before the record is written or before the tables have its rows, they know of its pages once."""
    with Ledger(mill.store, mill.places, "run") as ledger:
        machine.interrupted_once(monkeypatch, mill.store if step == "write" else ledger, step)
        commits = Commits(ledger, mill.job(), Silent(), lambda: None)
        commits.add(_part())
        with pytest.raises(KeyboardInterrupt), commits:
            commits.flush()
        ledger.reload()
        assert ledger.rows("SELECT part_id, statuses FROM cover") == [("run/part", "obpf")]
    assert commits.pages == {"o": 1, "b": 1, "p": 1, "f": 1}


def test_a_record_that_was_interrupted_is_read_again(mill, machine, monkeypatch):
    """A publication goes by the tables: a record that is written and not in them would be folded away, and its pages read once more."""
    with Ledger(mill.store, mill.places, "run") as ledger:
        machine.interrupted_once(monkeypatch, ledger, "insert")
        with pytest.raises(KeyboardInterrupt):
            ledger.commit([_part()], job_name="job", at=NOW)
        ledger.reload()
        assert ledger.rows("SELECT part_id FROM cover") == [("run/part",)]
