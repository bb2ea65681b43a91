"""Average precision against pycocotools, and overlaps counted by hand."""

import contextlib
import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.evaluate.boxes import matched, mean_average_precision, overlap, overlaps
from schemas.box import Box, LabelledBox


def _box(x0: float, y0: float, x1: float, y1: float) -> Box:
    return Box(x0=x0, y0=y0, x1=x1, y1=y1)


def _thing(label: str, *place: float, sure: float | None = None) -> LabelledBox:
    return LabelledBox(label=label, box=_box(*place), confidence=sure)


SIDES = st.integers(0, 6)
PLACES = st.tuples(SIDES, SIDES, st.integers(1, 4), st.integers(1, 4)).map(lambda p: (p[0], p[1], p[0] + p[2], p[1] + p[3]))
TRUE = st.lists(st.builds(lambda label, place: _thing(label, *place), st.sampled_from("ab"), PLACES), max_size=4)


@st.composite
def _pages(draw):
    """Return pages of (said, true); no two things found are equally sure, because ties have no one right order."""
    pages = [(draw(TRUE), draw(TRUE)) for _ in range(draw(st.integers(1, 3)))]
    count = sum(len(said) for said, _ in pages)
    sureness = iter(draw(st.permutations([(index + 1) / (count + 1) for index in range(count)])))
    return [([item.model_copy(update={"confidence": next(sureness)}) for item in said], true) for said, true in pages]


@given(_pages())
@settings(max_examples=40, deadline=None)
def test_average_precision_is_cocos(pages):
    """On any pages, mAP at 0.5 is what pycocotools computes."""
    ours = mean_average_precision([matched(said, true) for said, true in pages])
    theirs = _by_pycocotools(pages)
    assert (math.isnan(ours) and theirs == -1) or ours == pytest.approx(theirs, abs=1e-9)


def _by_pycocotools(pages) -> float:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    categories = {"a": 1, "b": 2}
    true = [
        {
            "id": 0,
            "image_id": page,
            "category_id": categories[item.label],
            "bbox": _coco(item),
            "area": item.box.area,
            "iscrowd": 0,
        }
        for page, (_, items) in enumerate(pages)
        for item in items
    ]
    said = [
        {"image_id": page, "category_id": categories[item.label], "bbox": _coco(item), "score": item.confidence}
        for page, (items, _) in enumerate(pages)
        for item in items
    ]
    for number, item in enumerate(true, start=1):
        item["id"] = number
    if not said or not true:
        return 0.0 if true else -1
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "info": {},
            "images": [{"id": page} for page in range(len(pages))],
            "annotations": true,
            "categories": [{"id": number, "name": name} for name, number in categories.items()],
        }
        truth.createIndex()
        judge = COCOeval(truth, truth.loadRes(said), "bbox")
        judge.params.iouThrs = np.array([0.5])
        judge.params.maxDets = [100]
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][0, :, :, 0, 0]
    known = precision[precision > -1]
    return float(known.mean()) if known.size else -1


def _coco(item: LabelledBox) -> list[float]:
    return [item.box.x0, item.box.y0, item.box.width, item.box.height]


def test_overlap_is_counted_by_hand():
    """Two squares of 4 that share 2 overlap by a third; boxes apart, or without area, not at all."""
    assert overlap(_box(0, 0, 2, 2), _box(1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap(_box(0, 0, 1, 1), _box(2, 2, 3, 3)) == 0
    assert overlap(_box(0, 0, 0, 0), _box(0, 0, 0, 0)) == 0


@given(TRUE)
@settings(max_examples=30, deadline=None)
def test_the_truth_is_found_whole(true):
    """The truth itself has precision 1 and overlaps 1; nothing found has 0."""
    assert overlaps(true, true) == [1.0] * len(true)
    assert overlaps([], true) == [0.0] * len(true)
    if true:
        assert mean_average_precision([matched(true, true)]) == pytest.approx(1.0)
        assert mean_average_precision([matched([], true)]) == 0.0


def test_one_box_serves_one_truth():
    """A box over two true ones is the one that it covers better; a thing of another label covers nothing."""
    true = [_thing("a", 0, 0, 4, 2), _thing("a", 0, 0, 4, 4)]
    assert overlaps([_thing("a", 0, 0, 4, 4)], true) == [0.0, 1.0]
    assert overlaps([_thing("b", 0, 0, 4, 4)], true) == [0.0, 0.0]


def test_a_wrong_box_that_is_surer_costs_half():
    """Of one true thing, found second of two: precision is one half at every recall."""
    said = [_thing("a", 9, 9, 10, 10, sure=0.9), _thing("a", 0, 0, 4, 4, sure=0.5)]
    assert mean_average_precision([matched(said, [_thing("a", 0, 0, 4, 4)])]) == pytest.approx(0.5)


def test_pages_count_as_often_as_they_are_drawn():
    """A resample that draws a page twice scores as one that holds it twice."""
    good = matched([_thing("a", 0, 0, 4, 4)], [_thing("a", 0, 0, 4, 4)])
    bad = matched([], [_thing("a", 0, 0, 4, 4)])
    drawn = mean_average_precision([good, bad], np.array([1, 2]))
    assert drawn == pytest.approx(mean_average_precision([good, bad, bad]))
    assert drawn == pytest.approx(34 / 101)  # recalls 0 to 0.33 of the 101
