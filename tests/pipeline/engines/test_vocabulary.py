"""The vocabulary of a built checkpoint: every text goes in and comes out again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.checkpoints import EMBEDDED_FOLDER
from pipeline.checkpoints.alphabet import ALPHABET
from pipeline.checkpoints.tokenizer import MASK_CODES, PLACES, TABLE_TAGS
from pipeline.engines.description import describe
from pipeline.engines.vocabulary import UnusablePrompt, Vocabulary

PIECES = st.one_of(st.sampled_from(ALPHABET), st.sampled_from((*TABLE_TAGS, *PLACES, *MASK_CODES)))


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.load(describe(EMBEDDED_FOLDER))


@settings(max_examples=100)
@given(pieces=st.lists(PIECES, max_size=60))
def test_decoding_what_was_encoded_is_the_identity(vocabulary: Vocabulary, pieces: list[str]) -> None:
    """Spaces, newlines, places, mask codes and tags survive, in any order."""
    text = "".join(pieces)
    assert vocabulary.text(vocabulary.tokenizer.encode(text, add_special_tokens=False).ids) == text


def test_places_tags_and_newlines_are_single_tokens(vocabulary: Vocabulary) -> None:
    """What stands for a place, a mask code or a tag costs one token, and so does a newline."""
    for piece in ("\n", *PLACES, *MASK_CODES, *TABLE_TAGS):
        assert len(vocabulary.tokenizer.encode(piece, add_special_tokens=False).ids) == 1, piece


def test_a_prefix_is_images_bos_prompt_newline(vocabulary: Vocabulary) -> None:
    """1,024 image tokens at 448, then bos, the prompt and exactly one newline."""
    ids = vocabulary.prefix("ocr")
    spelled = [vocabulary.tokenizer.id_to_token(token) for token in ids]
    assert spelled == ["<image>"] * 1024 + ["<bos>", "o", "c", "r", "\n"]


def test_control_tokens_leave_the_text(vocabulary: Vocabulary) -> None:
    """Eos, bos and padding that a model emits are not part of what it says."""
    ids = [vocabulary.tokenizer.token_to_id(token) for token in ("a", "<pad>", "<bos>", "b", "<eos>")]
    assert vocabulary.text(ids) == "ab"


@pytest.mark.parametrize("spelled", ["<image>", "<bos>", "<eos>", "<pad>"])
def test_a_prompt_cannot_spell_a_control_token(vocabulary: Vocabulary, spelled: str) -> None:
    """Such a prompt is refused, and the message names the token."""
    with pytest.raises(UnusablePrompt, match=spelled):
        vocabulary.text_prefix(f"what is {spelled}?")


@settings(max_examples=100)
@given(pieces=st.lists(PIECES, max_size=60))
def test_pieces_are_the_text_token_by_token(vocabulary: Vocabulary, pieces: list[str]) -> None:
    """One a token, and nothing of a control token, so that each line's own tokens are found again."""
    ids = [*vocabulary.tokenizer.encode("".join(pieces), add_special_tokens=False).ids, *vocabulary.description.eos_ids]
    written = vocabulary.pieces(ids)
    assert len(written) == len(ids)
    assert "".join(written) == vocabulary.text(ids)
