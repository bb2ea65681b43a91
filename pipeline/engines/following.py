"""An answer in the making that keeps to a form: which token may come next. It knows texts and tokens, not models.

A token may come if what is written with it is the form's beginning, and the end may come if what is written is whole. Candidates are tried
from the likeliest on, so that of a large vocabulary few are looked at.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache

import regex

from schemas.view import Form

_UNWRITTEN = "\ufffd"  # a part of a character, as byte tokens leave it


class Following:
    """What may follow in answers of one form. `text` is what a tokenizer makes of token ids, and `eos` the tokens that end an answer."""

    def __init__(self, form: Form, text: Callable[[Sequence[int]], str], eos: Iterable[int]) -> None:
        self._pattern, self._text, self._eos = _compiled(form), text, frozenset(eos)

    def first(self, written: Sequence[int], candidates: Iterable[int]) -> int | None:
        """Return the first of the candidates that may come after what is written, or None."""
        before = self._text(written)
        return next((token for token in candidates if self._may_follow(written, before, token)), None)

    def _may_follow(self, written: Sequence[int], before: str, token: int) -> bool:
        if token in self._eos:
            return self._pattern.fullmatch(before) is not None
        after = self._text([*written, token])
        if len(after) <= len(before) or _UNWRITTEN in after:
            return False
        return self._pattern.fullmatch(after, partial=True) is not None


def has_form(form: Form, text: str) -> bool:
    """Return whether a text is an answer of this form."""
    return _compiled(form).fullmatch(text) is not None


@cache
def _compiled(form: Form) -> "regex.Pattern[str]":
    return regex.compile(form.expression or "|".join(map(regex.escape, form.choices)))
