"""Answers in words that are taken as they are: caption, question, raw."""

from pipeline.tasks.base import Reading
from pipeline.tasks.faults import absent, fault, reject, stray_tokens
from schemas.view import Affine, Completion


def decode_words(completion: Completion, _affine: Affine, prompt: str) -> Reading:
    """Return the words, or what was wrong; to say nothing when words were asked for is a reject."""
    if broken := fault(completion, prompt) or stray_tokens(completion.text):
        return broken
    text = completion.text.strip()
    return Reading(verdict="value", text=text) if text else reject("empty", "the model said nothing")


def decode_anything(completion: Completion, _affine: Affine, prompt: str) -> Reading:
    """Return the answer as it is, tokens included; only what is no answer at all is kept out."""
    if broken := fault(completion, prompt):
        return broken
    if not completion.text.strip():
        return absent("empty", "the model said nothing")
    return Reading(verdict="value", text=completion.text)
