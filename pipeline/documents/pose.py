"""How a scanned page lies: which way its print runs and how far it is askew, from a small picture; it knows no documents.

Skew is the angle at which the page's rows of ink are sharpest. Print that runs up or down the page is told by its gaps, which are narrow
along a line and wide between lines; heads.py tells print that stands on its head.
What is not plain is left as it is: a page turned wrongly is worse than one not turned.
"""

from dataclasses import dataclass
from math import ceil, cos, radians, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.documents.heads import WIDEST_GAP_PT, is_on_its_head, is_rather_on_its_head
from pipeline.documents.ink import components, mask_of
from schemas.view import Affine, Region

_STEEPEST_DEG = 6.0
_LEAST_DEG = 0.1
"""A page askew by less is left alone: over a line of 500 points that is one point."""
_STRIPS = 64
_LOWEST, _HIGHEST = 8, 0.42
"""The frequencies, from waves a page to waves a pixel, in which rows of print show: neither blocks nor noise."""
_PLAIN = 2.9
"""How much sharper than at most angles the rows must be for an angle to be believed."""
_INK = 24
_DARKEST = 128
_LETTER = 30
_LARGEST_PT = 30.0
_SMALLEST_PT = 2.0
_LETTER_GAP_PT = 3.0
_FEWEST = 20
"""On fewer letters nothing is decided."""
_SIDEWAYS = 1.25
_PHASES = 256

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


def find_pose(tone: Gray, width_pt: float, height_pt: float) -> Pose:
    """Return how the print lies; `tone` shows the whole page squeezed into a square of 896 pixels: `darkest` of its picture."""
    ink = _ink(tone)
    skew_deg = _skew(ink, width_pt, height_pt)
    scale = _Scale(len(ink), width_pt, height_pt)
    letters, count = _letters(_cropped(_turned_back(ink, skew_deg, width_pt, height_pt), scale), scale)
    return Pose(width_pt, height_pt, _turn(letters, count, scale), skew_deg)


@dataclass(frozen=True, slots=True)
class _Scale:
    """The side in pixels of the picture of a whole page, and the page's size: good for a part of the picture, too."""

    side: int
    width_pt: float
    height_pt: float


