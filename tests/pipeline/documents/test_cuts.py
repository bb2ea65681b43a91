"""Tiles cut in white space go through no glyph, of any kind of page, drawn or scanned askew: each is in exactly one tile, whole."""

from pathlib import Path

import pytest

from jobs.synth.document import generate
from schemas.view import Affine

KINDS = ("invoice", "receipt", "letter", "form", "statement", "article")
AROUND = 0.25
"""A glyph's box reaches from ascender to descender: its ink lies inside this margin of it."""


def faults(child, path: Path, kind: str, seed: int, finish: str, resolution: int) -> list[str]:
    """Return what is wrong with the tiles of a made-up page: glyphs that lie in no tile, in two, or across an edge."""
    data, truth = generate(kind, seed, finish)
    path.write_bytes(data)
    child.open(path)
    page = truth.pages[0]
    backs = [region.affine.back() for region in child.regions(0, "whitespace", resolution)]
    wrong = []
    for index, glyph in enumerate(page.glyphs.text):
        holding = [_held(back, page.glyphs.box(index)) for back in backs]
        if sorted(each for each in holding if each) != ["whole"]:
            wrong.append(
                f"{kind} {seed} {finish}: {glyph!r} at {page.glyphs.box(index)} is {[each for each in holding if each]}"
            )
    return wrong


def _held(back: Affine, box) -> str:
    """Return how a view shows a glyph: whole, cut, or not at all."""
    dx, dy = AROUND * box.width, AROUND * box.height
    seen = back.box(box.x0 + dx, box.y0 + dy, box.x1 - dx, box.y1 - dy)
    if seen.x1 <= 0 or seen.y1 <= 0 or seen.x0 >= 1 or seen.y0 >= 1:
        return ""
    return "whole" if seen.x0 >= 0 and seen.y0 >= 0 and seen.x1 <= 1 and seen.y1 <= 1 else "cut"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("finish", ["pdf", "scan"])
def test_no_glyph_is_cut(tmp_path: Path, children, kind, finish):
    """Every glyph of a page is in one tile alone, and whole."""
    assert faults(children[1], tmp_path / "a.pdf", kind, 31, finish, 448) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_glyph_is_cut_over_many_seeds(tmp_path: Path, children, kind):
    """Over many seeds, resolutions and finishes hardly a page has a glyph that is cut, left out or shown twice."""
    bad = [
        (seed, finish, found[:3])
        for seed in range(12)
        for finish in ("pdf", "scan")
        if (found := faults(children[1], tmp_path / "a.pdf", kind, 4000 + seed, finish, (224, 448, 896)[seed % 3]))
    ]
    assert len(bad) <= 1, bad
