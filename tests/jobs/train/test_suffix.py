"""The rows a model is taught on, and what its loss looks at."""

from dataclasses import replace

import pytest
import torch

from jobs.train.course import load
from jobs.train.suffix import IGNORED, packed, suffix_loss
from pipeline.engines.description import describe
from pipeline.engines.vocabulary import Vocabulary

PAIRS = [("ocr", "one two"), ("answer en what is it?", "3"), ("ocr", "")]


@pytest.fixture(scope="module")
def taught(tiny):
    description = describe(tiny())
    return load(description), Vocabulary.load(description)


def test_rows_are_laid_out_as_the_engine_asks(taught) -> None:
    """Image tokens, bos, prompt and one newline, then the answer and one eos; labels are the answer's tokens, one place early."""
    _, vocabulary = taught
    rows = packed(vocabulary, PAIRS)
    for index, (prompt, answer) in enumerate(PAIRS):
        prefix = vocabulary.prefix(prompt)
        ids = rows.ids[index][rows.real[index].bool()].tolist()
        assert ids[: len(prefix)] == prefix
        assert vocabulary.text(ids[len(prefix) :]) == answer
        assert ids[-1] == vocabulary.description.eos_ids[0]
        said = [label for label in rows.labels[index].tolist() if label != IGNORED]
        assert said == ids[len(prefix) :]
        assert rows.labels[index].tolist().index(said[0]) == len(prefix) - 1


def test_the_prefix_sees_itself_and_the_suffix_what_came_before(taught) -> None:
    """Each token looks where PaliGemma was trained to look: prefix everywhere in the prefix, suffix backwards, nobody at padding."""
    _, vocabulary = taught
    rows = packed(vocabulary, PAIRS)
    looks = rows.attends[:, 0]
    for index, (prompt, _) in enumerate(PAIRS):
        prefix, real = len(vocabulary.prefix(prompt)), int(rows.real[index].sum())
        for query in range(real):
            seen = looks[index, query].nonzero().flatten().tolist()
            assert seen == list(range(prefix if query < prefix else query + 1))


def test_the_loss_looks_at_the_answer_alone(taught) -> None:
    """Padding changes nothing, and the loss is the mean over the answers, long or short, of the mean over each one's tokens."""
    model, vocabulary = taught
    features = torch.randn(3, 16, 64, generator=torch.Generator().manual_seed(0))
    together = packed(vocabulary, PAIRS)
    alone = [suffix_loss(model, features[n : n + 1], packed(vocabulary, [PAIRS[n]])) for n in range(3)]
    expected = sum(said.loss for said in alone) / 3
    whole = suffix_loss(model, features, together)
    assert whole.asked == sum(said.asked for said in alone) == len("one two") + 1 + 1 + 1 + 1
    torch.testing.assert_close(whole.loss, expected, rtol=1e-4, atol=1e-4)
    other_padding = replace(together, ids=torch.where(together.real.bool(), together.ids, 5))
    torch.testing.assert_close(suffix_loss(model, features, other_padding).loss, whole.loss, rtol=1e-5, atol=1e-5)


def test_longer_answers_weigh_as_much_more_as_is_asked(taught) -> None:
    """At a power of one each token weighs alike, and at a half an answer as the square root of its length."""
    model, vocabulary = taught
    features = torch.randn(3, 16, 64, generator=torch.Generator().manual_seed(0))
    alone = [suffix_loss(model, features[n : n + 1], packed(vocabulary, [PAIRS[n]])) for n in range(3)]
    for power in (1.0, 0.5):
        weights = [said.asked**power for said in alone]
        expected = sum(weight * said.loss for weight, said in zip(weights, alone, strict=True)) / sum(weights)
        weighed = suffix_loss(model, features, packed(vocabulary, PAIRS), weight_by_length=power).loss
        torch.testing.assert_close(weighed, expected, rtol=1e-4, atol=1e-4)


def test_the_loss_agrees_with_transformers(taught) -> None:
    """The library's own loss of each answer, with its token types and labels, is the same number."""
    model, vocabulary = taught
    pixels = torch.randn(1, 3, 56, 56, generator=torch.Generator().manual_seed(1))
    for pair in PAIRS:
        rows = packed(vocabulary, [pair])
        theirs = _their_loss(model, rows, pixels)
        ours = suffix_loss(model, model.get_image_features(pixels).pooler_output, rows).loss
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def _their_loss(model, rows, pixels) -> torch.Tensor:
    labels = torch.full_like(rows.labels, IGNORED)
    labels[:, 1:] = rows.labels[:, :-1]  # transformers shifts them itself
    return model(
        input_ids=rows.ids, pixel_values=pixels, attention_mask=rows.real, token_type_ids=rows.token_types, labels=labels
    ).loss
