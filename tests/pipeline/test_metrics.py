"""What workers count: numbers under names and codes, and nothing of what documents, stores or errors say."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from schemas.page import Failure
from schemas.unit import Left, Origin, Reject, StagedPart, Tally, Unit, UnitOutcome

WORDS = "s3://bucket/key?X-Amz-Signature=canary7f3a"
ORIGIN = Origin(source_id="s" * 64, uri=WORDS, version="1", size_bytes=1)
UNIT = Unit(document_id="d", media_type="application/pdf", origins=(ORIGIN,), first_page=0, n_pages=3)
PART = StagedPart(
    part_id="run/part",
    outcomes=(
        UnitOutcome(
            source_id=ORIGIN.source_id, document_id="d", first_page=0, n_pages=3, statuses="oof", tasks=("t",), jobs=("night",)
        ),
    ),
    left=(Left(unit=UNIT, failure=Failure(stage="fetch", code="unreachable", message=WORDS)),),
    n_fields=0,
    rejects=(Reject(stage="open", code="damaged", count=2, example_uri=WORDS, example_page=0, message=WORDS),),
    engine="scripted 1",
    tally=Tally(requests=5, tokens=70, rungs=(4, 1), seconds=2.5, store_retries=3),
    processed_at=datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.fixture
def told(monkeypatch):
    """Return what was told to Prometheus, by metric and labels, in the place of Ray's exporter."""
    found: Counter[tuple[str, ...]] = Counter()

    class Recorded:
        def __init__(self, name: str, _description: str, tag_keys: tuple[str, ...]) -> None:
            self._name, self._keys, self._tags = name, tag_keys, dict[str, str]()

        def set_default_tags(self, tags: dict[str, str]) -> None:
            self._tags = tags

        def inc(self, by: float, tags: dict[str, str]) -> None:
            labels = {**self._tags, **tags}
            assert set(labels) == set(self._keys)
            found[self._name, *(labels[key] for key in self._keys)] += by

        def set(self, value: float) -> None:
            found[self._name, self._tags["job_name"]] = value

    monkeypatch.setattr("ray.util.metrics.Counter", Recorded)
    monkeypatch.setattr("ray.util.metrics.Gauge", Recorded)
    return found


def test_a_staged_part_is_counted_and_its_words_are_not_told(told):
    """Pages by status, rejects by code, requests by rung; a failure's words and uris, which may hold anything, are in no label."""
    from pipeline.metrics import Metrics

    metrics = Metrics("night")
    with metrics.in_hand():
        assert told["pagemill_groups_in_hand", "night"] == 1
        metrics.staged(PART, busy_s=2.0)
    metrics.staged(PART.model_copy(update={"left": ()}), busy_s=2.5)
    assert dict(told) == {
        ("pagemill_groups_in_hand", "night"): 0,
        ("pagemill_pages_total", "night", "ok"): 4,
        ("pagemill_pages_total", "night", "failed"): 2,
        ("pagemill_rejects_total", "night", "open", "damaged"): 4,
        ("pagemill_units_left_total", "night", "unreachable"): 1,
        ("pagemill_requests_total", "night", "0"): 8,
        ("pagemill_requests_total", "night", "1"): 2,
        ("pagemill_tokens_total", "night"): 140,
        ("pagemill_engine_busy_seconds_total", "night"): 2.5,
        ("pagemill_group_seconds_total", "night"): 5.0,
        ("pagemill_store_retries_total", "night"): 6,
    }
