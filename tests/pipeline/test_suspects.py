"""Who killed the worker is found from what is left of the dead, across any number of runs."""

import pytest

from pipeline.places import Places
from pipeline.storage.local import LocalStore
from pipeline.suspects import Suspects, key
from schemas.unit import Origin, Unit

DEADLY_PAGE = 21


@pytest.fixture
def places(tmp_path):
    return Places(str(tmp_path))


def _unit(name: str, first_page: int = 0, n_pages: int = 1) -> Unit:
    origin = Origin(source_id=name, uri=name, version="1", size_bytes=1)
    return Unit(document_id=name, media_type="application/pdf", origins=(origin,), first_page=first_page, n_pages=n_pages)


def _mark(places: Places, run_id: str, name: str, *units: Unit) -> None:
    LocalStore().write(places.in_flight(run_id, name), "\n".join(unit.model_dump_json() for unit in units).encode())


def _known(places: Places, *dead: str) -> Suspects:
    suspects = Suspects(LocalStore(), places)
    suspects.remember(dead)
    return suspects


def test_whoever_was_in_flight_is_suspected_and_only_who_was_alone_is_guilty(places):
    """Of a group nobody has died alone; of two groups of one each has, but either may have been it; the only one in flight has done it."""
    _mark(places, "one", "x", _unit("a"), _unit("b"))
    _mark(places, "two", "x", _unit("a"))
    _mark(places, "two", "y", _unit("c"))
    _mark(places, "three", "x", _unit("a"))
    suspects = _known(places, "one", "two", "three")
    assert {unit.document_id: (suspects.deaths(unit), suspects.is_guilty(unit)) for unit in suspects} == {
        "a": (2, True), "b": (0, False), "c": (1, False),
    }  # fmt: skip


def test_a_page_that_takes_the_machine_down_every_time_is_found_by_runs_that_none_survives(places):
    """Each run tries the next half alone and dies of it; what it leaves lets the one after go on from there, down to the page."""
    tried, dead = _unit("a", 0, 32), []
    for number in range(20):
        dead.append(f"run {number}")
        _mark(places, dead[-1], "x", tried)
        suspects = _known(places, *dead)
        suspects.halve_guilty()
        covered = sorted(page for unit in suspects for page in range(unit.first_page, unit.first_page + unit.n_pages))
        assert covered == list(range(32))  # no page twice, and none forgotten
        (tried,) = [unit for unit in suspects if unit.first_page <= DEADLY_PAGE < unit.first_page + unit.n_pages]
        if tried.n_pages == 1 and suspects.deaths(tried) == 3:
            break
    assert key(tried) == ("a", DEADLY_PAGE, 1)
    assert suspects.is_guilty(tried)
    assert number == 7  # five halvings, and three deaths of the page


def test_runs_that_are_not_said_to_be_dead_accuse_nobody(places):
    """What another job, or a run at work, has in flight is none of ours; and who is acquitted leaves no trace."""
    _mark(places, "ours", "x", _unit("a"))
    _mark(places, "theirs", "x", _unit("b"))
    suspects = _known(places, "ours")
    assert [unit.document_id for unit in suspects] == ["a"]
    suspects.acquit("ours")
    assert len(_known(places, "ours")) == 0
    assert len(_known(places, "theirs")) == 1
