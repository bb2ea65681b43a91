"""A plan as a person reads it."""

import re
from datetime import UTC, datetime

import pytest

from jobs.plan.words import in_words
from schemas.plan import Estimate, Plan


def _exactly(number: float) -> Estimate:
    return Estimate(value=number, low=number, high=number)


def _said(hours: Estimate, price: float) -> str:
    dollars = Estimate(**{name: price * number for name, number in dict(hours).items()})
    counts = dict.fromkeys(("pages", "unreadable", "with_text_layer", "blank", "requests", "tokens"), _exactly(1))
    return in_words(
        Plan(
            plan_id="p", job_name="j", sink_uri="out", made_at=datetime(2026, 1, 1, tzinfo=UTC), rungs=(), gpu="h100",
            objects_listed=1, objects_left=1, documents_looked_at=1, pages_looked_at=1, **counts,
            gpu_hours=hours, dollars_per_hour=price, dollars=dollars,
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("dollars", "said"),
    [
        (0, "$0.00"),
        (0.0000121, "less than $0.0001"),
        (0.000121, "$0.00012"),
        (0.05, "$0.05"),
        (0.0996, "$0.10"),
        (0.1, "$0.10"),
        (2.5, "$2.50"),
        (1234567.891, "$1,234,567.89"),
    ],
)
def test_money_is_written_as_people_write_it(dollars, said):
    """With cents; of little its first two figures, and no powers of ten."""
    assert f"  money       {said} at $1.00 an hour" in _said(_exactly(dollars), 1.0)


@pytest.mark.parametrize(
    ("hours", "said"),
    [(0, "0"), (0.0000048, "less than 0.0001"), (0.01234, "0.0123"), (2, "2"), (99.95, "100"), (12345.6, "12,346")],
)
def test_hours_are_written_out(hours, said):
    """Their first three figures, and all before the point: neither few nor many of them are a power of ten."""
    assert re.findall(r"GPU hours +(.+) on h100", _said(_exactly(hours), 2.5)) == [said]


def test_an_interval_stands_beside_each_number():
    """Of money as of hours."""
    told = _said(Estimate(value=1000, low=0.004, high=123456), 2.5)
    assert "GPU hours   1,000 (0.004 to 123,456) on h100" in told
    assert "money       $2,500.00 ($0.01 to $308,640.00) at $2.50 an hour" in told
