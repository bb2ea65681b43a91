"""A decoded picture as a person sees it: turned as the camera says, over white paper, in 8 bits of sRGB, and its size in points."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from pipeline.documents import inks

Pixels = NDArray[np.uint8]
"""RGB, of shape (height, width, 3)."""

_PHOTOMETRIC, _SAMPLE_FORMAT = 262, 339
"""Tags of TIFF that Pillow leaves to its caller where gray has more than 8 bits: whether 0 is white, and whether values have a sign."""
_FULL_SCALES = (255, 4095, 65535)
_LONGEST_UNKNOWN_PT = 1190.55
"""A3's long side: no picture of unknown resolution is taken for more."""
_SCREEN_DPI = 96.0
_LONGEST_PT = 14_400.0
"""200 inches, PDF's own limit: a resolution that makes a page longer than this is not believed."""


def as_seen(picture: Image.Image) -> Image.Image:
    """Return a picture in RGB, white where it is transparent."""
    tags = getattr(picture, "tag_v2", {})  # of a TIFF; a turned copy has none
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith(("I", "F")):
        seen = _eight_bits(picture, is_unsigned=tags.get(_SAMPLE_FORMAT, (1,)) == (1,))
        return (ImageOps.invert(seen) if tags.get(_PHOTOMETRIC) == 0 else seen).convert("RGB")
    if picture.mode in ("CMYK", "LAB"):
        return _managed(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(paper, picture).convert("RGB")
    return picture.convert("RGB")


def size_pt(width_px: int, height_px: int, dpi: tuple[float, float] | None) -> tuple[float, float]:
    """Return the page's width and height in points, from the dots an inch that the file states, where they are believable.

    Believable is from 50 to 2400, less than thrice as many one way as the other (a fax has 204 × 98), and a page of at most 200 inches; 72 dots
    is what programs write that know nothing, so it is not believed either. Otherwise it is taken for a screen's 96, or for as many as
    make the page A3: photographs of pages state no resolution, or a meaningless one.
    """
    if dpi is not None and _believable(width_px, height_px, *dpi):
        return width_px * 72 / dpi[0], height_px * 72 / dpi[1]
    scale = min(72 / _SCREEN_DPI, _LONGEST_UNKNOWN_PT / max(width_px, height_px))
    return width_px * scale, height_px * scale


def _believable(width_px: int, height_px: int, dpi_x: float, dpi_y: float) -> bool:
    low, high = sorted((dpi_x, dpi_y))
    if not (50 <= low <= high <= 2400 and high < 3 * low) or abs(low - 72) < 0.5:
        return False
    return max(width_px * 72 / dpi_x, height_px * 72 / dpi_y) <= _LONGEST_PT


def _eight_bits(picture: Image.Image, *, is_unsigned: bool) -> Image.Image:
    """Scale gray of 16 or 32 bits, or of floating point, to 8 bits: black is 0, white the full scale that its values need."""
    stored = np.asarray(picture)
    values = (stored.view(np.uint32) if is_unsigned and stored.dtype == np.int32 else stored).astype(np.float32)
    top = float(values.max(initial=0.0))
    if picture.mode == "F" and top <= 1.0:
        full = 1.0
    elif picture.mode.startswith("I;16"):
        full = next(scale for scale in _FULL_SCALES[1:] if top <= scale)
    else:
        full = next((scale for scale in _FULL_SCALES if top <= scale), top)
    values = np.clip(values * (255 / full) + 0.5, 0, 255)
    return Image.fromarray(values.astype(np.uint8))


def _managed(picture: Image.Image) -> Image.Image:
    """Convert inks to RGB by the profile in the file, and without one, or with one that is broken, as PDFs' are."""
    profile = picture.info.get("icc_profile")
    if not profile and picture.mode == "CMYK":
        return inks.seen(picture)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile)) if profile else ImageCms.createProfile("LAB")
        seen = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return inks.seen(picture) if picture.mode == "CMYK" else picture.convert("RGB")
    return seen if seen is not None else picture.convert("RGB")
