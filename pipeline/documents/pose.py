"""How a scanned page lies: which way its print runs and how far it is askew, from a small picture; it knows no documents.

Skew is the angle at which the page's rows of ink are sharpest. Print that runs up or down the page is told by its gaps, which are narrow
along a line and wide between lines; print that stands on its head by its letters, more of which rise above their line than hang below it.
What is not plain is left as it is: a page turned wrongly is worse than one not turned.
"""

from dataclasses import dataclass
from math import cos, radians, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.documents.ink import darkest
from schemas.view import Affine, Region

_STEEPEST_DEG = 6.0
_LEAST_DEG = 0.1
"""A page askew by less is left alone: over a line of 500 points that is one point."""
_STRIPS = 64
_LOWEST, _HIGHEST = 8, 0.42
"""The frequencies, from waves a page to waves a pixel, in which rows of print show: neither blocks nor noise."""
_PLAIN = 3.0
"""How much sharper than at most angles the rows must be for an angle to be believed."""
_INK = 24
_DARKEST = 128
_LETTER = 30
_LARGEST_PT = 30.0
_SMALLEST_PT = 2.0
_LETTER_GAP_PT = 3.0
_WORD_GAP_PT = 4.0
_FEWEST = 20
"""On fewer letters, or half as many words, nothing is decided."""
_SIDEWAYS = 1.25
_UPSIDE_DOWN = 0.06
_SIGMAS = 3.0

Gray = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Pose:
    """How the print lies on a page of this size, in points: turned clockwise by `turn_deg` (0, 90, 180, 270), and by `skew_deg` more.

    The upright page is the least upright rectangle that holds the whole page turned back.
    """

    width_pt: float
    height_pt: float
    turn_deg: int = 0
    skew_deg: float = 0.0

    @property
    def is_upright(self) -> bool:
        return self.turn_deg == 0 and self.skew_deg == 0.0

    @property
    def upright_size_pt(self) -> tuple[float, float]:
        """Return the width and height of the upright page."""
        cosine, sine = self._direction()
        return (
            abs(cosine) * self.width_pt + abs(sine) * self.height_pt,
            abs(sine) * self.width_pt + abs(cosine) * self.height_pt,
        )

    @property
    def to_page(self) -> Affine:
        """Return the map from points of the upright page to points of the page."""
        cosine, sine = self._direction()
        width, height = self.upright_size_pt
        e = (self.width_pt - cosine * width + sine * height) / 2
        f = (self.height_pt - sine * width - cosine * height) / 2
        return Affine(cosine, sine, -sine, cosine, e, f)

    def placed(self, region: Region) -> Region:
        """Return a region of the upright page as one of the page."""
        return region if self.is_upright else Region(region.name, region.affine.then(self.to_page), region.places)

    def _direction(self) -> tuple[float, float]:
        """Return cosine and sine of the whole turn, exact for quarter turns."""
        cosine, sine = cos(radians(self.skew_deg)), sin(radians(self.skew_deg))
        return {0: (cosine, sine), 90: (-sine, cosine), 180: (-cosine, -sine), 270: (sine, -cosine)}[self.turn_deg]


def find_pose(picture: Gray, width_pt: float, height_pt: float) -> Pose:
    """Return how the print lies; `picture` shows the whole page squeezed into a square of some 900 pixels, RGB (side, side, 3)."""
    ink = _ink(darkest(picture))
    skew_deg = _skew(ink, width_pt, height_pt)
    ink = _letters(_turned_back(ink, skew_deg, width_pt, height_pt), width_pt, height_pt)
    return Pose(width_pt, height_pt, _turn(ink, width_pt, height_pt), skew_deg)


