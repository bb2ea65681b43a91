"""Documents of a seed: the same again and again, and like no other's."""

from itertools import product

import pytest

from jobs.synth import FINISHES, KINDS, generate, samples

DRAWN = tuple(kind for kind in KINDS if kind != "blank")


@pytest.mark.parametrize(("kind", "finish"), [*product(KINDS, ["pdf", "scan"]), *product(["letter"], FINISHES)])
def test_a_seed_gives_the_same_bytes_and_truth_again(kind, finish):
    """The same kind, seed and finish is the same document, whatever was made in between."""
    first = generate(kind, 7, finish)
    generate("text", 1, "scan")
    assert generate(kind, 7, finish) == first


@pytest.mark.parametrize("kind", DRAWN)
def test_seeds_and_splits_give_different_documents(kind):
    """Neither two seeds nor two splits share a document."""
    made = [generate(kind, seed, "pdf", split) for seed in range(5) for split in ("train", "evaluate", "shipped")]
    assert len({truth.document_id for _, truth in made}) == 15
    assert len({truth.pages[0].text for _, truth in made}) == 15


@pytest.mark.parametrize("finish", ["scan", "tiff", "rotated", "encrypted"])
def test_a_finish_changes_no_content(finish):
    """The same seed has the same text, fields and tables in every finish."""
    plain, finished = generate("statement", 3)[1], generate("statement", 3, finish)[1]
    for page, other in zip(plain.pages, finished.pages, strict=True):
        assert page.text == other.text
        assert [field.value for field in page.fields] == [field.value for field in other.fields]
        assert [table.html for table in page.tables] == [table.html for table in other.tables]


def test_unknown_kinds_and_finishes_are_refused():
    """A name that is not there is an error that lists those that are."""
    with pytest.raises(ValueError, match="invoice"):
        generate("novel", 1)
    with pytest.raises(ValueError, match="scan"):
        generate("invoice", 1, "papyrus")  # type: ignore[arg-type]


def test_samples_come_one_a_seed_wherever_the_range_begins():
    """Workers may share a range of seeds: what a seed yields does not depend on those before it."""
    whole = list(samples(range(6), kinds=("text", "receipt")))
    assert list(samples(range(4, 6), kinds=("text", "receipt"))) == whole[4:]
    assert {truth.kind for _, truth in whole} == {"text", "receipt"}


def test_evaluation_samples_are_no_training_samples():
    """The same seeds of the two splits have nothing in common."""
    trained = {page.text for _, truth in samples(range(8), finishes=("pdf",)) for page in truth.pages}
    held_out = {page.text for _, truth in samples(range(8), split="evaluate", finishes=("pdf",)) for page in truth.pages}
    assert not trained & held_out
