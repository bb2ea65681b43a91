"""Task segment: boxes always, masks where they can be decoded."""

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pipeline.tasks.asks import asks
from pipeline.tasks.rle import decode_rle, encode_rle
from pipeline.tasks.segment import spread
from schemas.job import ReferTask, SegmentTask
from schemas.view import Affine, Completion

AFFINE = Affine(102.3, 0.0, 0.0, 204.6, 0.0, 0.0)
CODES = "".join(f"<seg{code:03d}>" for code in range(16))
ANSWER = f"<loc0000><loc0000><loc0400><loc0200>{CODES} stamp"


def left_half(_codes: Sequence[int]) -> np.ndarray:
    """Answer a mask that is inside on its left half."""
    mask = np.full((64, 64), -1.0, dtype=np.float32)
    mask[:, :32] = 1.0
    return mask


def read(text: str, masks=None):
    (ask,) = asks(SegmentTask(type="segment", labels=("stamp",)), masks)
    return ask.decode(Completion(text, (), (), "stop"), AFFINE)


def test_without_weights_the_box_is_all():
    """The box is there without a mask decoder, the mask is not."""
    (item,) = read(ANSWER).boxes
    assert (item.box.x1, item.box.y1) == pytest.approx((20, 80))
    assert item.mask_rle is None


def test_the_codes_go_to_the_decoder_in_order():
    """The decoder is given the sixteen codes as they were written."""
    seen = []
    read(ANSWER, lambda codes: (seen.append(tuple(codes)), left_half(codes))[1])
    assert seen == [tuple(range(16))]


def test_a_mask_is_spread_over_its_box():
    """The mask's raster has about one pixel a point of the box, and shows what the decoder said."""
    (item,) = read(ANSWER, left_half).boxes
    mask = decode_rle(item.mask_rle)
    assert mask.shape == (80, 20)
    assert mask[:, :10].all()
    assert not mask[:, 10:].any()


def test_a_mask_of_a_turned_view_comes_out_upright():
    """Left in a view that was turned by 90° is up or down on the page."""
    turned = Affine(0.0, 100.0, -100.0, 0.0, 100.0, 0.0)
    place = (0.0, 0.0, 1.0, 1.0)
    mask = spread(left_half(()), place, turned, turned.box(*place))
    assert mask[:50].all()
    assert not mask[50:].any()


def test_a_mask_in_a_skewed_view_stays_inside_it():
    """The corners of the upright box around a skewed place are outside the mask."""
    skewed = Affine(70.0, 70.0, -70.0, 70.0, 70.0, 0.0)
    place = (0.0, 0.0, 1.0, 1.0)
    mask = spread(np.ones((64, 64), dtype=np.float32), place, skewed, skewed.box(*place))
    assert mask[70, 70]
    assert not mask[0, 0]
    assert mask.mean() == pytest.approx(0.5, abs=0.02)


def test_a_raster_has_bounds():
    """A mask as large as a poster is a raster of 2048 a side at most."""
    poster = Affine(10_000.0, 0.0, 0.0, 100.0, 0.0, 0.0)
    assert spread(left_half(()), (0.0, 0.0, 1.0, 1.0), poster, poster.box(0, 0, 1, 1)).shape == (100, 2048)


@pytest.mark.parametrize(
    "text",
    [
        "<loc0000><loc0000><loc0400><loc0200> stamp",
        "<loc0000><loc0000><loc0400><loc0200>" + "<seg001>" * 15 + " stamp",
        "<loc0000><loc0000><loc0400><loc0200>" + "<seg001>" * 17 + " stamp",
        "<loc0000><loc0000><loc0400><loc0200>" + "<seg128>" * 16 + " stamp",
        f"{CODES}<loc0000><loc0000><loc0400><loc0200> stamp",
        f"<loc0000><loc0000><loc0400><loc0200>{CODES} dog",
        f"<loc0000><loc0000><loc0400><loc0200>{CODES}",
    ],
)
def test_damage_rejects_the_answer(text):
    """A mask has sixteen known codes after its place; anything else is a reject, and no box is left."""
    reading = read(text, left_half)
    assert (reading.verdict, reading.code, reading.boxes) == ("reject", "malformed", ())


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.sampled_from(["<loc0001>", "<loc0100>", "<loc0200>", CODES, "<seg001>", " stamp", " ; ", "<seg999>", "x", "\n"]),
        max_size=10,
    ).map("".join)
)
def test_any_string_has_a_verdict(text):
    """Decoding never raises, and masks come with boxes alone."""
    reading = read(text, left_half)
    assert bool(reading.boxes) == (reading.verdict == "value")


def test_a_phrase_is_asked_as_a_segmentation():
    """ft-refcoco-seg wants the bare phrase and answers without a label."""
    (ask,) = asks(ReferTask(type="refer", phrase="red stamp", ask_as="segment", prompt="{phrase}"), left_half)
    reading = ask.decode(Completion(f"<loc0000><loc0000><loc0400><loc0200>{CODES}", (), (), "stop"), AFFINE)
    assert [(item.label, item.mask_rle is None) for item in reading.boxes] == [("red stamp", False)]
    assert asks(ReferTask(type="refer", phrase="red stamp", ask_as="segment"))[0].prompt == "segment red stamp"


def test_runs_go_down_the_columns_from_outside():
    """The encoding is COCO's: column by column, the first run outside."""
    mask = np.array([[False, True, True], [False, False, True]])
    assert json.loads(encode_rle(mask)) == {"size": [2, 3], "counts": [2, 1, 1, 2]}
    assert json.loads(encode_rle(~mask)) == {"size": [2, 3], "counts": [0, 2, 1, 1, 2]}


@settings(max_examples=60, deadline=None)
@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)))
def test_what_is_encoded_is_decoded(mask):
    """Any mask comes back as it was."""
    assert (decode_rle(encode_rle(mask)) == mask).all()
