# ruff: noqa: S311 - seeds are to be repeated, not kept secret
"""Broken documents, for a bounded time: whatever they do, the caller gets an answer or a DocumentError, and the next document is read."""

import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from pipeline.documents.child import Child
from pipeline.errors import DocumentError
from schemas.job import Limits, Tiling

EXAMPLES = Path(__file__).parents[2] / "jobs" / "examples" / "documents"
SECONDS = float(os.environ.get("PAGEMILL_FUZZ_SECONDS", "90"))
SEED = int(os.environ.get("PAGEMILL_FUZZ_SEED", "1"))
CODES = {
    "read", "unreadable", "empty", "too_many_bytes", "unknown_type", "damaged", "password_needed", "password_wrong", "no_pages", "too_many_pages",
    "no_such_page", "page_size", "too_many_pixels", "timeout", "out_of_memory", "crashed",
}  # fmt: skip
LIMITS = Limits(pages=2000, pixels=50 * 10**6, seconds_per_page=10, memory=10**9)


@pytest.mark.fuzz
def test_no_broken_document_escapes_the_child(tmp_path, mutate, pytestconfig):
    """Every mutant is read or rejected with a code of the contract within its limit, and a whole document is read right after it."""
    whole = [path.read_bytes() for path in sorted(EXAMPLES.iterdir()) if path.suffix != ".json"]
    path, sound = tmp_path / "mutant", EXAMPLES / "form.pdf"
    outcomes, deadline, number = Counter(), time.monotonic() + SECONDS, 0
    with Child(LIMITS, scratch=tmp_path) as child:
        wanted = _read(child, sound, random.Random(0))
        while time.monotonic() < deadline:
            number += 1
            rng = random.Random(f"{SEED}:{number}")
            path.write_bytes(mutate.mutated(rng.choice(whole), rng.choice(whole), rng))
            outcome = _outcome(child, path, rng)
            assert outcome in CODES, f"mutant {number} of seed {SEED}: {outcome}"
            outcomes[outcome] += 1
            if number % 20 == 0:
                assert _read(child, sound, random.Random(0)) == wanted, f"after mutant {number} of seed {SEED}"
    pytestconfig.stash[mutate.told].append(f"documents: {number} mutants of seed {SEED}: {dict(outcomes.most_common())}")
    assert number > 20


def _outcome(child, path, rng):
    try:
        _read(child, path, rng)
    except DocumentError as error:
        return error.code
    return "read"


def _read(child, path, rng):
    """Open a document, and do with one of its pages all that a run does."""
    opened = child.open(path, passwords=["wrong"])
    page = rng.randrange(opened.page_count)
    probe = child.probe(page, text_layer=True)
    regions = child.regions(page, rng.choice(get_args(Tiling)), 224)
    views = child.render(page, regions[:4], 224)
    return probe.text_layer and probe.text_layer.text, [view.tobytes() for view in views]
