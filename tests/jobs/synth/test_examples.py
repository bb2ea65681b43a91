"""The documents that ship are those of the generator as it stands, and show what they should."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.synth import FINISHES, generate, truth_of
from jobs.synth.examples import EXAMPLES, FOLDER
from jobs.synth.folder import TRUTH_SUFFIX, suffix
from schemas.truth import DocumentTruth

Render = Callable[[bytes, DocumentTruth], list[NDArray[np.uint8]]]


def test_nothing_else_lies_there():
    """The folder holds each example, its truth, and no other file; all together they are small."""
    expected = {name + suffix(finish) for name, (_, _, finish) in EXAMPLES.items()} | {name + TRUTH_SUFFIX for name in EXAMPLES}
    assert {path.name for path in FOLDER.iterdir()} == expected
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3_000_000


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_what_the_generator_writes(name, pages_as_seen: Render):
    """Its truth is the generator's, and so is every pixel but for what another version of a codec may change."""
    kind, seed, finish = EXAMPLES[name]
    path = FOLDER / (name + suffix(finish))
    shipped, known = path.read_bytes(), truth_of(path)
    assert known.document_id == hashlib.sha256(shipped).hexdigest()
    data, truth = generate(kind, seed, finish, "shipped")
    assert known == truth.model_copy(update={"document_id": known.document_id})
    if not truth.damage:
        for was, now in zip(pages_as_seen(shipped, known), pages_as_seen(data, truth), strict=True):
            assert np.abs(was.astype(int) - now.astype(int)).mean() < 0.5


def test_examples_show_every_finish_and_every_kind_of_document():
    """Nothing that the pipeline must open is missing: every finish, every kind but training text."""
    assert {finish for _, _, finish in EXAMPLES.values()} == set(FINISHES)
    kinds = {"invoice", "receipt", "letter", "form", "statement", "article", "blank"}
    assert {kind for kind, _, _ in EXAMPLES.values()} == kinds
