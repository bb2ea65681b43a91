"""What a scanner does to a page: paper that is not white, a page laid in askew, soft edges, noise and specks.

Whole numbers and Pillow's plain resampling throughout, so that a seed gives the same pixels again.
"""

from dataclasses import dataclass
from random import Random

import numpy as np
import pymupdf
from PIL import Image, ImageChops, ImageFilter, ImageOps

from jobs.synth.canvas import Canvas
from jobs.synth.skew import Skew


@dataclass(frozen=True, slots=True)
class Wear:
    """How badly a page was scanned. Angles in degrees, shifts in points, blur in pixels, noise in grey levels."""

    degrees: float
    scale: float
    shift: tuple[float, float]
    paper: int
    ink: int
    blur: float
    noise: int
    specks: int
    shadow: int

    @classmethod
    def draw(cls, rng: Random) -> "Wear":
        """Draw a wear between a good and a poor office scanner's."""
        return cls(
            degrees=rng.uniform(-1.4, 1.4),
            scale=rng.uniform(0.98, 1.0),
            shift=(rng.uniform(-3, 3), rng.uniform(-3, 3)),
            paper=rng.randrange(226, 254),
            ink=rng.randrange(0, 70),
            blur=rng.uniform(0.2, 0.8),
            noise=rng.randrange(2, 13),
            specks=rng.randrange(0, 25),
            shadow=rng.choice((0, 0, 20, 40)),
        )

    def skew(self, width: float, height: float) -> Skew:
        """Return where the wear carries a page's points."""
        return Skew.about(width / 2, height / 2, self.degrees, self.scale, self.shift)


def picture(document: pymupdf.Document, page_index: int, dpi: int) -> Image.Image:
    """Render a page as RGB, its sides rounded to whole pixels."""
    page = document[page_index]
    width, height = page.rect.width, page.rect.height
    across, down = round(width * dpi / 72) / width, round(height * dpi / 72) / height
    pixels = page.get_pixmap(matrix=pymupdf.Matrix(across, down), alpha=False)
    return Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)


def shone_through(sheet: Image.Image, back: Image.Image, levels: int) -> Image.Image:
    """Return the sheet with its other side, mirrored, showing through by so many of 255 levels of gray."""
    mirrored = ImageOps.mirror(back.resize(sheet.size))
    faint = mirrored.point(lambda tone: 255 - (255 - tone) * levels // 255)
    return ImageChops.darker(sheet, faint)


def scanned(clean: Image.Image, canvas: Canvas, wear: Wear, rng: Random) -> Image.Image:
    """Return the picture as scanned: the pixels of `wear.skew`, then all that wears them."""
    pixels_per_point = clean.width / canvas.width
    back = wear.skew(canvas.width, canvas.height).inverse()
    map_back = (back.a, back.c, back.e * pixels_per_point, back.b, back.d, back.f * pixels_per_point)
    white = (255,) * len(clean.getbands())
    turned = clean.transform(clean.size, Image.Transform.AFFINE, map_back, Image.Resampling.BICUBIC, fillcolor=white)
    soft = turned.filter(ImageFilter.GaussianBlur(wear.blur))
    return Image.fromarray(_worn(np.asarray(soft, dtype=np.int16), wear, rng))


def _worn(
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.int16]], wear: Wear, rng: Random
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    noise = np.random.default_rng(rng.getrandbits(64))
    height, width = pixels.shape[:2]
    toned = wear.ink + pixels.astype(np.int32) * (wear.paper - wear.ink) // 255
    # The sum of three even draws is near enough to a bell, and whole.
    grain = noise.integers(-wear.noise, wear.noise + 1, size=(3, height, width)).sum(axis=0) // 2
    toned += grain.reshape(height, width, *([1] * (pixels.ndim - 2)))
    if wear.shadow:
        fall = wear.shadow - np.arange(width) * wear.shadow * 12 // width
        toned -= np.maximum(fall, 0).reshape(1, width, *([1] * (pixels.ndim - 2)))
    for _ in range(wear.specks):
        x, y = rng.randrange(width), rng.randrange(height)
        toned[y, x] = rng.randrange(20, 150)
    return toned.clip(0, 255).astype(np.uint8)