def _ink(tone: Gray) -> Gray:
    """Return how much darker than the paper around it each pixel is; the outermost fringe, where shadows lie, is left out."""
    paper = cv2.morphologyEx(tone, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    ink = np.minimum(cv2.subtract(paper, tone), _DARKEST)
    ink[ink < _INK] = 0
    fringe = len(ink) // 50
    inner = np.zeros_like(ink, dtype=np.uint8)
    inner[fringe:-fringe, fringe:-fringe] = ink[fringe:-fringe, fringe:-fringe]
    return inner


def _skew(ink: Gray, width_pt: float, height_pt: float) -> float:
    """Return the angle at which rows and columns of ink are sharpest; 0 where no angle stands out."""
    across, down = _Rows.of(ink), _Rows.of(ink.T)
    aspect = width_pt / height_pt

    def sharpness(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
        slopes = np.tan(np.radians(degrees))
        return across.sharpness(slopes * aspect) + down.sharpness(-slopes / aspect)

    coarse = np.arange(-_STEEPEST_DEG, _STEEPEST_DEG + 0.01, 0.25)
    found = sharpness(coarse)
    near = coarse[int(np.argmax(found))] + np.arange(-0.3, 0.31, 0.05)
    fine = sharpness(near)
    best = int(np.argmax(fine))
    if fine[best] < _PLAIN * float(np.median(found)) or not 0 < best < len(near) - 1:
        return 0.0
    left, middle, right = fine[best - 1 : best + 2].tolist()
    degrees = float(near[best]) + 0.05 * 0.5 * (left - right) / (left - 2 * middle + right)
    return round(degrees, 3) if abs(degrees) >= _LEAST_DEG else 0.0


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of ink in each of a page's upright strips, as waves: shape (frequencies, strips)."""

    waves: NDArray[np.complex64]
    frequencies: NDArray[np.float32]
    energy: float

    @classmethod
    def of(cls, ink: Gray) -> "_Rows":
        side = len(ink)
        strips = cv2.resize(np.ascontiguousarray(ink, dtype=np.float32), (_STRIPS, side), interpolation=cv2.INTER_AREA)
        frequencies = np.arange(_LOWEST, round(side * _HIGHEST), dtype=np.float32)
        waves = np.fft.rfft(strips, axis=0)[_LOWEST : _LOWEST + len(frequencies)].astype(np.complex64)
        energy = float((np.abs(waves) ** 2 * frequencies[:, None] ** 2).sum()) * _STRIPS
        return cls(waves, frequencies, max(energy, 1e-9))

    def sharpness(self, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return for each slope, pixels down a pixel across, how well the strips' rows meet: 1 where they are all the same."""
        step = np.exp(2j * np.pi / _STRIPS * np.outer(slopes, self.frequencies)).astype(np.complex64)
        met = np.zeros_like(step)
        for strip in range(_STRIPS - 1, -1, -1):  # Horner's rule: each strip is shifted by one step more than the one before
            met *= step
            met += self.waves[:, strip]
        return np.asarray((np.abs(met) ** 2 * self.frequencies**2).sum(axis=1) / self.energy, dtype=np.float64)


def _turned_back(ink: Gray, degrees: float, width_pt: float, height_pt: float) -> Gray:
    if degrees == 0.0:
        return ink
    squeeze = np.diag([len(ink) / width_pt, len(ink) / height_pt])
    cosine, sine = cos(radians(degrees)), sin(radians(degrees))
    turn = squeeze @ np.array([[cosine, -sine], [sine, cosine]]) @ np.linalg.inv(squeeze)
    centre = np.full(2, len(ink) / 2)
    matrix = np.column_stack([turn, centre - turn @ centre])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(ink, matrix, ink.shape[::-1], flags=flags), dtype=np.uint8)


def _letters(ink: Gray, width_pt: float, height_pt: float) -> Gray:
    """Return only what is of the size of letters: no rules, pictures or dust."""
    marks = np.where(ink > _LETTER, 255, 0).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(marks, connectivity=8)
    widths, heights = stats[:, 2] * width_pt / len(ink), stats[:, 3] * height_pt / len(ink)
    longer = np.maximum(widths, heights)
    kept = (longer < _LARGEST_PT) & (longer > _SMALLEST_PT) & (stats[:, 4] >= 4)
    kept[0] = False
    return np.where(kept[labels], ink, 0).astype(np.uint8)


def _turn(letters: Gray, width_pt: float, height_pt: float) -> int:
    """Return how many degrees clockwise the print is turned."""
    fx, fy = len(letters) / width_pt, len(letters) / height_pt
    along = len(_runs(letters, _odd(_LETTER_GAP_PT * fx), 1))
    athwart = len(_runs(letters, 1, _odd(_LETTER_GAP_PT * fy)))
    if max(along, athwart) < _FEWEST:
        return 0
    if along > _SIDEWAYS * athwart:
        return 270 if _headedness(np.rot90(letters), fy, fx)[0] < 0 else 90
    mean, error = _headedness(letters, fx, fy)
    return 180 if mean < -max(_UPSIDE_DOWN, _SIGMAS * error) else 0


def _runs(letters: Gray, across: int, down: int) -> NDArray[np.int32]:
    """Return the boxes of letters joined over gaps of so many pixels: rows x, y, width, height."""
    marks = np.where(letters > 0, 255, 0).astype(np.uint8)
    joined = cv2.morphologyEx(marks, cv2.MORPH_CLOSE, np.ones((down, across), np.uint8))
    return np.asarray(cv2.connectedComponentsWithStats(joined, connectivity=8)[2][1:, :4], dtype=np.int32)


def _headedness(letters: Gray, fx: float, fy: float) -> tuple[float, float]:
    """Return by how much, from -1 to 1, words end more sharply below than above, and the standard error of that.

    Print is dense up to its base line; above, tall letters and capitals thin out.
    """
    values, weights = [], []
    for x, y, width, height in _runs(letters, _odd(_WORD_GAP_PT * fx), 1).tolist():
        if height < 4 or width / fx < 1.5 * height / fy:
            continue
        steps = np.diff(
            letters[max(y - 2, 0) : y + height + 2, x : x + width].sum(axis=1, dtype=np.float64), prepend=0, append=0
        )
        values.append(-float((steps**3).sum() / max((np.abs(steps) ** 3).sum(), 1e-9)))
        weights.append(float(width))
    if len(values) < _FEWEST // 2:
        return 0.0, 1.0
    found, shares = np.array(values), np.array(weights) / sum(weights)
    mean = float((found * shares).sum())
    return mean, float(np.sqrt((shares**2 * (found - mean) ** 2).sum()))


def _odd(pixels: float) -> int:
    return max(3, round(pixels)) | 1