def _ink(tone: Gray) -> Gray:
    """Return how much darker than the paper around it each pixel is; the outermost fringe, where shadows lie, is left out."""
    paper = cv2.morphologyEx(tone, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    darker = cv2.threshold(cv2.subtract(paper, tone), _DARKEST, 0, cv2.THRESH_TRUNC)[1]
    ink: Gray = np.asarray(cv2.threshold(darker, _INK - 1, 0, cv2.THRESH_TOZERO)[1], dtype=np.uint8)
    fringe = len(ink) // 50
    ink[:fringe], ink[-fringe:], ink[:, :fringe], ink[:, -fringe:] = 0, 0, 0, 0
    return ink


def _skew(ink: Gray, width_pt: float, height_pt: float) -> float:
    """Return the angle at which rows and columns of ink are sharpest; 0 where no angle stands out."""
    across, down = _Rows.of(np.asarray(cv2.transpose(ink), dtype=np.uint8)), _Rows.of(ink)
    aspect = width_pt / height_pt

    def sharpness(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
        slopes = np.tan(np.radians(degrees))
        return across.sharpness(slopes * aspect) + down.sharpness(-slopes / aspect)

    coarse = np.arange(-_STEEPEST_DEG, _STEEPEST_DEG + 0.01, 0.25)
    slopes = np.tan(np.radians(coarse))
    found = across.rough_sharpness(slopes * aspect) + down.rough_sharpness(-slopes / aspect)
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
    """The rows of ink in each of a page's upright strips, as waves: shape (strips, frequencies)."""

    waves: NDArray[np.complex64]
    frequencies: NDArray[np.float32]
    energy: float

    @classmethod
    def of(cls, columns: Gray) -> "_Rows":
        """Look at a picture of the page that was transposed: its rows are the page's columns."""
        side = len(columns)
        strips = columns.reshape(_STRIPS, side // _STRIPS, side).sum(axis=1, dtype=np.uint16).astype(np.float32)
        frequencies = np.arange(_LOWEST, round(side * _HIGHEST), dtype=np.float32)
        waves = _transformed(strips)[:, _LOWEST : _LOWEST + len(frequencies)]
        energy = float((_power(waves) * frequencies**2).sum()) * _STRIPS
        return cls(waves, frequencies, max(energy, 1e-9))

    def rough_sharpness(self, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return `sharpness` to some percent, for many slopes at once: from one transform across the strips, in its nearest phases."""
        across = np.zeros((len(self.frequencies), _PHASES), np.complex64)
        across[:, :_STRIPS] = self.waves.T
        power = _power(_transformed(across)).ravel()
        phases = -np.outer(slopes, self.frequencies) * (_PHASES / _STRIPS)
        low = np.floor(phases)
        share, first = phases - low, low.astype(np.int32)
        rows = np.arange(len(self.frequencies), dtype=np.int32) * _PHASES
        met = power[rows + first % _PHASES] * (1 - share) + power[rows + (first + 1) % _PHASES] * share
        return np.asarray((met * self.frequencies**2).sum(axis=1) / self.energy, dtype=np.float64)

    def sharpness(self, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return for each slope, pixels down a pixel across, how well the strips' rows meet: 1 where they are all the same."""
        step = np.exp(2j * np.pi / _STRIPS * np.outer(slopes, self.frequencies)).astype(np.complex64)
        met = np.zeros_like(step)
        for strip in self.waves[::-1]:  # Horner's rule: each strip is shifted by one step more than the one before
            met *= step
            met += strip
        return np.asarray((_power(met) * self.frequencies**2).sum(axis=1) / self.energy, dtype=np.float64)


def _transformed(rows: NDArray[np.float32] | NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Return the Fourier transform of each row, in 32 bits throughout."""
    parts = rows.view(np.float32).reshape(*rows.shape, -1)
    return np.asarray(cv2.dft(parts, flags=cv2.DFT_ROWS | cv2.DFT_COMPLEX_OUTPUT), dtype=np.float32).view(np.complex64)[:, :, 0]


def _power(waves: NDArray[np.complex64]) -> NDArray[np.float32]:
    return waves.real**2 + waves.imag**2


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


def _cropped(ink: Gray, scale: _Scale) -> Gray:
    """Return the part of the picture that has ink, with room around it for the widest gap that is closed.

    It begins and ends at even pixels, so that marks are numbered in the order in which they are on the whole picture.
    """
    x, y, width, height = cv2.boundingRect(ink)
    room = ceil(WIDEST_GAP_PT * scale.side / min(scale.width_pt, scale.height_pt)) + 2
    x0, y0 = max(x - room, 0) & ~1, max(y - room, 0) & ~1
    x1, y1 = min((x + width + room + 1) & ~1, ink.shape[1]), min((y + height + room + 1) & ~1, ink.shape[0])
    return np.ascontiguousarray(ink[y0:y1, x0:x1])


def _letters(ink: Gray, scale: _Scale) -> tuple[Gray, int]:
    """Return only what is of the size of letters, no rules, pictures or dust, and how many marks that are."""
    marks = np.asarray(cv2.threshold(ink, _LETTER, 255, cv2.THRESH_BINARY)[1], dtype=np.uint8)
    labels, stats = components(marks)
    widths, heights = stats[:, 2] * scale.width_pt / scale.side, stats[:, 3] * scale.height_pt / scale.side
    longer = np.maximum(widths, heights)
    kept = (longer < _LARGEST_PT) & (longer > _SMALLEST_PT) & (stats[:, 4] >= 4)
    kept[0] = False
    return np.asarray(cv2.bitwise_and(mask_of(labels, kept), ink), dtype=np.uint8), int(kept.sum())


def _turn(letters: Gray, count: int, scale: _Scale) -> int:
    """Return how many degrees clockwise the print of so many letters is turned."""
    fx, fy = scale.side / scale.width_pt, scale.side / scale.height_pt
    athwart = _count(letters, 1, _odd(_LETTER_GAP_PT * fy))
    may_lie = athwart < _FEWEST or count > _SIDEWAYS * athwart  # joined along lines there are at most as many
    along = _count(letters, _odd(_LETTER_GAP_PT * fx), 1) if may_lie else 0
    if max(along, athwart) < _FEWEST:
        return 0
    if along > _SIDEWAYS * athwart:
        return 270 if is_rather_on_its_head(np.ascontiguousarray(np.rot90(letters)), fy, fx) else 90
    return 180 if is_on_its_head(letters, fx, fy) else 0


def _count(letters: Gray, across: int, down: int) -> int:
    """Return how many there are once letters are joined over gaps of so many pixels."""
    marks = cv2.threshold(letters, 0, 255, cv2.THRESH_BINARY)[1]
    joined = cv2.morphologyEx(marks, cv2.MORPH_CLOSE, np.ones((down, across), np.uint8))
    return int(cv2.connectedComponents(joined, connectivity=8)[0]) - 1


def _odd(pixels: float) -> int:
    return max(3, round(pixels)) | 1
