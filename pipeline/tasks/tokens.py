"""The tokens for places and masks, as text: `<loc0000>` to `<loc1023>` and `<seg000>` to `<seg127>`.

A place v, a fraction of the view, is bin round(v × 1023), and bin n is the fraction n / 1023, as big_vision trained the published
checkpoints; so both edges of a view have a bin of their own and encode∘decode is the identity on bins. (Examples elsewhere divide by
1024, which is off by up to a pixel at 896.) Boxes are written y before x, but in tables x first.
"""

import re
from collections.abc import Sequence

from schemas.box import Box
from schemas.view import Affine

LAST_BIN = 1023
LAST_CODE = 127

QUAD = r"(?:<loc[0-9]{4}>){4}"
CODES = r"(?:<seg[0-9]{3}>){16}"

_LOC = re.compile(r"<loc([0-9]{4})>")
_SEG = re.compile(r"<seg([0-9]{3})>")


class Malformed(ValueError):
    """An answer is not of its task's form; the text says what was wrong."""


def bin_of(fraction: float) -> int:
    """Return the bin of a fraction of the view; what lies outside goes to the edge."""
    return round(min(max(fraction, 0.0), 1.0) * LAST_BIN)


def loc(number: int) -> str:
    """Return the token of a bin."""
    return f"<loc{number:04d}>"


def seg(code: int) -> str:
    """Return the token of a mask code."""
    return f"<seg{code:03d}>"


def bins(text: str) -> tuple[int, ...]:
    """Return the bins of all location tokens in `text`. Raises Malformed on one that no vocabulary has."""
    return _numbers(_LOC, text, LAST_BIN)


def codes(text: str) -> tuple[int, ...]:
    """Return the codes of all mask tokens in `text`. Raises Malformed on one that no vocabulary has."""
    return _numbers(_SEG, text, LAST_CODE)


def quad(box: Box, affine: Affine, *, x_first: bool = False) -> str:
    """Return the four tokens of a page's box in a view. Raises ValueError where the view shows nothing of it.

    A box thinner than a bin becomes one bin thick, so that what is written can be read again.
    """
    corners = [affine.fraction(x, y) for x in (box.x0, box.x1) for y in (box.y0, box.y1)]
    us, vs = [u for u, _ in corners], [v for _, v in corners]
    if max(us) < 0 or min(us) > 1 or max(vs) < 0 or min(vs) > 1:
        raise ValueError(f"the view does not show {box}")
    x0, x1 = _apart(min(us), max(us))
    y0, y1 = _apart(min(vs), max(vs))
    return "".join(loc(number) for number in ((x0, y0, x1, y1) if x_first else (y0, x0, y1, x1)))


def fractions(numbers: Sequence[int], *, x_first: bool = False) -> tuple[float, float, float, float]:
    """Return (u0, v0, u1, v1), fractions of the view, of four bins. Raises Malformed on corners out of order."""
    first0, second0, first1, second1 = (number / LAST_BIN for number in numbers)
    if first1 <= first0 or second1 <= second0:
        raise Malformed(f"the corners of {''.join(loc(number) for number in numbers)} are out of order")
    return (first0, second0, first1, second1) if x_first else (second0, first0, second1, first1)


def page_box(numbers: Sequence[int], affine: Affine, *, x_first: bool = False) -> Box:
    """Return the box on the page of four bins. Raises Malformed on corners out of order."""
    return affine.box(*fractions(numbers, x_first=x_first))


def _numbers(pattern: re.Pattern[str], text: str, last: int) -> tuple[int, ...]:
    numbers = tuple(int(match) for match in pattern.findall(text))
    if any(number > last for number in numbers):
        raise Malformed(f"{max(numbers)} is past the last token, {last}")
    return numbers


def _apart(low: float, high: float) -> tuple[int, int]:
    """Return the bins of two fractions; where they are the same, one moves towards the side on which the two lie."""
    first, second = bin_of(low), bin_of(high)
    if first < second:
        return first, second
    lies_above = low + high > 2 * first / LAST_BIN
    return (first, first + 1) if first == 0 or (lies_above and first < LAST_BIN) else (first - 1, first)
