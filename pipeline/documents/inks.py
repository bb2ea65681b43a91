"""Printing inks as a person sees them, by MuPDF's own profile of a press: a picture has the same colours alone as within a PDF."""

import pymupdf
from PIL import Image


def seen(picture: Image.Image) -> Image.Image:
    """Return a picture of cyan, magenta, yellow and black ink, which names no profile of its own, in RGB."""
    inks = pymupdf.Pixmap(pymupdf.csCMYK, picture.width, picture.height, picture.tobytes(), 0)
    return Image.frombytes("RGB", picture.size, pymupdf.Pixmap(pymupdf.csRGB, inks).samples)
